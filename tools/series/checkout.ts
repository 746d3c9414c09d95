// SPDX-License-Identifier: GPL-2.0-only
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { gitOk } from '../base/repo.ts'
import { withLock } from '../lib/lock.ts'
import { UsageError } from '../lib/errors.ts'
import { cacheRoot } from '../lib/paths.ts'
import type { Applied, Tree } from './series.ts'
import { makeWorkTree } from './worktree.ts'

export interface CheckoutOptions {
  /** Which of several work trees of the same base; builds that run side by side need one each. Default "main". */
  readonly slot?: string
  readonly signal?: AbortSignal
}

/**
 * Checks an applied series out into the cache's work tree for its base and slot, and returns it. The tree is kept
 * and moved from series to series: only files that differ get a new time stamp, so the next build is incremental.
 *
 * Somebody else may move the same tree as soon as this returns; a build runs inside withTree().
 */
export async function checkoutTree(applied: Applied, options: CheckoutOptions = {}): Promise<Tree> {
  return withTree(applied, options, async (tree) => tree)
}

/** Like checkoutTree(), and holds the work tree while `use` runs. */
export async function withTree<T>(
  applied: Applied,
  options: CheckoutOptions,
  use: (tree: Tree) => Promise<T>,
): Promise<T> {
  const { slot = 'main', signal } = options
  if (!/^[\w][\w.-]*$/.test(slot)) throw new UsageError(`"${slot}" is no name of a slot`)
  // By content, not by commit: the same sources from another provider use the same tree.
  const baseTree = await gitOk(applied.base.repo, ['rev-parse', `${applied.base.commit}^{tree}`])
  const name = `${baseTree.slice(0, 20)}-${slot}`
  const dir = join(cacheRoot(), 'trees', name)
  return withLock(join(cacheRoot(), 'locks', `trees-${name}`), async () => {
    await makeWorkTree(dir, [applied.base.repo], applied.commit, signal ? { signal } : {})
    const now = new Date()
    utimesSync(dir, now, now)
    return use({ dir, applied })
  })
}
