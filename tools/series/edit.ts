// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gitOk } from '../base/repo.ts'
import { UsageError } from '../lib/errors.ts'
import type { Applied } from './series.ts'
import { makeWorkTree } from './worktree.ts'

/** What an edit tree was made from: read by refresh. */
export interface EditState {
  readonly base: string
  readonly commits: readonly { readonly file: string; readonly commit: string }[]
}

/**
 * Opens a work tree for the user in `dir`, with the series as commits on the branch `phyr`; it is the user's from
 * then on, to rebase, amend and add to, and refreshSeries() writes its commits back. The base's objects are borrowed
 * from the cache, which must not be trimmed of that base while the tree is in use (running `./phyr apply` again
 * brings it back).
 *
 * @throws UsageError when `dir` has something in it.
 */
export async function editTree(
  applied: Applied,
  dir: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  const tree = resolve(dir)
  if (existsSync(tree) && readdirSync(tree).length > 0) {
    throw new UsageError(
      `${tree} is not empty`,
      'give a new directory, or refresh what is there: ./phyr refresh',
    )
  }
  const gitDir = await makeWorkTree(tree, [applied.base.repo], applied.commit, options)
  await gitOk(gitDir, ['update-ref', 'refs/heads/phyr', applied.commit])
  await gitOk(gitDir, ['symbolic-ref', 'HEAD', 'refs/heads/phyr'])
  await gitOk(gitDir, ['tag', 'phyr-base', applied.base.commit])
  const state: EditState = {
    base: applied.base.commit,
    commits: applied.commits.map(({ patch, commit }) => ({ file: patch.file, commit })),
  }
  writeFileSync(join(gitDir, 'phyr-edit.json'), `${JSON.stringify(state, null, 2)}\n`)
  return tree
}
