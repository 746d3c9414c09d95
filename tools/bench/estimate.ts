// SPDX-License-Identifier: GPL-2.0-only
import { quantile } from '../result/statistics.ts'
import type { Case } from './case.ts'
import type { Region } from './counts.ts'

/** A region and the operations in it. */
export interface Measured {
  readonly region: Region
  readonly operations: number
}

/** What one operation costs, in instructions. */
export interface Cost {
  readonly kernel: number
  readonly user: number
  /** The kernel's, by function; functions without a cost are left out. */
  readonly functions: ReadonlyMap<string, number>
}

/** Steps of the kernel's own at the beginning that are not counted; a program that marks has warmed up before. */
const WARM_UP = 20

/** Fewest steps that are worth calling several. */
const FEWEST = 3

/** Width of the band in which most of the steps lie, as a share of its lower end. */
const BAND = 0.02

/**
 * The cost of one operation, from the regions of one boot of a case.
 *
 * By slope: the first region is the warm-up, and the cost is the difference between the long and the short region over the difference of their operations, so that
 * what a region costs once (the marks themselves, fio's start) is in neither. By steps: the lowest decile of those
 * in the band of 2 % that holds most of them. Where a device answers in the host's time some steps hold more than the
 * operation (the idle task, a late wake-up) and some less (an answer that came before the task slept), how many is
 * the host's doing, and what is usual repeats: within 0.03 % on NVMe and virtio-blk at a load of 4 to 5, where the
 * mean differs by up to 6 %.
 *
 * @returns the reason as a string when there is nothing to take it from.
 */
export function costOf(one: Case, measured: readonly Measured[]): Cost | string {
  if (one.boot) return wholeCost(measured[0])
  if (one.steps) return bySteps(one.steps, measured.at(-1))
  const counted = measured.slice(1)
  const [short, long] = counted
  if (!short || !long || long.operations <= short.operations)
    return `${measured.length} regions where a warm-up, a short and a long one were to come`
  const operations = long.operations - short.operations
  const functions = new Map<string, number>()
  for (const name of new Set([...short.region.functions.keys(), ...long.region.functions.keys()])) {
    const more = (long.region.functions.get(name) ?? 0) - (short.region.functions.get(name) ?? 0)
    if (more !== 0) functions.set(name, more / operations)
  }
  const kernel = (long.region.kernel - short.region.kernel) / operations
  if (kernel <= 0) return 'the long region cost no more than the short one'
  return { kernel, user: Math.max(0, (long.region.user - short.region.user) / operations), functions }
}

/** The steps in the band that holds most of them; of several such bands the lowest. */
function densest(steps: readonly number[]): number[] {
  const sorted = steps.toSorted((a, b) => a - b)
  let [from, to] = [0, 0]
  for (let i = 0, j = 0; i < sorted.length; i++) {
    while (j < sorted.length && sorted[j]! <= sorted[i]! * (1 + BAND)) j++
    if (j - i > to - from) [from, to] = [i, j]
  }
  return sorted.slice(from, to)
}

function wholeCost(measured: Measured | undefined): Cost | string {
  if (!measured) return 'the boot was not counted'
  return { ...measured.region }
}

function bySteps(how: NonNullable<Case['steps']>, last: Measured | undefined): Cost | string {
  if (!last) return 'no region was measured'
  const marked = how.at === 'mark'
  const all = last.region.steps.get(marked ? '-' : how.at) ?? []
  const steps: number[] = []
  for (let i = marked ? 0 : WARM_UP; i + how.entries <= all.length; i += how.entries) {
    steps.push(all.slice(i, i + how.entries).reduce((sum, n) => sum + n, 0) / how.operations)
  }
  if (steps.length < FEWEST) return `${steps.length} steps at ${how.at}, at least ${FEWEST} are needed`
  const kernel = quantile(densest(steps), 0.1)
  // The functions' parts are of the whole region, brought to the operation's cost: their sum is exact, each is not.
  const scale = kernel / (last.region.kernel / last.operations)
  const functions = new Map<string, number>()
  for (const [name, count] of last.region.functions) functions.set(name, (count / last.operations) * scale)
  return { kernel, user: last.region.user / last.operations, functions }
}
