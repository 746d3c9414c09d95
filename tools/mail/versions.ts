// SPDX-License-Identifier: GPL-2.0-only
import type { Applied } from '../series/series.ts'
import { changelogProblems, changesBetween } from './changes.ts'
import { rangeDiff } from './range-diff.ts'
import { historyOf, sentSeries, sentVersions, type Sent } from './sent.ts'

/** What earlier versions mean for the one that is to be mailed. */
export interface Versions {
  /** Covers that were sent, as b4 keeps them. */
  readonly history: Readonly<Record<string, readonly string[]>>
  /** For below the changelog; empty for a first version. */
  readonly rangeDiff: string
  /** What forbids mailing. */
  readonly problems: readonly string[]
}

/**
 * Looks at the versions that were sent: their covers, what changed since, and whether the changelog says so.
 *
 * @param patches the project's patches/.
 * @param changes the sections "Changes in vN" of the cover letter.
 */
export async function versionsOf(
  patches: string,
  applied: Applied,
  changes: string,
  resend: boolean,
  signal: AbortSignal,
): Promise<Versions> {
  const { series } = applied
  const sent = sentVersions(patches, series.changeId)
  const older = sent.filter(({ version }) => version < series.version)
  const history = historyOf(older)
  const same = sent.find(({ version }) => version === series.version)
  const problems = same ? sentAlready(same, series.hash, resend) : []
  const before = older.at(-1)
  if (series.version === 1) return { history, rangeDiff: '', problems }
  if (before?.version !== series.version - 1) {
    const lacking = `patches/sent has no v${series.version - 1}: nobody can tell what changed since`
    return {
      history,
      rangeDiff: '',
      problems: [...problems, `${lacking}; phyr mail --sent MESSAGE-ID keeps it`],
    }
  }
  const really = await changesBetween(sentSeries(before).patches, series.patches, signal)
  const diff = await rangeDiff(before, applied, signal)
  return {
    history,
    rangeDiff: diff?.text ?? '',
    problems: [...problems, ...changelogProblems(changes, series.version, really, series.patches, before)],
  }
}

function sentAlready(sent: Sent, hash: string, resend: boolean): string[] {
  if (sent.series !== hash)
    return [`v${sent.version} was sent with other patches: phyr mail --reroll makes the next version`]
  return resend ? [] : [`v${sent.version} was sent already (<${sent.messageId}>): --resend, or --reroll`]
}
