// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Base } from '../base/base.ts'
import { git } from '../base/repo.ts'
import { Finding } from '../lib/errors.ts'
import { keyOf } from '../lib/hash.ts'
import { printable } from '../lib/log.ts'
import { cacheRoot } from '../lib/paths.ts'
import type { Patch, Series } from './series.ts'
import { makeWorkTree } from './worktree.ts'

export interface Conflict {
  readonly base: Base
  readonly series: Series
  readonly patch: Patch
  /** The commit that the patch was to go on. */
  readonly onto: string
  /** What git apply wrote. */
  readonly message: string
}

/**
 * Turns a patch that does not apply into a finding: which file and hunk git rejected, and a work tree, kept, in which
 * `git am -3` was tried and stands where it stopped, so that the user can resolve it there.
 */
export async function reportConflict(
  conflict: Conflict,
  options: { readonly keepDir?: string; readonly signal?: AbortSignal } = {},
): Promise<Finding> {
  const { base, patch, onto } = conflict
  const key = keyOf({ base: base.commit, onto, patch: patch.text })
  const dir = options.keepDir ?? join(cacheRoot(), 'conflicts', key)
  // An earlier try at the same conflict may hold the user's half-done resolution: never overwritten.
  const threeWay =
    existsSync(dir) && readdirSync(dir).length > 0
      ? [`the work tree of an earlier try is kept as it is: ${dir}`]
      : await tryThreeWay(conflict, dir, options)
  const { series } = conflict
  return new Finding({
    stage: 'apply',
    message:
      `${printable(patch.file)} (patch ${patch.number} of ${series.patches.length}) does not apply to ` +
      `Linux ${base.identity.version}`,
    blame: patch.file,
    detail: [...rejections(conflict.message), ...threeWay],
  })
}

/** git apply's complaints: "patch failed: FILE:LINE" names the hunk by its first line in the old file. */
export function rejections(message: string): string[] {
  const lines: string[] = []
  for (const raw of message.split('\n')) {
    const hunk = /^error: patch failed: (.*):(\d+)$/.exec(raw)
    if (hunk) lines.push(`${printable(hunk[1] ?? '')}: the hunk at line ${hunk[2]} does not apply`)
    else if (raw.startsWith('error: ')) lines.push(printable(raw.slice('error: '.length)))
  }
  return lines.length > 0 ? lines : [printable(message.trim().split('\n').at(-1) ?? 'git apply failed')]
}

async function tryThreeWay(
  { base, patch, onto }: Conflict,
  dir: string,
  options: { readonly signal?: AbortSignal },
): Promise<string[]> {
  // The blobs that the patch was made on are in the base it was made for, when that one is in the cache.
  const others = cachedRepos().filter((repo) => repo !== base.repo)
  const gitDir = await makeWorkTree(dir, [base.repo, ...others], onto, options)
  const mail = join(gitDir, 'phyr-conflict.patch')
  writeFileSync(mail, patch.text)
  const am = await git(gitDir, [`--work-tree=${dir}`, 'am', '-3', '--keep-non-patch', mail], {
    cwd: dir,
    ...options,
  })
  rmSync(mail, { force: true })
  const unmerged = await git(gitDir, [`--work-tree=${dir}`, 'diff', '--name-only', '--diff-filter=U', '-z'], {
    cwd: dir,
  })
  const files = unmerged.stdout.split('\0').filter(Boolean)
  const kept = `the work tree is kept: ${dir}`
  if (am.code === 0) return ['git am -3 applies it: the patch only needs a refresh', kept]
  const resolve = 'resolve there, git add, git am --continue; then ./phyr refresh'
  if (files.length > 0) {
    return [...files.map((file) => `three-way merge: conflict in ${printable(file)}`), kept, resolve]
  }
  const blobs = /lacks necessary blobs|could not build fake ancestor|sha1 information is lacking/i.test(
    am.stderr + am.stdout,
  )
  const why = blobs
    ? 'no three-way merge: the file versions that the patch was made on are not in the cache (get its own base first)'
    : `no three-way merge: ${printable(lastLine(am.stderr))}`
  return [why, kept, 'apply it by hand there (git apply --reject), git add, git am --continue']
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('hint:'))
  return lines.at(-1) ?? 'git am gave no reason'
}

/** Every base repository in the cache. */
function cachedRepos(): string[] {
  const dir = join(cacheRoot(), 'base-repo')
  if (!existsSync(dir)) return []
  return readdirSync(dir)
    .filter((name) => !name.startsWith('.'))
    .map((name) => join(dir, name, 'repo.git'))
    .filter((repo) => existsSync(join(repo, 'objects')))
}
