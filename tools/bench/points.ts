// SPDX-License-Identifier: GPL-2.0-only
import type { Base } from '../base/base.ts'
import { UsageError } from '../lib/errors.ts'
import type { Project } from '../lib/project.ts'
import type { BenchPoint } from '../result/bench-record.ts'
import { getKernel, type BuiltKernel, type KernelChoice } from '../run/kernel.ts'
import { applyTo } from '../run/sources.ts'
import type { Series } from '../series/series.ts'

/** One point of a series: the base with so many patches applied, and its kernel. */
export interface Point extends BuiltKernel {
  readonly patches: number
  readonly label: string
}

/**
 * Reads a point as the command line names it: "base", "series", a number of patches, or a patch's file (the point at
 * which that patch is the last one applied).
 *
 * @throws UsageError for anything else.
 */
export function pointOf(series: Series, name: string): number {
  if (name === 'base') return 0
  if (name === 'series') return series.patches.length
  const byFile = series.patches.findIndex((patch) => patch.file === name)
  if (byFile >= 0) return byFile + 1
  const number = /^\d{1,4}$/.test(name) ? Number(name) : Number.NaN
  if (number <= series.patches.length) return number
  throw new UsageError(
    `there is no point ${JSON.stringify(name)} in this series`,
    `base, series, 0 to ${series.patches.length} patches, or the file of a patch`,
  )
}

/** "base", "series", or "patch 3": what a table calls a point. */
export function labelOf(series: Series, patches: number): string {
  if (patches === 0) return 'base'
  return patches === series.patches.length ? 'series' : `patch ${patches}`
}

/** Applies that many patches and builds the kernel, without the series' own tests. */
export async function buildPoint(
  project: Project,
  from: { readonly base: Base; readonly series: Series },
  patches: number,
  choice: KernelChoice,
  signal: AbortSignal,
): Promise<Point> {
  const applied = await applyTo(from.base, from.series, { upTo: patches }, signal)
  const built = await getKernel(project, applied, { ...choice, tests: false }, [], signal)
  return { ...built, patches, label: labelOf(from.series, patches) }
}

/** A point as the record has it. */
export function recordedPoint(point: Point): BenchPoint {
  const { kernel } = point
  const { text, data, bss } = kernel.record.bytes
  return {
    label: point.label,
    patches: point.patches,
    kernel: kernel.key,
    release: kernel.release,
    allocatedHash: kernel.record.allocatedHash,
    bytes: { text, data, bss },
  }
}
