// SPDX-License-Identifier: GPL-2.0-only
import { rejections } from '../series/conflict.ts'
import type { Patch } from '../series/series.ts'
import { closure } from './closure.ts'
import type { ScratchIndex } from './scratch-index.ts'

/** That one patch cannot be applied without an earlier one, or not behind it in another order. */
export interface TextNeed {
  /** Number of the earlier patch. */
  readonly on: number
  /** Where: what git apply says when the earlier patch is missing. */
  readonly where: readonly string[]
}

/**
 * For each patch, by number, the earlier ones without which it does not apply: a smallest set, less those that come
 * along with the others.
 *
 * A patch does without an earlier one only when it applies without it *and* the earlier one, applied behind it,
 * leads to the same files: git apply may find a place for a hunk that is not the place that was meant.
 */
export async function textNeeds(
  index: ScratchIndex,
  patches: readonly Patch[],
): Promise<ReadonlyMap<number, readonly TextNeed[]>> {
  const needs = new Map<number, readonly TextNeed[]>()
  const direct = new Map<number, readonly number[]>()
  for (const patch of patches) {
    const found = await needsOf(index, patches, patch, direct)
    needs.set(patch.number, found)
    direct.set(
      patch.number,
      found.map((need) => need.on),
    )
  }
  return needs
}

async function needsOf(
  index: ScratchIndex,
  patches: readonly Patch[],
  patch: Patch,
  direct: ReadonlyMap<number, readonly number[]>,
): Promise<TextNeed[]> {
  const touched = new Set(patch.paths)
  const before = patches.filter((other) => other.number < patch.number)
  const sharing = before.filter((other) => other.paths.some((path) => touched.has(path)))
  const around = closure(
    sharing.map((other) => other.number),
    direct,
  )
  const all = before.filter((other) => around.has(other.number))
  const meant = await index.try([...all, patch])
  // The series applies as a whole, so these do; were it otherwise, nothing could be left out either.
  if (!meant.applies) return all.map((other) => ({ on: other.number, where: rejections(meant.message) }))

  let kept = new Set(all.map((other) => other.number))
  const why = new Map<number, readonly string[]>()
  for (const other of all.toReversed()) {
    if (!kept.has(other.number)) continue
    const fewer = new Set([...kept].filter((number) => !closure([number], direct).has(other.number)))
    const order = [
      ...all.filter((p) => fewer.has(p.number)),
      patch,
      ...all.filter((p) => !fewer.has(p.number)),
    ]
    const tried = await index.try(order)
    if (tried.applies && tried.tree === meant.tree) kept = fewer
    else why.set(other.number, await reasons(index, all, patch, fewer))
  }
  const implied = new Set(
    [...kept].flatMap((number) => [...closure([number], direct)].filter((one) => one !== number)),
  )
  return [...kept]
    .filter((number) => !implied.has(number))
    .toSorted((a, b) => a - b)
    .map((on) => ({ on, where: why.get(on) ?? [] }))
}

async function reasons(
  index: ScratchIndex,
  all: readonly Patch[],
  patch: Patch,
  fewer: ReadonlySet<number>,
): Promise<string[]> {
  const tried = await index.try([...all.filter((p) => fewer.has(p.number)), patch])
  return tried.applies
    ? ['the order of the two matters: they change neighbouring lines']
    : hunks(tried.message)
}

/** git says of each file that it does not apply, too; where hunks are named that adds nothing. */
function hunks(message: string): string[] {
  const all = rejections(message)
  const named = all.filter((line) => !line.endsWith(': patch does not apply'))
  return named.length > 0 ? named : all
}
