// SPDX-License-Identifier: GPL-2.0-only
import { log } from '../lib/log.ts'
import type { Walk, WalkStep } from '../result/bench-record.ts'
import { changeOf } from '../result/figures.ts'
import { median } from '../result/statistics.ts'
import type { Case } from './case.ts'
import { countFigures, countSamples, functionsBetween } from './cases-of.ts'
import { countPoints, type Counted } from './count-points.ts'
import { countingOf, pointAt, type Bench } from './execute.ts'
import type { Point } from './points.ts'

/**
 * Counts one case at every point from the base to the last patch of a range, and names the patches at which its cost
 * changed by more than the repeats differ.
 *
 * @param range numbers of patches applied at the first and the last point.
 * @throws Finding when a point does not apply or build.
 */
export async function walkSeries(bench: Bench, one: Case, range: readonly [number, number]): Promise<Walk> {
  const numbers = Array.from({ length: range[1] - range[0] + 1 }, (_, i) => range[0] + i)
  const points: Point[] = []
  for (const number of numbers) points.push(await pointAt(bench, number))
  const counting = await countingOf({ ...bench, cases: [one] }, points[0]!)
  const counted = await countPoints(points, counting)
  const counts = points.map((point) => counted.get(point)!)
  log.detail(
    `walk    ${points.length} points, ${new Set(points.map((p) => p.kernel.record.allocatedHash)).size} images`,
  )
  return {
    case: one.name,
    unit: `instructions/${one.operation}`,
    steps: points.map((point, i) => step(bench, one, point, counts[i]!)),
    costly: points.flatMap((point, i) =>
      i === 0 ? [] : costly(bench, one, point, counts[i - 1]!, counts[i]!),
    ),
  }
}

function step({ series }: Bench, one: Case, point: Point, { measurements, cached }: Counted): WalkStep {
  const samples = countSamples(one, measurements)
  const patch = series.patches[point.patches - 1]
  return {
    number: point.patches,
    file: patch?.file ?? null,
    subject: patch?.subject ?? null,
    cost: samples.length > 0 ? median(samples) : null,
    samples,
    kernel: point.kernel.key,
    cached: cached === measurements.length,
  }
}

function costly({ series }: Bench, one: Case, point: Point, before: Counted, after: Counted): Walk['costly'] {
  const figures = countFigures(one, [before.measurements, after.measurements])
  const change = changeOf(figures)
  const patch = series.patches[point.patches - 1]
  if (change === 'same' || change === 'unresolved' || figures.ratio === null || !patch) return []
  const functions = functionsBetween(one, [before.measurements, after.measurements])
  return [{ number: point.patches, file: patch.file, ratio: figures.ratio, functions }]
}
