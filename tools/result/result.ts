// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'

/** Version of the result's and the record's shape. A key that changes its meaning or goes away raises it. */
export const SCHEMA = 1

/** What z.infer gives, with arrays and objects that nobody writes to: the stages hand on readonly data. */
export type Deep<T> = T extends readonly (infer U)[]
  ? readonly Deep<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Deep<T[K]> }
    : T

/** How a run or a whole record ended. A broken lab is none of these: it is an error and is never stored. */
export const outcomeSchema = z.enum(['pass', 'fail', 'skip'])
export type Outcome = z.infer<typeof outcomeSchema>

const count = z.int().min(0).max(1e9)
const ms = z.number().min(0)
export const keySchema = z.string().regex(/^[0-9a-z][0-9a-z-]{3,79}$/)
export const timeSchema = z.iso.datetime()

export const accelSchema = z.strictObject({
  used: z.enum(['kvm', 'tcg']).describe('Accelerator that QEMU ran with'),
  reason: z.string().describe('Why that one: what the probe saw, or that the user chose it'),
})

/** One test of a KTAP tree; the same shape as the parser's (tools/suite/ktap.ts). */
export interface TestNode {
  readonly name: string
  readonly outcome: 'pass' | 'fail' | 'skip' | 'crashed'
  readonly reason?: string | undefined
  readonly children: readonly TestNode[]
}

export const testNodeSchema: z.ZodType<TestNode> = z
  .strictObject({
    name: z.string().describe('Name as the test gave it'),
    outcome: z
      .enum(['pass', 'fail', 'skip', 'crashed'])
      .describe('`crashed`: the log ended inside this test, or before it'),
    reason: z.string().optional().describe('Why it was skipped or failed, where the log says so'),
    get children() {
      return z.array(testNodeSchema).describe('Subtests, in order; empty for a single test')
    },
  })
  .meta({ id: 'TestNode' })

export const splatSchema = z.strictObject({
  kind: z
    .enum([
      'panic',
      'oops',
      'bug',
      'warning',
      'lockdep',
      'kasan',
      'hung-task',
      'rcu-stall',
      'soft-lockup',
      'kmemleak',
      'dma-api',
    ])
    .describe("Sort of the kernel's complaint"),
  title: z.string().describe('Its headline'),
  lines: z
    .array(z.string())
    .describe('Its lines as the console had them, at most 80, decoded where `decoded` is true'),
  decoded: z.boolean().optional().describe('True when decode_stacktrace put file and line to the addresses'),
})

export const fioSchema = z.strictObject({
  machine: z.string().describe('Machine it ran on'),
  job: z.string().describe("Job's name in the job file"),
  rw: z.string().describe("fio's rw=: read, write, randread, randwrite, randrw, ..."),
  bs: z.string().describe("Block size as in the job file, fio's notation (binary): 4k, 1M"),
  ioengine: z.string().describe('io_uring, psync, libaio, ...'),
  iodepth: z
    .int()
    .min(1)
    .describe(
      'Requests in flight that were asked for: depth, and for engines that block the number of threads',
    ),
  iops: z.number().min(0).describe('I/O operations a second, reads and writes together'),
  bw: z.number().min(0).describe('Bandwidth, bytes a second, reads and writes together'),
  lat_p99_ns: z
    .number()
    .min(0)
    .nullable()
    .describe(
      '99th percentile of the latency from submission to completion, nanoseconds; null where fio gave none',
    ),
  verified: z
    .boolean()
    .nullable()
    .describe(
      'true: every block was read back and compared; false: the comparison failed; null: not a verify job',
    ),
  latNs: z
    .record(z.string().regex(/^(min|max|mean|p\d{1,2}(\.\d{1,6})?)$/), z.number().min(0))
    .optional()
    .describe(
      'Latency from submission to completion, nanoseconds, by name: min, mean, max, p50, p99, p99.9, ...',
    ),
  disk: z.string().optional().describe('Serial of the disk it ran on: phyr-data, phyr-null, ...'),
  bytes: z.number().min(0).optional().describe('Bytes moved'),
  ms: ms.optional().describe('Run time of the job in the guest, milliseconds'),
  error: z.string().optional().describe('What fio said when the job failed'),
})
export type FioResult = Deep<z.infer<typeof fioSchema>>

export const variablesSchema = z.record(z.string(), z.int().min(0))

export const bootMsSchema = z.strictObject({
  firstByte: ms.optional().describe('First byte on the console'),
  banner: ms.optional().describe("The kernel's version line"),
  init: ms.optional().describe('First program in the guest'),
  total: ms.describe("QEMU's end"),
})

/** Everything of one boot: what `results/<key>.json` in the cache holds. */
export const runResultSchema = z
  .strictObject({
    schema: z.literal(SCHEMA).describe('Version of this shape'),
    key: keySchema.describe('Hash of everything that the run depends on; names the file'),
    time: timeSchema.describe('When the run began, UTC'),
    machine: z.string().describe('Name of the machine file'),
    suite: z.string().describe('Name of the suite'),
    variables: variablesSchema.optional().describe("Values of the suite's variables, where it has any"),
    outcome: outcomeSchema.describe('Verdict of the run'),
    reasons: z.array(z.string()).describe('Why it is not a pass, most telling first; empty for a pass'),
    notes: z
      .array(z.string())
      .optional()
      .describe('What a reader should know and is no fault: a boot that had to be done again'),
    passed: count.describe('Tests (leaves of the tree) and fio jobs that passed'),
    failed: count.describe('Tests and jobs that failed or crashed'),
    skipped: count.describe('Tests and jobs that were skipped'),
    seconds: z.number().min(0).describe('Wall clock of the run on the host, seconds'),
    kernel: z
      .strictObject({
        key: z.string().describe('Key of the kernel artefact'),
        release: z.string().describe('uname -r'),
        config: z.string().describe('Name of the config'),
        arch: z.enum(['x86_64', 'i386']).describe('Architecture'),
      })
      .describe('Kernel that was booted'),
    accel: accelSchema.describe('Accelerator of this boot'),
    qemu: z.string().describe("QEMU's version"),
    fioVersion: z.string().optional().describe("fio's version in the guest"),
    command: z.array(z.string()).describe("QEMU's argument vector as it was run"),
    end: z
      .enum(['done', 'panic', 'hang', 'reset'])
      .describe("How the boot ended; `done`: the guest's own end printed its token"),
    status: z.int().min(0).max(100).optional().describe("Exit status of the suite's script; only for `done`"),
    deadline: z
      .enum(['first-byte', 'banner', 'init', 'total'])
      .optional()
      .describe('Deadline that passed; only for `hang`'),
    qemuExit: z.int().describe("QEMU's exit code"),
    ms: bootMsSchema.describe('Milliseconds from starting QEMU; a point not reached is left out'),
    tests: z.array(testNodeSchema).describe('KTAP tree of the suite'),
    fio: z.array(fioSchema).describe('Results of the fio jobs'),
    splats: z.array(splatSchema).describe("The kernel's complaints"),
    tail: z.array(z.string()).max(200).describe('Last lines of the console'),
    log: z.string().describe('Path of the console file'),
    results: z.string().optional().describe('Path of the file with what the suite wrote to its own port'),
  })
  .superRefine((r, ctx) => {
    const bad = contradiction(r)
    if (bad) ctx.addIssue({ code: 'custom', message: bad })
    if (r.outcome === 'pass' && r.end !== 'done')
      ctx.addIssue({ code: 'custom', message: `a run that ended by ${r.end} cannot pass` })
    if (r.outcome === 'pass' && r.splats.length > 0)
      ctx.addIssue({ code: 'custom', message: 'a run with a kernel complaint cannot pass' })
    if (r.outcome === 'pass' && r.fio.some((f) => f.verified === false))
      ctx.addIssue({ code: 'custom', message: 'a run whose data did not verify cannot pass' })
  })
  .meta({ id: 'RunResult' })
export type RunResult = Deep<z.infer<typeof runResultSchema>>

/** What contradicts itself in a run's outcome and counts, or undefined. Green needs something that passed. */
export function contradiction(run: {
  readonly outcome: Outcome
  readonly passed: number
  readonly failed: number
}): string | undefined {
  if (run.outcome === 'pass' && run.failed > 0) return `outcome is pass and ${run.failed} failed`
  if (run.outcome === 'pass' && run.passed === 0) return 'outcome is pass and nothing passed'
  if (run.outcome === 'skip' && run.failed > 0) return `outcome is skip and ${run.failed} failed`
  return undefined
}
