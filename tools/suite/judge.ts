// SPDX-License-Identifier: GPL-2.0-only
import type { BootOutcome } from '../machine/boot.ts'
import { fioPins, fioSections, parseFio, type FioResult } from './fio.ts'
import { parseKtap, type KtapCounts, type KtapRun, type KtapTest } from './ktap.ts'
import type { Suite } from './suite.ts'

export interface SuiteResult {
  readonly outcome: 'pass' | 'fail' | 'skip'
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly crashed: number
  /** What ran, as a tree; for fio one test a job. */
  readonly tests: readonly KtapTest[]
  readonly fio: readonly FioResult[]
  /** Why it did not pass, the most telling first; empty for a pass. */
  readonly reasons: readonly string[]
}

/** How many tests are named in the reasons; the tree has them all. */
const NAMED = 20

/**
 * The verdict on one boot: pass only when the guest came to its own end with status 0, the kernel complained of
 * nothing, at least one test ran, every test that was announced has a result, and none of them failed. Skip only
 * when everything was skipped and says why.
 *
 * @param options.console the console's text: a kunit suite's KTAP is in it.
 * @param options.results the results port's text, for every other suite.
 */
export function judge(options: {
  readonly suite: Pick<Suite, 'kind' | 'files'>
  readonly boot: Pick<BootOutcome, 'end' | 'status' | 'deadline' | 'splats'>
  readonly console: string
  readonly results: string
}): SuiteResult {
  const { suite, boot } = options
  const read = suite.kind === 'fio' ? readFio(suite, options.results) : undefined
  const ktap = read ? undefined : parseKtap(suite.kind === 'kunit' ? options.console : options.results)
  const tests = read?.tests ?? ktap?.tests ?? []
  const counts = read?.counts ?? ktap?.cases ?? none
  const faults = [...bootFaults(boot), ...(read?.errors ?? []), ...(ktap ? ktapFaults(ktap) : [])]
  const failing = leaves(tests).filter(({ test }) => test.outcome !== 'pass' && test.outcome !== 'skip')
  const reasons = [...faults, ...named(failing.map(describe))]
  if (counts.total === 0) reasons.push('no tests ran')
  const unexplained = leaves(tests).filter(({ test }) => test.outcome === 'skip' && !test.reason)
  const allSkipped = counts.total > 0 && counts.total === counts.skipped
  if (allSkipped) reasons.push(...named(unexplained.map(({ path }) => `${path}: skipped without a reason`)))
  if (counts.failed + counts.crashed > 0 && reasons.length === 0) {
    reasons.push(`${counts.failed} failed, ${counts.crashed} crashed`)
  }
  const outcome = reasons.length > 0 ? 'fail' : allSkipped ? 'skip' : 'pass'
  if (outcome === 'skip') {
    const why = leaves(tests).map(({ path, test }) => `${path}: skipped: ${test.reason ?? ''}`)
    reasons.push(...(why.length > 0 ? named(why) : ['everything was skipped']))
  }
  const { passed, failed, skipped, crashed } = counts
  return { outcome, passed, failed, skipped, crashed, tests, fio: read?.fio ?? [], reasons }
}

const none: KtapCounts = { passed: 0, failed: 0, crashed: 0, skipped: 0, errors: 0, total: 0 }

function bootFaults(boot: Pick<BootOutcome, 'end' | 'status' | 'deadline' | 'splats'>): string[] {
  const faults = boot.splats.map((s) => `kernel: ${s.title}`)
  if (boot.end === 'hang') faults.push(`the guest hung (deadline: ${boot.deadline ?? 'unknown'})`)
  else if (boot.end === 'panic') faults.push('the kernel panicked')
  else if (boot.end === 'reset') faults.push('the guest ended without its token')
  else if (boot.status !== 0) faults.push(`the guest's script ended with status ${boot.status ?? 'unknown'}`)
  return faults
}

/** Faults of the log itself, the test that was running when it was cut off first. */
function ktapFaults(run: KtapRun): string[] {
  const faults = [...run.errors]
  if (run.lastStarted !== undefined) faults.unshift(`the log is cut off in ${run.lastStarted}`)
  const walk = (tests: readonly KtapTest[], path: string): void => {
    for (const test of tests) {
      const here = join(path, test.name)
      // A crashed test is named with its reason anyway.
      if (test.outcome !== 'crashed' || test.children.length > 0)
        faults.push(...test.errors.map((e) => `${here}: ${e}`))
      // The leaves are named later; what their parent says besides ("TIMEOUT 45 seconds") would be lost.
      if (isBad(test) && test.children.length > 0 && test.reason) faults.push(`${here}: ${test.reason}`)
      walk(test.children, here)
    }
  }
  walk(run.tests, '')
  return named(faults)
}

/** Tests without subtests, and parents that failed although no test below them did. */
function leaves(tests: readonly KtapTest[], path = ''): { path: string; test: KtapTest }[] {
  return tests.flatMap((test) => {
    const here = join(path, test.name)
    const below = leaves(test.children, here)
    const own = below.length === 0 || (isBad(test) && !below.some((l) => isBad(l.test)))
    return own ? [...below, { path: here, test }] : below
  })
}

function isBad(test: KtapTest): boolean {
  return test.outcome === 'fail' || test.outcome === 'crashed'
}

function describe({ path, test }: { path: string; test: KtapTest }): string {
  const word = {
    fail: 'failed',
    crashed: 'crashed',
    'no-tests': 'ran no tests',
    pass: 'passed',
    skip: 'skipped',
  }
  return `${path}: ${word[test.outcome]}${test.reason ? `: ${test.reason}` : ''}`
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function named(list: readonly string[]): string[] {
  return list.length <= NAMED ? [...list] : [...list.slice(0, NAMED), `and ${list.length - NAMED} more`]
}

/**
 * Reads a fio suite's results: every job of every file must be there, every verify must have verified, and no page
 * may be left pinned.
 */
function readFio(
  suite: Pick<Suite, 'files'>,
  text: string,
): { fio: FioResult[]; tests: KtapTest[]; counts: KtapCounts; errors: string[] } {
  const sections = fioSections(text)
  const errors: string[] = []
  const fio: FioResult[] = []
  const tests: KtapTest[] = []
  for (const file of suite.files) {
    const section = sections.find((s) => s.file === file.file)
    if (!section) errors.push(`${file.file}: no output in the results`)
    else if (section.status === undefined) errors.push(`${file.file}: its output is cut off`)
    else if (section.status !== 0) errors.push(`${file.file}: fio ended with status ${section.status}`)
    const output = section ? parseFio(section.text) : { results: [], errors: [] }
    errors.push(...output.errors.map((e) => `${file.file}: ${e}`))
    fio.push(...output.results)
    for (const job of file.jobs) {
      tests.push(
        jobTest(
          file.file,
          job,
          output.results.find((r) => r.job === job),
        ),
      )
    }
  }
  if (!fio.some((r) => r.verified)) errors.push('no job verified its data')
  const pins = fioPins(text)
  if (!pins) errors.push('the results do not say what is pinned')
  else if (pins.left !== 0) errors.push(`${pins.left} of ${pins.acquired} pages are still pinned`)
  // All jobs are direct I/O: the count is of something.
  else if (pins.acquired === 0) errors.push('no page was pinned: this was no direct I/O')
  const counted = (outcome: string): number => tests.filter((t) => t.outcome === outcome).length
  const [passed, failed, crashed] = [counted('pass'), counted('fail'), counted('crashed')]
  const counts = { passed, failed, crashed, skipped: 0, errors: errors.length, total: tests.length }
  return { fio, tests, counts, errors }
}

function jobTest(file: string, job: string, result: FioResult | undefined): KtapTest {
  const base = {
    name: `${file} ${job}`,
    children: [],
    diagnostics: [],
    errors: [],
    inComment: false,
    unlisted: 0,
  }
  if (!result) return { ...base, outcome: 'crashed', reason: 'fio gave no result of it' }
  if (result.error === 84) return { ...base, outcome: 'fail', reason: 'wrong data read back (EILSEQ)' }
  if (result.error !== 0) return { ...base, outcome: 'fail', reason: `error ${result.error}` }
  if (result.verify && !result.verified)
    return { ...base, outcome: 'fail', reason: 'it did not read back its data' }
  if (result.iops === 0) return { ...base, outcome: 'fail', reason: 'it did no I/O' }
  return { ...base, outcome: 'pass' }
}
