// SPDX-License-Identifier: GPL-2.0-only
import { git } from '../base/repo.ts'
import type { CheckFinding } from './check-record.ts'
import type { PatchMail } from './mail.ts'
import { said, shown } from './message-rules.ts'

/** Whether a repository has history below `commit`; a base that was made of a package or an archive has none. */
export async function hasHistory(repo: string, commit: string): Promise<boolean> {
  const counted = await git(repo, ['rev-list', '--max-count=2', '--count', commit])
  return counted.code === 0 && Number(counted.stdout) > 1
}

/**
 * Looks up the commits that well-formed Fixes trailers name. Without history nothing is guessed: a note says that
 * nobody looked.
 *
 * @param history from hasHistory().
 */
export async function fixesExist(
  mail: PatchMail,
  repo: string,
  base: string,
  history: boolean,
): Promise<CheckFinding[]> {
  const findings: CheckFinding[] = []
  for (const { name, value, line } of mail.trailers) {
    const [, hash, subject] = /^([0-9a-f]{12,40}) \("(.+)"\)$/.exec(value) ?? []
    if (name !== 'Fixes' || hash === undefined || subject === undefined) continue
    if (!history) {
      findings.push(said('note', `Fixes ${hash} was not looked up: the base has no history`, line))
      continue
    }
    const shownCommit = await git(repo, ['show', '-s', '--format=%s', `${hash}^{commit}`])
    const actual = shownCommit.stdout.replace(/\n$/, '')
    if (shownCommit.code !== 0) {
      findings.push(said('error', `Fixes names ${hash}, which the base does not have`, line))
    } else if (actual !== subject) {
      findings.push(said('error', `Fixes: the subject of ${hash} is ${shown(actual)}`, line))
    } else if ((await git(repo, ['merge-base', '--is-ancestor', hash, base])).code !== 0) {
      findings.push(said('error', `Fixes names ${hash}, which the base does not contain`, line))
    }
  }
  return findings
}
