// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { LabError } from '../lib/errors.ts'
import { LOADER_DIRS } from './closure.ts'

/**
 * Host files and directories that a program opens by name while it runs, and that nothing in the program tells: drivers
 * that a library loads (libibverbs/librxe-*.so), the settings that name them, the modules of an interpreter.
 *
 * @param pattern an absolute path, or one below a directory of the loader: the first directory that has it counts, as
 *   for the loader. `*` in the last part stands for any part of a name (the version of an interface).
 * @throws LabError when there is none.
 */
export function findCarried(pattern: string, dirs: readonly string[] = LOADER_DIRS): string[] {
  const places = isAbsolute(pattern) ? [pattern] : dirs.map((dir) => join(dir, pattern))
  for (const place of places) {
    const files = matching(dirname(place), basename(place))
    if (files.length > 0) return files
  }
  throw new LabError({
    what: `cannot put ${pattern} into the guest`,
    why: 'there is no such file on this machine',
    fix: 'run ./phyr doctor --install, or install it and try again',
  })
}

function matching(dir: string, name: string): string[] {
  if (!existsSync(dir)) return []
  const wanted = new RegExp(`^${name.split('*').map(literally).join('.*')}$`)
  return readdirSync(dir)
    .filter((file) => wanted.test(file))
    .toSorted()
    .map((file) => join(dir, file))
}

/** A text as a regular expression for itself. */
function literally(text: string): string {
  return text.replaceAll(/[^\w]/g, String.raw`\$&`)
}
