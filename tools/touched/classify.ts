// SPDX-License-Identifier: GPL-2.0-only
import { posix } from 'node:path'

/** What a file of the tree is to a build of the kernel. */
export type FileClass =
  | 'source'
  | 'header'
  | 'selftests'
  | 'tools'
  | 'documentation'
  | 'kconfig'
  | 'makefile'
  | 'rust'
  | 'device tree'
  | 'other'

/** The class of a path of the tree. Only `source` (.c, .S) and `header` can be compiled into an object of the kernel. */
export function classify(path: string): FileClass {
  const name = posix.basename(path)
  if (path.startsWith('Documentation/')) return 'documentation'
  if (path.startsWith('tools/testing/selftests/')) return 'selftests'
  // Programs for the host and user space; the kernel's build uses some (objtool), but not as objects of its own.
  if (/^(?:tools|scripts|samples|usr)\//.test(path)) return 'tools'
  if (name.startsWith('Kconfig')) return 'kconfig'
  if (/^(?:Makefile|Kbuild)/.test(name)) return 'makefile'
  if (/\.[cS]$/.test(name)) return 'source'
  if (name.endsWith('.h')) return 'header'
  if (name.endsWith('.rs')) return 'rust'
  if (/\.dtso?i?$/.test(name)) return 'device tree'
  return 'other'
}

/** The object that kbuild makes of a source file. */
export function objectOf(source: string): string {
  return source.replace(/\.[cS]$/, '.o')
}
