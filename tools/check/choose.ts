// SPDX-License-Identifier: GPL-2.0-only
import { basename } from 'node:path'
import { UsageError } from '../lib/errors.ts'

/**
 * Which patches are meant by numbers (`3`), ranges (`3-7`, `3-`, `-7`) and file names, as positions from 1 in order,
 * each once; undefined when nothing is named: all.
 *
 * @throws UsageError for what names no patch.
 */
export function choosePatches(
  named: readonly string[],
  files: readonly string[],
): readonly number[] | undefined {
  if (named.length === 0) return undefined
  const chosen = new Set(named.flatMap((name) => numbersOf(name, files)))
  return [...chosen].toSorted((a, b) => a - b)
}

function numbersOf(name: string, files: readonly string[]): number[] {
  const range = /^(\d*)(-|\.\.)?(\d*)$/.exec(name)
  if (range && name !== '-' && name !== '..' && name !== '') {
    const first = range[1] === '' ? 1 : Number(range[1])
    const last = range[2] === undefined ? first : range[3] === '' ? files.length : Number(range[3])
    if (first < 1 || last > files.length || first > last)
      throw new UsageError(`there is no patch ${name}: the series has ${files.length}`)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  }
  const at = files.indexOf(basename(name))
  if (at < 0)
    throw new UsageError(`the series has no patch ${JSON.stringify(name)}`, 'give a number or a file name')
  return [at + 1]
}
