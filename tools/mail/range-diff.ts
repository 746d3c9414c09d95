// SPDX-License-Identifier: GPL-2.0-only
import { git } from '../base/repo.ts'
import { applySeries } from '../series/apply.ts'
import type { Applied } from '../series/series.ts'
import { sentSeries, type Sent } from './sent.ts'

/** Longer ones are a list of what changed in the cover letter: nobody reads 500 lines there. */
const MOST_LINES = 120

/**
 * git range-diff from the version that was sent to the one at hand, both applied to the base at hand. A text for below
 * the changelog: whole, or the list of patches alone where the whole is too long.
 *
 * @returns undefined when the sent version does not apply to this base.
 */
export async function rangeDiff(
  sent: Sent,
  applied: Applied,
  signal: AbortSignal,
): Promise<{ readonly whole: string; readonly text: string } | undefined> {
  const { base } = applied
  const before = await applySeries(base, sentSeries(sent), { signal }).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'Finding') return undefined
    throw error
  })
  if (before === undefined) return undefined
  const said = async (...more: string[]): Promise<string> => {
    const ranges = [`${base.commit}..${before.commit}`, `${base.commit}..${applied.commit}`]
    const args = ['range-diff', '--no-color', '--creation-factor=75', ...more, ...ranges]
    const { stdout } = await git(base.repo, args, { signal })
    return stdout.trimEnd()
  }
  const whole = await said()
  const long = whole.split('\n').length > MOST_LINES
  const title = `Range-diff against v${sent.version}${long ? `, without the ${whole.split('\n').length} lines of it` : ''}:`
  return { whole, text: `${title}\n${long ? await said('--no-patch') : whole}` }
}
