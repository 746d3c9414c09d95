// SPDX-License-Identifier: GPL-2.0-only
import { git, gitOk } from '../base/repo.ts'
import { UsageError } from '../lib/errors.ts'
import type { Applied, Patch } from '../series/series.ts'

/** One patch of an applied series, with the points before and after it. */
export interface Step {
  readonly patch: Patch
  readonly before: Applied
  readonly after: Applied
}

/**
 * The step that a patch of an applied series makes.
 *
 * @param patchNumber the patch's position in the series, from 1.
 * @throws UsageError when the patch is not applied.
 */
export async function stepOf(applied: Applied, patchNumber: number): Promise<Step> {
  const index = applied.commits.findIndex(({ patch }) => patch.number === patchNumber)
  const own = applied.commits[index]
  if (!own) throw new UsageError(`patch ${patchNumber} is not among the patches that were applied`)
  return { patch: own.patch, before: await pointAt(applied, index), after: await pointAt(applied, index + 1) }
}

async function pointAt(applied: Applied, count: number): Promise<Applied> {
  const commits = applied.commits.slice(0, count)
  const commit = commits.at(-1)?.commit ?? applied.base.commit
  const tree = await gitOk(applied.base.repo, ['rev-parse', `${commit}^{tree}`])
  return { ...applied, commits, commit, tree }
}

/** The text of a file at a point; undefined when it is not there. */
export async function textAt(point: Applied, path: string): Promise<string | undefined> {
  const shown = await git(point.base.repo, ['cat-file', 'blob', `${point.commit}:${path}`])
  return shown.code === 0 ? shown.stdout : undefined
}
