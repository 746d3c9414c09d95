// SPDX-License-Identifier: GPL-2.0-only
import { run } from '../lib/exec.ts'
import type { Patch, Tree } from '../series/series.ts'
import type { BuildFailure } from './failure.ts'

/**
 * The patch of the series that a build failure points at: the one that wrote the failing line (git blame), else
 * the last one that touches the failing file, else the last one that touches a file which the message names (a
 * changed header breaks the files that include it). Undefined when the series has nothing to do with any of them.
 */
export async function blamePatch(failure: BuildFailure, tree: Tree): Promise<Patch | undefined> {
  const { commits } = tree.applied
  if (commits.length === 0) return undefined
  if (failure.file !== undefined && failure.line !== undefined) {
    const author = await authorOf(tree, failure.file, failure.line)
    const found = commits.find((c) => c.commit === author)
    if (found) return found.patch
  }
  for (const file of failure.related) {
    const last = commits.findLast((c) => touches(c.patch, file))
    if (last) return last.patch
  }
  return undefined
}

/** A Makefile names the object that it cannot make: its source is the file that a patch touches. */
function touches(patch: Patch, file: string): boolean {
  const source = file.replace(/\.o$/, '')
  return patch.paths.some((path) => path === file || path.replace(/\.[cS]$/, '') === source)
}

/** The commit that a line comes from; undefined when it is the base's, or git cannot tell. */
async function authorOf(tree: Tree, file: string, line: number): Promise<string | undefined> {
  const { base, commit } = tree.applied
  const range = `${base.commit}..${commit}`
  const result = await run('git', [
    '-C',
    tree.dir,
    'blame',
    '--porcelain',
    '-L',
    `${line},${line}`,
    range,
    '--',
    file,
  ])
  const [, hash] = /^([\da-f]{40,64}) /.exec(result.stdout) ?? []
  return result.code === 0 && hash !== base.commit ? hash : undefined
}
