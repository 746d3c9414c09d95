// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'
import type { Patch, Series } from './series.ts'

/**
 * Patches as the command line names them: a number, a range ("3-5", "3-" to the end), "last", or a patch's file. In the
 * order of the series, each once.
 *
 * @throws UsageError for a name that is none of these, or is not in the series.
 */
export function selectPatches(series: Series, names: readonly string[]): Patch[] {
  const count = series.patches.length
  const wanted = new Set<number>()
  for (const name of names) {
    const [from, to] = rangeOf(series, name)
    if (from < 1 || to > count || from > to) {
      throw new UsageError(
        `the series has no patch ${JSON.stringify(name)}`,
        `1 to ${count}, a range like 3-5, "last", or the file of a patch`,
      )
    }
    for (let number = from; number <= to; number++) wanted.add(number)
  }
  return series.patches.filter((patch) => wanted.has(patch.number))
}

function rangeOf(series: Series, name: string): readonly [number, number] {
  const last = series.patches.length
  if (name === 'last') return [last, last]
  const named = series.patches.find((patch) => patch.file === name)
  if (named) return [named.number, named.number]
  const [, from, dash, to] = /^(\d{1,4})(?:(-)(\d{1,4})?)?$/.exec(name) ?? []
  if (from === undefined) return [0, 0]
  if (dash === undefined) return [Number(from), Number(from)]
  return [Number(from), to === undefined ? last : Number(to)]
}
