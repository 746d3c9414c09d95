// SPDX-License-Identifier: GPL-2.0-only
import type { KtapCounts, KtapStatus, KtapTest } from './ktap.ts'

/** Counts that can still grow. */
export type Tally = { -readonly [K in keyof KtapCounts]: number }

export function tally(): Tally {
  return { passed: 0, failed: 0, crashed: 0, skipped: 0, errors: 0, total: 0 }
}

/**
 * Sums up a list of tests by the rules of the kernel's wrapper (bubble_up_test_results() in kunit_parser.py): a
 * test without subtests counts as one; a parent counts only through its subtests, except one that failed although
 * none of its subtests did (a suite's exit function, a lost result line): that is one more.
 *
 * @param inComments whether results that a program printed as comments (kselftest's `# ok 1 a`) count one by one
 *   in place of their program. The wrapper does not look at them.
 */
export function countTests(tests: readonly KtapTest[], inComments: boolean): Tally {
  const sum = tally()
  for (const test of tests) add(sum, countTest(test, inComments))
  return sum
}

function countTest(test: KtapTest, inComments: boolean): Tally {
  const below = inComments ? test.children : test.children.filter((t) => !t.inComment)
  const sum = countTests(below, inComments)
  sum.errors += test.errors.length
  const outcome = test.outcome
  if (sum.total === 0) note(sum, outcome, 1)
  else if ((outcome === 'fail' || outcome === 'crashed') && sum.failed === 0 && sum.crashed === 0)
    note(sum, outcome, 1)
  if (test.unlisted > 0) {
    note(sum, 'crashed', test.unlisted)
    sum.errors += test.unlisted
  }
  return sum
}

export function add(to: Tally, from: KtapCounts): void {
  to.passed += from.passed
  to.failed += from.failed
  to.crashed += from.crashed
  to.skipped += from.skipped
  to.errors += from.errors
  to.total += from.total
}

/** Adds `n` tests of one outcome. A test that ran nothing is none; its error is counted elsewhere. */
export function note(to: Tally, outcome: KtapTest['outcome'], n: number): void {
  if (outcome === 'no-tests') return
  to.total += n
  if (outcome === 'pass') to.passed += n
  else if (outcome === 'fail') to.failed += n
  else if (outcome === 'skip') to.skipped += n
  else to.crashed += n
}

/** The status that counts add up to: a crash before a failure before a pass before a skip. */
export function statusOf(counts: KtapCounts): Exclude<KtapStatus, 'no-ktap'> {
  if (counts.total === 0) return 'no-tests'
  if (counts.crashed > 0) return 'crashed'
  if (counts.failed > 0) return 'fail'
  return counts.passed > 0 ? 'pass' : 'skip'
}
