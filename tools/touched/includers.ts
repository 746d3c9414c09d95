// SPDX-License-Identifier: GPL-2.0-only
import { join, posix } from 'node:path'
import { git } from '../base/repo.ts'

/**
 * The files of a work tree that include each of these files directly, nearest first: those in the same directory,
 * then those whose path shares most with it. They are found by text, so a header of the same name elsewhere brings
 * some that include that one.
 *
 * One search of the work tree for all of them: in the repository, where every blob has to be unpacked, it takes half
 * a minute.
 */
export async function includersOf(
  tree: string,
  files: readonly string[],
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ReadonlyMap<string, readonly string[]>> {
  const out = new Map<string, readonly string[]>(files.map((file) => [file, []]))
  if (files.length === 0) return out
  const names = [...new Set(files.map((file) => posix.basename(file)))]
  // Fixed strings: the C library's regular expressions take minutes for 96,000 files.
  const strings = names.flatMap((name) => ['-e', `${name}"`, '-e', `${name}>`])
  // The work tree's own .git, so that only files of the tree are read.
  const found = await git(
    join(tree, '.git'),
    ['--work-tree=.', '-c', 'core.bare=false', 'grep', '-F', ...strings, '--', '*.c', '*.h', '*.S'],
    { cwd: tree, env: { LC_ALL: 'C' }, ...(options.signal ? { signal: options.signal } : {}) },
  )
  const byName = new Map<string, Set<string>>(names.map((name) => [name, new Set()]))
  for (const line of found.stdout.split('\n')) {
    const match = /^([^:]+):\s*#\s*include\s*[<"](?:[^">]*\/)?([^">/]+)[">]/.exec(line)
    if (match) byName.get(match[2] ?? '')?.add(match[1] ?? '')
  }
  for (const file of files) {
    const users = [...(byName.get(posix.basename(file)) ?? [])].filter(
      (path) => path !== file && mayInclude(path, file),
    )
    out.set(
      file,
      users.toSorted((a, b) => shared(b, file) - shared(a, file) || (a < b ? -1 : 1)),
    )
  }
  return out
}

/** A header that is no public one is included from its own directory or from around it. */
function mayInclude(path: string, file: string): boolean {
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
  return n
}
