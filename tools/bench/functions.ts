// SPDX-License-Identifier: GPL-2.0-only
import type { FunctionCost } from '../result/bench-record.ts'

/**
 * What a function's cost may differ by without being called a change, instructions per operation: this part of the
 * whole operation, and never less than FLOOR. A tenth of the 0.1 % within which the same image must agree.
 */
const NOISE = 0.0001
const FLOOR = 0.01

/**
 * Suffixes that GCC and clang put behind a function's name when they clone it, or split off a part of it. Whether
 * and how often they do depends on callers far away, so that these names come and go without any change of the
 * function.
 */
const SUFFIX = /(?:\.(?:isra|constprop|part|lto_priv|llvm)\.\d+|\.cold(?:\.\d+)?)+$/

/** The function of the source that a symbol belongs to: `bio_put.part.0.cold` is `bio_put`. */
export function sourceFunction(symbol: string): string {
  const name = symbol.replace(SUFFIX, '')
  return name === '' ? symbol : name
}

/**
 * The functions whose own cost changed between two kernels, the largest absolute change first (then by name), at
 * most `limit` of them.
 *
 * The maps hold a symbol's own instructions per operation. Clones and split-off parts are added to their function.
 * A function that one kernel inlines is no symbol there: it is listed with a cost of 0 on that side, and its caller
 * with what it grew by, because nobody can say from the counts alone which part of the caller it is. A negative
 * cost, which the slope between two noisy lengths can give, counts as 0.
 *
 * @param spread what a function differs by between repeats of one image, see functionSpread(): no more than that is
 *   no change either. Needed where a device answers in the host's time; without one the repeats agree.
 */
export function changedFunctions(
  base: ReadonlyMap<string, number>,
  series: ReadonlyMap<string, number>,
  limit = 10,
  spread: ReadonlyMap<string, number> = new Map(),
): FunctionCost[] {
  const before = joined(base)
  const after = joined(series)
  const bound = Math.max(FLOOR, NOISE * Math.max(total(before), total(after)))
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name) => ({ name, base: before.get(name) ?? 0, series: after.get(name) ?? 0 }))
    .filter((f) => change(f) >= bound && change(f) > (spread.get(f.name) ?? 0))
    .sort((a, b) => change(b) - change(a) || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
}

/**
 * How far the cost of each function goes apart between the repeats of one image: the largest of the images, in
 * instructions per operation, by function of the source.
 *
 * @param images for each image the costs that its repeats gave, by symbol.
 */
export function functionSpread(
  images: readonly (readonly ReadonlyMap<string, number>[])[],
): Map<string, number> {
  const spread = new Map<string, number>()
  for (const repeats of images.map((maps) => maps.map(joined))) {
    for (const name of new Set(repeats.flatMap((costs) => [...costs.keys()]))) {
      const all = repeats.map((costs) => costs.get(name) ?? 0)
      spread.set(name, Math.max(spread.get(name) ?? 0, Math.max(...all) - Math.min(...all)))
    }
  }
  return spread
}

function change(f: FunctionCost): number {
  return Math.abs(f.series - f.base)
}

function joined(costs: ReadonlyMap<string, number>): Map<string, number> {
  const sums = new Map<string, number>()
  for (const [symbol, cost] of costs) {
    const name = sourceFunction(symbol)
    sums.set(name, (sums.get(name) ?? 0) + cost)
  }
  // Only now: a clone's slope may be negative because another clone of the function took its calls.
  for (const [name, cost] of sums) if (cost < 0) sums.set(name, 0)
  return sums
}

function total(costs: ReadonlyMap<string, number>): number {
  let sum = 0
  for (const cost of costs.values()) sum += cost
  return sum
}
