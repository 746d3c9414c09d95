// SPDX-License-Identifier: GPL-2.0-only
import { join, relative } from 'node:path'
import { UsageError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import { log } from '../lib/log.ts'
import type { Project } from '../lib/project.ts'
import type { Patch, Series } from '../series/series.ts'

/**
 * The patches of a project whose files differ from those that a commit of the project's repository has, and always the
 * last one: the whole series hangs on it.
 *
 * @param revision of the repository that holds patches/; options are refused.
 * @throws UsageError when the project is in no repository, or the repository does not know the revision.
 */
export async function changedSince(
  project: Project,
  revision: string,
  signal: AbortSignal,
): Promise<(series: Series) => readonly Patch[]> {
  const git = (...args: string[]): ReturnType<typeof run> =>
    run('git', ['-C', project.root, ...args], { signal })
  const commit = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`)
  if (commit.code !== 0) {
    throw new UsageError(
      `--changed: ${JSON.stringify(revision)} is no commit of ${project.root}`,
      'a branch, a tag or a hash of the repository that patches/ is in',
    )
  }
  const patches = relative(project.root, project.patches)
  const diff = await git('diff', '--name-only', '--relative', '-z', commit.stdout.trim(), '--', patches)
  const files = new Set(diff.stdout.split('\0').filter((file) => file !== ''))
  return (series) => {
    const last = series.patches.length
    const chosen = series.patches.filter(
      (patch) => patch.number === last || files.has(join(patches, patch.file)),
    )
    log.info(`prove   ${chosen.length} of ${last} patches: changed since ${revision}, and the last one`)
    return chosen
  }
}
