// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readLayout } from '../kernel/layout.ts'
import type { BenchContext } from '../result/bench-record.ts'
import { contextGaps, contextOf, parseStructList, type ContextFacts } from '../result/bench-context.ts'
import { median } from '../result/statistics.ts'
import type { Counted } from './count-points.ts'
import type { Point } from './points.ts'

/**
 * What two kernels differ in beside costs: sizes, layouts, slab.
 *
 * @param benchDir where structs.txt is: the structures that matter.
 * @param counted undefined when nothing was counted: then there is no slab to compare.
 */
export function contextBetween(
  benchDir: string,
  points: readonly [Point, Point],
  counted: readonly [Counted, Counted] | undefined,
): { context: BenchContext; notes: readonly string[] } {
  const list = join(benchDir, 'structs.txt')
  const names = parseStructList(readFileSync(list, 'utf8'), list)
  const [base, series] = [factsOf(points[0], counted?.[0]), factsOf(points[1], counted?.[1])]
  return { context: contextOf(base, series, names), notes: contextGaps(base, series) }
}

function factsOf({ kernel }: Point, counted: Counted | undefined): ContextFacts {
  const { text, data, bss } = kernel.record.bytes
  const layout = readLayout(kernel)
  const slab = counted?.measurements.flatMap((m) => (m.slab === undefined ? [] : [m.slab])) ?? []
  return {
    bytes: { text, data, bss },
    ...(slab.length > 0 ? { slab: median(slab) } : {}),
    ...(layout ? { layout } : {}),
  }
}
