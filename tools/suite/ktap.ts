// SPDX-License-Identifier: GPL-2.0-only
import { add, countTests, statusOf, tally } from './ktap-counts.ts'
import { endsLog, readLine, versionLine, withoutPrintk } from './ktap-line.ts'
import { TreeBuilder } from './ktap-tree.ts'

export interface KtapCounts {
  readonly passed: number
  readonly failed: number
  readonly crashed: number
  readonly skipped: number
  /** Faults of the log itself: a missing result, a wrong number, a suite without tests. */
  readonly errors: number
  /** Tests: passed, failed, crashed and skipped together. */
  readonly total: number
}

/** `no-tests`: a suite that ran nothing; `no-ktap`: a log without a version line. */
export type KtapStatus = 'pass' | 'fail' | 'skip' | 'crashed' | 'no-tests' | 'no-ktap'

export interface KtapTest {
  readonly name: string
  /** `crashed`: it was announced or planned, and the log has no result of it. */
  readonly outcome: Exclude<KtapStatus, 'no-ktap'>
  /** Why it was skipped, failed or taken for crashed, in the log's words or ours. */
  readonly reason?: string
  readonly children: readonly KtapTest[]
  /** Lines that belong to it: comments and the kernel's own messages in between. */
  readonly diagnostics: readonly string[]
  /** Number of subtests that its plan promised. */
  readonly planned?: number
  readonly errors: readonly string[]
  /** True for a result that its program printed as a comment (kselftest: `# ok 1 a`). */
  readonly inComment: boolean
  /** Planned subtests without a result that are not in `children` one by one; 0 but for absurd plans. */
  readonly unlisted: number
}

export interface KtapRun {
  readonly status: KtapStatus
  readonly tests: readonly KtapTest[]
  /** By the rules of the kernel's KUnit wrapper: a kselftest program is one test. */
  readonly counts: KtapCounts
  /** The same, with the results inside a program's comments counted in place of the program. */
  readonly cases: KtapCounts
  /** Faults that belong to no test; those of tests are in the tests. Both are in counts.errors. */
  readonly errors: readonly string[]
  /** Lines of the outermost level that belong to no test. */
  readonly diagnostics: readonly string[]
  /** When the log was cut off: the test that was running, as far as the log tells. */
  readonly lastStarted?: string
}

/**
 * Reads the KTAP out of a console or results log: KTAP version 1, KUnit, TAP 14 and kselftest's TAP 13, at
 * whatever indentation, with printk's times and other constant prefixes, and with the kernel's own lines in
 * between. Several documents one after the other (several programs) are added up.
 *
 * Never throws: whatever is wrong with a log is in `errors`, and every test that the log promised and did not
 * deliver is `crashed`.
 */
export function parseKtap(text: string): KtapRun {
  const documents: TreeBuilder[] = []
  const executorErrors: string[] = []
  let current: TreeBuilder | undefined
  // What stands before the version line: any text is a prefix of all lines (only its length holds for all).
  let prefix = 0
  for (const raw of text.split('\n')) {
    const line = withoutPrintk(raw.trimEnd())
    const version = versionLine(line)
    const opens = version !== undefined && (current === undefined || startsAnother(line, prefix))
    if (version && opens) {
      prefix = version.head.length
      current = new TreeBuilder()
      documents.push(current)
    } else if (current === undefined) {
      const error = /\bkunit executor: (.*)$/.exec(line)
      if (error) executorErrors.push(error[1] ?? '')
      continue
    } else if (endsLog(line)) {
      // The log may go on with another document (kselftests after a KUnit boot), never with this one.
      current = undefined
      continue
    }
    current?.take(readLine(line.slice(prefix)))
  }
  return summary(
    documents.map((d) => d.finish()),
    executorErrors,
  )
}

/** A version line at the very start of the open document's indentation begins the next document. */
function startsAnother(line: string, prefix: number): boolean {
  return versionLine(line.slice(prefix))?.head === ''
}

/** A document `1..0 # SKIP reason` counts as one test, so that the reason is seen. */
function skippedProgram(reason: string): KtapTest {
  return {
    name: 'all tests',
    outcome: 'skip',
    reason,
    children: [],
    diagnostics: [],
    errors: [],
    inComment: false,
    unlisted: 0,
  }
}

function summary(
  documents: readonly ReturnType<TreeBuilder['finish']>[],
  executorErrors: readonly string[],
): KtapRun {
  const tests = documents.flatMap((d) => (d.skipped === undefined ? d.tests : [skippedProgram(d.skipped)]))
  const errors = [...executorErrors.map((e) => `kunit executor: ${e}`), ...documents.flatMap((d) => d.errors)]
  if (documents.length === 0 && errors.length === 0) errors.push('no KTAP in the log: no version line')
  const counts = tally()
  add(counts, countTests(tests, false))
  counts.errors += errors.length
  const cases = tally()
  add(cases, countTests(tests, true))
  cases.errors += errors.length
  for (const d of documents) {
    for (const c of [counts, cases]) {
      c.crashed += d.unlisted
      c.total += d.unlisted
      c.errors += d.unlisted
    }
  }
  const lastStarted = documents.findLast((d) => d.lastStarted !== undefined)?.lastStarted
  return {
    status: documents.length === 0 ? (executorErrors.length > 0 ? 'no-tests' : 'no-ktap') : statusOf(counts),
    tests,
    counts,
    cases,
    errors,
    diagnostics: documents.flatMap((d) => d.diagnostics),
    ...(lastStarted === undefined ? {} : { lastStarted }),
  }
}
