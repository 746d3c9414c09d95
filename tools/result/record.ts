// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'
import type { BaseIdentity } from '../base/base.ts'
import type { Series } from '../series/series.ts'
import { EXIT, type Finding, type LabError } from '../lib/errors.ts'
import {
  SCHEMA,
  accelSchema,
  contradiction,
  fioSchema,
  keySchema,
  outcomeSchema,
  timeSchema,
  variablesSchema,
  type Deep,
  type Outcome,
  type RunResult,
} from './result.ts'

const count = z.int().min(0).max(1e9)
const seconds = z.number().min(0)
const hash = z.string().regex(/^[0-9a-f]{12,64}$/)

export const recordBaseSchema = z.strictObject({
  version: z.string().describe("Version from the tree's Makefile, for example 7.3.4"),
  provider: z.enum(['debian', 'git', 'tarball']).describe('Where the base came from'),
  identity: z.string().describe('Exactly which Linux this is, in one line; the parts are the keys below'),
  tree: hash.optional().describe("Hash of the base's git tree: the same sources give the same hash"),
  commit: hash.optional().describe("The user's commit, or the one that phyr made of a package or tarball"),
  package: z
    .strictObject({
      name: z.string().describe('Binary package'),
      version: z.string().describe("Package's version"),
      sha256: hash.describe("Package's SHA-256"),
    })
    .optional()
    .describe('Only for provider debian'),
  archive: z
    .strictObject({
      name: z.string().describe('File name'),
      sha256: hash.describe("File's SHA-256"),
    })
    .optional()
    .describe('Only for provider tarball'),
})

const seriesSchema = z.strictObject({
  version: z.int().min(0).describe("Version of the series: the N of its next mail's `[PATCH vN]`"),
  patches: count.describe('Number of patches'),
  name: z.string().optional().describe('Name of the series'),
  changeId: z.string().optional().describe('Change-Id, fixed for the life of the series'),
  hash: hash.optional().describe("Hash over the patches' names and bytes, in order"),
  tree: hash.optional().describe('Hash of the git tree with the series applied'),
  list: z
    .array(
      z.strictObject({
        file: z.string().describe('File name inside patches/'),
        subject: z.string().describe('Subject, without its bracket'),
        commit: hash.optional().describe('Commit it became in the tree; left out when it did not apply'),
      }),
    )
    .optional()
    .describe('The patches, in order'),
})

const kernelSchema = z.strictObject({
  key: keySchema.describe('Key of the kernel artefact: a hash over tree, config and toolchain'),
  release: z.string().describe('uname -r'),
  seconds: seconds.describe('Wall clock of the build that made it, seconds'),
  cached: z.boolean().describe('True when it was built earlier'),
  config: z.string().optional().describe('Name of the config: lab, debug, i386, i386-pae'),
  arch: z.enum(['x86_64', 'i386']).optional().describe('Architecture'),
  compiler: z.string().optional().describe("Compiler's version line"),
  configHash: z.string().optional().describe('Hash of the final .config'),
  allocatedHash: z
    .string()
    .optional()
    .describe('SHA-256 over the sections that are loaded: equal means the same code and data'),
  bytes: z
    .strictObject({
      image: count.describe('The file that QEMU boots'),
      text: count.describe('Code'),
      data: count.describe('Initialised data'),
      bss: count.describe('Zeroed data'),
    })
    .optional()
    .describe('Sizes, bytes'),
  warnings: count.optional().describe('Lines of compiler warnings'),
})

const runLineSchema = z.strictObject({
  machine: z.string().describe('Machine'),
  suite: z.string().describe('Suite'),
  variables: variablesSchema
    .optional()
    .describe("Values of the suite's variables: what the script was told, by default or by --long and --set"),
  outcome: outcomeSchema.describe('Verdict of this run'),
  passed: count.describe('Tests and fio jobs that passed'),
  failed: count.describe('Tests and fio jobs that failed or crashed'),
  skipped: count.describe('Tests and fio jobs that were skipped'),
  seconds: seconds.describe('Wall clock of the run when it was run, seconds'),
  log: z.string().describe('Path of the console file'),
  key: keySchema.optional().describe('Key of the stored result, `results/<key>.json` in the cache'),
  cached: z.boolean().optional().describe('True when the stored result was taken and nothing was booted'),
  reasons: z.array(z.string()).optional().describe('Why it is not a pass, most telling first'),
  notes: z.array(z.string()).optional().describe('What a reader should know and is no fault'),
  splats: z.array(z.string()).optional().describe("Headlines of the kernel's complaints"),
  end: z.enum(['done', 'panic', 'hang', 'reset']).optional().describe('How the boot ended'),
  bootMs: z.number().min(0).optional().describe('From starting QEMU to init, milliseconds'),
})
export type RunLine = Deep<z.infer<typeof runLineSchema>>

const findingSchema = z.strictObject({
  stage: z.enum(['apply', 'config', 'build', 'series']).describe('Stage that could not go on'),
  message: z.string().describe('What is wrong'),
  blame: z.string().nullable().describe('Patch file or fragment at fault; null where none could be named'),
  detail: z.array(z.string()).describe("Lines for the reader: the hunk, the compiler's message"),
})

const hostSchema = z.strictObject({
  os: z.string().optional().describe('Name of the distribution'),
  kernel: z.string().optional().describe("Host's own kernel release"),
  arch: z.string().optional().describe("Host's architecture"),
  cpu: z.string().optional().describe('Model of the CPU'),
  cpus: z.int().min(1).optional().describe('Number of CPUs'),
  memoryBytes: z.number().min(0).optional().describe('Memory, bytes'),
})

const versionsSchema = z.strictObject({
  phyr: z.string().optional().describe('This tool'),
  node: z.string().optional().describe('Node.js'),
  qemu: z.string().optional().describe('QEMU'),
  fio: z.string().optional().describe('fio in the guest'),
})

/** What `./phyr run --json` prints, and what `records/` in the cache holds. */
export const runOutputSchema = z
  .strictObject({
    schema: z.literal(SCHEMA).describe('Version of this shape'),
    outcome: outcomeSchema.describe(
      'fail when any run failed or a stage before the runs could not go on; skip when nothing failed and nothing passed; else pass',
    ),
    base: recordBaseSchema.describe('The Linux that the series was applied to'),
    series: seriesSchema.describe('The series under test'),
    kernel: kernelSchema.nullable().describe('The kernel that was booted; null when there is a finding'),
    accel: accelSchema.nullable().describe('Accelerator; null when nothing was to be booted'),
    runs: z.array(runLineSchema).describe('One a boot, in the order they were asked for'),
    fio: z.array(fioSchema).describe('One a fio job'),
    report: z.string().nullable().describe('Path of the HTML page; null when none was written'),
    finding: findingSchema
      .optional()
      .describe('Only when a stage before the runs failed; outcome is then fail and runs is empty'),
    time: timeSchema.optional().describe('When the command began, UTC'),
    seconds: seconds.optional().describe('Wall clock of the whole command, seconds'),
    host: hostSchema.optional().describe('The machine that phyr ran on; never its name'),
    versions: versionsSchema.optional().describe('Versions of the tools'),
  })
  .superRefine((r, ctx) => {
    const say = (message: string, path: (string | number)[]): void => {
      ctx.addIssue({ code: 'custom', message, path })
    }
    for (const [i, run] of r.runs.entries()) {
      const bad = contradiction(run)
      if (bad) say(bad, ['runs', i])
    }
    if (r.finding && r.runs.length > 0) say('there is a finding, and runs', ['finding'])
    const is = r.finding ? 'fail' : outcomeOf(r.runs)
    if (r.outcome !== is) say(`outcome is ${r.outcome}, the runs say ${is}`, ['outcome'])
    if (r.outcome === 'pass' && r.fio.some((f) => f.verified === false))
      say('outcome is pass, and a fio job did not verify', ['outcome'])
    if (r.runs.length > 0 && (!r.kernel || !r.accel))
      say('there are runs, and no kernel or accel', ['kernel'])
  })
  .meta({ id: 'RunOutput' })
export type RunOutput = Deep<z.infer<typeof runOutputSchema>>

/** What `--json` prints when the lab broke (exit code 125). */
export const errorOutputSchema = z
  .strictObject({
    schema: z.literal(SCHEMA).describe('Version of this shape'),
    error: z
      .strictObject({
        what: z.string().describe('What happened'),
        why: z.string().describe('Why'),
        fix: z.string().describe('What to do'),
        detail: z.array(z.string()).optional().describe('More lines: the end of a log'),
      })
      .describe('The lab broke. Says nothing about the series'),
  })
  .meta({ id: 'ErrorOutput' })
export type ErrorOutput = Deep<z.infer<typeof errorOutputSchema>>

/** Everything that `./phyr run --json` may print. */
export const printedSchema = z.union([runOutputSchema, errorOutputSchema])

/** Outcome of several runs: one failure fails, nothing that passed is a skip. */
export function outcomeOf(runs: readonly { readonly outcome: Outcome }[]): Outcome {
  if (runs.some((r) => r.outcome === 'fail')) return 'fail'
  return runs.some((r) => r.outcome === 'pass') ? 'pass' : 'skip'
}

/** Exit code of a verb whose answer is `output`. */
export function exitCodeOf(output: RunOutput | ErrorOutput): number {
  return 'error' in output ? EXIT.lab : EXIT[output.outcome]
}

/** The line of a run in the record; `cached` when the result was there already and nothing was booted. */
export function runLine(result: RunResult, cached: boolean): RunLine {
  return {
    machine: result.machine,
    suite: result.suite,
    ...(result.variables === undefined ? {} : { variables: result.variables }),
    outcome: result.outcome,
    passed: result.passed,
    failed: result.failed,
    skipped: result.skipped,
    seconds: result.seconds,
    log: result.log,
    key: result.key,
    cached,
    reasons: result.reasons,
    ...(result.notes === undefined ? {} : { notes: result.notes }),
    splats: result.splats.map((s) => s.title),
    end: result.end,
    ...(result.ms.init === undefined ? {} : { bootMs: result.ms.init }),
  }
}

/** A broken lab as `--json` prints it. */
export function errorOutput(error: LabError): ErrorOutput {
  const { what, why, fix, detail } = error
  return { schema: SCHEMA, error: { what, why, fix, ...(detail.length > 0 ? { detail } : {}) } }
}

/** A finding as the record holds it. */
export function findingOf(error: Finding): NonNullable<RunOutput['finding']> {
  return { stage: error.stage, message: error.message, blame: error.blame ?? null, detail: error.detail }
}

/** What says in a record which series it is of; `hash` changes with any byte of a patch. */
export function seriesIdentity(
  series: Series,
): Pick<Series, 'name' | 'changeId' | 'version' | 'hash'> & { patches: number } {
  const { name, changeId, version } = series
  return { name, changeId, version, hash: series.hash, patches: series.patches.length }
}

/** The base's part of the record. */
export function baseOf(identity: BaseIdentity): RunOutput['base'] {
  const from = identity.package
    ? `${identity.package.name} ${identity.package.version}`
    : identity.archive
      ? identity.archive.name
      : `commit ${identity.commit}`
  return {
    version: identity.version,
    provider: identity.provider,
    identity: `Linux ${identity.version} from ${from}, tree ${identity.tree}`,
    tree: identity.tree,
    commit: identity.commit,
    ...(identity.package ? { package: identity.package } : {}),
    ...(identity.archive ? { archive: identity.archive } : {}),
  }
}
