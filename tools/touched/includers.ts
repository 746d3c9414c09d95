// SPDX-License-Identifier: GPL-2.0-only
import { posix } from 'node:path'
import { git } from '../base/repo.ts'
import type { Applied } from '../series/series.ts'

/**
 * The files of an applied series that include a file directly, nearest first: those in the same directory, then
 * those whose path shares most with it. They are found by text, so a header of the same name elsewhere brings some
 * that include that one.
 */
export async function includersOf(
  applied: Applied,
  file: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly string[]> {
  const name = posix.basename(file).replaceAll(/[.+*?()[\]{}|^$\\]/g, '\\$&')
  const pattern = `^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]([^">]*/)?${name}[">]`
  const found = await git(
    applied.base.repo,
    ['grep', '-l', '-E', '-e', pattern, applied.commit, '--', '*.c', '*.h', '*.S'],
    options.signal ? { signal: options.signal } : {},
  )
  const files = found.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(applied.commit.length + 1))
    .filter((path) => path !== file && includes(path, file))
  return files.toSorted((a, b) => shared(b, file) - shared(a, file) || (a < b ? -1 : 1))
}

/** A header that is no public one is included from its own directory or from around it. */
function includes(path: string, file: string): boolean {
  if (/^(?:tools|scripts|samples|usr|Documentation)\//.test(path)) return false
  const arch = /^arch\/([^/]+)\//.exec(file)?.[1]
  if (arch !== undefined) return !path.startsWith('arch/') || path.startsWith(`arch/${arch}/`)
  return file.startsWith('include/') || shared(path, file) > 0
}

/** How many directories two paths have in common from the root. */
function shared(a: string, b: string): number {
  const [x, y] = [posix.dirname(a).split('/'), posix.dirname(b).split('/')]
  let n = 0
  while (n < x.length && n < y.length && x[n] === y[n]) n++
  // The public header of a subsystem (include/rdma/x.h) has nothing in common with it: no better and no worse.
  return n
}
