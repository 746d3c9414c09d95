// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'
import { SCHEMA, accelSchema, timeSchema, type Deep } from './result.ts'

const cost = z.number().min(0)
const samples = z.array(cost).describe('One a repeat, in the order they were measured')

/** Two numbers of the same thing: at the base point and at the series point. */
const pair = z.strictObject({
  base: z.number().describe('At the base point'),
  series: z.number().describe('At the series point'),
})

/** The same of a thing that one of the points may not have: null there. */
const sides = z.strictObject({
  base: z.int().min(0).nullable().describe('At the base point; null when it has no such structure'),
  series: z.int().min(0).nullable().describe('At the series point; null when it has no such structure'),
})

/**
 * What a comparison came to. Every figure is a cost: less is better. `ratio` is series / base.
 *
 * All numbers are null where there was nothing to measure; `why` then says what stood in the way.
 */
const figures = {
  unit: z.string().describe('Unit of base and series: instructions/IO, ns/IO, ...'),
  base: cost.nullable().describe('Cost of one operation at the base point: the median of its samples'),
  series: cost.nullable().describe('Cost of one operation at the series point'),
  ratio: cost.nullable().describe('series / base: below 1 is cheaper'),
  low: cost.nullable().describe('Lower end of what the ratio can be'),
  high: cost.nullable().describe('Upper end of what the ratio can be'),
  resolvable: z
    .boolean()
    .describe('Whether the figures are good enough to say that the two differ, or that they do not'),
  repeats: z.int().min(0).describe('Samples of each point; the smaller number where they differ'),
  samples: z.strictObject({ base: samples, series: samples }).describe('The repeats themselves, unrounded'),
  spread: z
    .strictObject({
      base: cost.nullable().describe('Of the base point'),
      series: cost.nullable().describe('Of the series point'),
    })
    .describe('(largest - smallest) / median of the samples of each point'),
  smallest: cost.nullable().describe('Smallest relative change that could have been seen: 0.02 is 2 %'),
  why: z.string().optional().describe('Why it is not resolvable, or was not measured'),
}
const figuresSchema = z.strictObject(figures)
export type Figures = Deep<z.infer<typeof figuresSchema>>

const functionSchema = z.strictObject({
  name: z.string().describe("Function of the kernel, or 'user space'"),
  base: cost.describe('Its own instructions per operation at the base point'),
  series: cost.describe('Its own instructions per operation at the series point'),
})
export type FunctionCost = Deep<z.infer<typeof functionSchema>>

/** A count that one of the points may not have reported: null there. */
const countPair = z.strictObject({
  base: z.int().min(0).nullable().describe('At the base point; null when it reported none'),
  series: z.int().min(0).nullable().describe('At the series point; null when it reported none'),
})

const caseSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._/+-]*$/)
    .describe('GROUP/NAME, for example nvme/randread-4k-psync'),
  what: z.string().describe('What one operation is, for people'),
  against: z
    .strictObject({
      case: z.string().describe('Its name'),
      what: z.string().describe('What one operation of it is'),
    })
    .optional()
    .describe(
      'Another case, with which this one is compared in place of itself at the base point: base has its figures at the series point, from the same boots',
    ),
  ...figures,
  user: pair.optional().describe('Instructions of user space per operation; in no other figure'),
  functions: z
    .array(functionSchema)
    .optional()
    .describe('Where it went: the functions whose share changed, largest change first, at most ten'),
  counts: z
    .record(z.string(), countPair)
    .optional()
    .describe('What one operation counts beside instructions, by name: entries, array-bytes, ...'),
  wall: figuresSchema.optional().describe('The same case by the clock; only in mode both'),
})
export type BenchCase = Deep<z.infer<typeof caseSchema>>

const pointSchema = z.strictObject({
  label: z.string().describe("What it is called in tables: 'base', 'series', 'patch 3'"),
  patches: z.int().min(0).describe('How many patches of the series are applied'),
  kernel: z.string().describe('Key of the kernel artefact'),
  release: z.string().describe('uname -r'),
  allocatedHash: z
    .string()
    .describe('SHA-256 over the sections that are loaded: equal means the same code and data'),
  bytes: z
    .strictObject({
      text: z.int().min(0).describe('Code and constants'),
      data: z.int().min(0).describe('Initialised data'),
      bss: z.int().min(0).describe('Zeroed data'),
    })
    .describe('Sizes of the linked kernel, bytes'),
})
export type BenchPoint = Deep<z.infer<typeof pointSchema>>

const structSchema = z.strictObject({
  name: z.string().describe('struct bio'),
  bytes: sides.describe('sizeof'),
  holes: sides.describe('Bytes in holes and padding'),
  cachelines: sides.describe('Cache lines of 64 bytes that it touches'),
  changes: z
    .array(z.string())
    .describe('Members that moved, grew, came or went; empty when the layout is the same'),
})
export type StructLayout = Deep<z.infer<typeof structSchema>>

const contextSchema = z.strictObject({
  slab: pair.optional().describe('Slab of /proc/meminfo at the end of the boot, bytes'),
  text: pair.describe('Code and constants of vmlinux, bytes'),
  data: pair.describe('Initialised data, bytes'),
  bss: pair.describe('Zeroed data, bytes'),
  structs: z
    .array(structSchema)
    .describe('Structs whose layout matters to the cases, from the debug information'),
})
export type BenchContext = Deep<z.infer<typeof contextSchema>>

/** One point of a walk over the series. */
const stepSchema = z.strictObject({
  number: z.int().min(0).describe('Patches applied: 0 is the base'),
  file: z
    .string()
    .nullable()
    .describe('The patch that this point has and the one before has not; null for the base'),
  subject: z.string().nullable().describe('Subject of that patch; null for the base'),
  cost: cost.nullable().describe('Cost of one operation here; null where it was not measured'),
  samples: samples.describe('The repeats themselves, unrounded'),
  kernel: z.string().describe('Key of the kernel artefact'),
  cached: z.boolean().describe('True when nothing was booted: the image is one that was measured before'),
})
export type WalkStep = Deep<z.infer<typeof stepSchema>>

const walkSchema = z.strictObject({
  case: z.string().describe('Case that was measured at every point'),
  unit: z.string().describe('Unit of the costs'),
  steps: z.array(stepSchema).describe('The points, from the base on'),
  costly: z
    .array(
      z.strictObject({
        number: z.int().min(1).describe('Patches applied with this one'),
        file: z.string().describe('The patch'),
        ratio: cost.describe('Against the point before it'),
        functions: z.array(functionSchema).describe('Where it went: base is the point before'),
      }),
    )
    .describe('Patches with a resolvable change of cost, in order'),
})
export type Walk = Deep<z.infer<typeof walkSchema>>

const verdictSchema = z.strictObject({
  case: z.string().describe('Case that has a limit'),
  limit: cost.describe('Largest ratio that is allowed'),
  ratio: cost.nullable().describe('series / base; null where it was not measured'),
  outcome: z.enum(['pass', 'fail', 'skip']).describe('skip: not resolvable, or not measured'),
  why: z.string().describe('The verdict in words'),
  patch: z.string().optional().describe('The patch that costs, where a walk named it'),
  function: z.string().optional().describe('The function whose cost grew most'),
})
export type GateVerdict = Deep<z.infer<typeof verdictSchema>>

const targetSchema = z.strictObject({
  table: z.string().describe('Title of the table of targets that it stands in'),
  what: z.string().describe('What the figure is of, for people'),
  case: z.string().describe('Case that it was measured by'),
  figure: z.string().describe("The case's unit, or the name of one of its counts"),
  base: cost.nullable().describe('At the base point; null where there is none'),
  series: cost.nullable().describe('At the series point; null where there is none'),
  ratio: cost
    .nullable()
    .describe('series / base; null where one of them is missing, or they are not resolvable'),
  bound: z
    .union([
      z.strictObject({
        atMost: z.int().min(0).describe('The most that the count may be at the series point'),
      }),
      z.strictObject({ ratio: cost.describe('The largest ratio') }),
      z.strictObject({
        fewer: z.number().min(1).describe('base / series is to be at least this; 1: any number fewer'),
      }),
    ])
    .describe('The target: one of the three'),
  outcome: z.enum(['met', 'missed', 'open']).describe('open: not measured, or not well enough to say which'),
  why: z.string().optional().describe('Why it is open, or what else there is to say'),
})
export type TargetVerdict = Deep<z.infer<typeof targetSchema>>

export const benchModeSchema = z.enum(['deterministic', 'wall-clock', 'both'])
export type BenchMode = z.infer<typeof benchModeSchema>

/** What `./phyr bench --json` prints, and what `bench/` in the cache holds. */
export const benchOutputSchema = z
  .strictObject({
    schema: z.literal(SCHEMA).describe('Version of this shape'),
    mode: benchModeSchema.describe(
      "What cases[] is measured in: instructions (deterministic, both) or time (wall-clock). With both, a case's wall has the time",
    ),
    time: timeSchema.describe('When the command began, UTC'),
    seconds: z.number().min(0).describe('Wall clock of the whole command, seconds'),
    linux: z
      .strictObject({
        version: z.string().describe('7.3.4'),
        identity: z.string().describe('Exactly which Linux this is'),
        tree: z.string().describe("Hash of the base's git tree"),
      })
      .describe('The Linux that both points are made of'),
    seriesOf: z
      .strictObject({
        name: z.string().optional().describe('Name of the series'),
        version: z.int().min(0).describe("Version of the series: the N of its next mail's `[PATCH vN]`"),
        changeId: z.string().optional().describe('Change-Id, fixed for the life of the series'),
        hash: z.string().describe("Hash over the patches' names and bytes, in order"),
        patches: z.int().min(0).describe('Patches in the series, applied or not'),
      })
      .describe('The series'),
    points: z
      .strictObject({
        base: pointSchema.describe('What is compared with'),
        series: pointSchema.describe('What is compared'),
      })
      .describe('The two kernels'),
    cases: z.array(caseSchema).describe('One a case, in the order they were asked for'),
    context: contextSchema.optional().describe('What is not a cost of an operation: sizes and layouts'),
    walk: walkSchema.optional().describe('Only with --per-patch'),
    gate: z.array(verdictSchema).optional().describe('Only with --gate'),
    targets: z
      .array(targetSchema)
      .optional()
      .describe(
        'What the series promises of these cases (qemu/bench/targets), and whether it holds; only of the whole series against its base',
      ),
    entries: z
      .record(z.string(), z.int().min(0))
      .optional()
      .describe(
        "Entries that the series needs to describe some memory, by the memory's name: 1g is 1 GiB of a 1 GiB page, thp is 1 GiB of transparent huge pages",
      ),
    host: z
      .strictObject({
        cpu: z.string().describe('Model of the CPU'),
        cpus: z.int().min(1).describe('Number of CPUs'),
        memoryBytes: z.number().min(0).describe('Memory, bytes'),
        kernel: z.string().describe("Host's own kernel release"),
        os: z.string().optional().describe('Name of the distribution'),
        arch: z.string().describe("Host's architecture"),
        load: z
          .strictObject({
            before: z.number().min(0).describe('Before the first boot'),
            after: z.number().min(0).describe('After the last'),
            highest: z.number().min(0).describe('The highest seen in between'),
          })
          .describe(
            "Processors' worth of work of others while this measured, from /proc/stat and /proc/loadavg",
          ),
      })
      .describe('The machine that measured; never its name'),
    accel: z
      .strictObject({
        deterministic: accelSchema
          .nullable()
          .describe('Always tcg, counting instructions; null when not used'),
        wallClock: accelSchema.nullable().describe('What the clock ran with; null when not used'),
      })
      .describe('Accelerators'),
    qemu: z.string().describe("QEMU's version line"),
    fio: z.string().nullable().describe("fio's version; null when no case uses it"),
    compiler: z.string().describe('Compiler of the two kernels'),
    config: z.string().describe('Name of the config of the two kernels'),
    cache: z
      .strictObject({
        base: z.int().min(0).describe('Of the base point'),
        series: z.int().min(0).describe('Of the series point'),
      })
      .describe('Boots whose measurement was taken from the store'),
    boots: z.int().min(0).describe('Boots that were made'),
    notes: z.array(z.string()).describe('What a reader should know'),
  })
  .meta({ id: 'BenchOutput' })
export type BenchOutput = Deep<z.infer<typeof benchOutputSchema>>
