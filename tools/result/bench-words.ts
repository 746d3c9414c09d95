// SPDX-License-Identifier: GPL-2.0-only
import type { BenchCase, BenchOutput, Figures, GateVerdict, TargetVerdict, Walk } from './bench-record.ts'
import { changeOf } from './figures.ts'
import { grouped, plural } from './format.ts'

/** What stands for a ratio that says nothing. */
export const OPEN = 'n/r'

/** A ratio for people, 3 decimals: "0.998". One that says nothing is never a number. */
export function ratioText(figures: Pick<Figures, 'ratio' | 'resolvable'>): string {
  return figures.resolvable && figures.ratio !== null ? figures.ratio.toFixed(3) : OPEN
}

/** Whether ratioText() has a number. */
export function isResolved(figures: Pick<Figures, 'ratio' | 'resolvable'>): boolean {
  return figures.resolvable && figures.ratio !== null
}

/** Why a ratio says nothing. */
export function whyOpen(figures: Figures): string {
  if (figures.why !== undefined && figures.why !== '') return figures.why
  return figures.ratio === null ? 'not measured, and no reason was recorded' : 'no reason was recorded'
}

/** Decimals of a cost: from 1000 on the unit is a thousandth, which is as much as a ratio shows. */
export function costDecimals(cost: number): number {
  const size = Math.abs(cost)
  return size >= 1000 ? 0 : size >= 100 ? 1 : 2
}

/** The part before the first slash of a case's name: cases that belong together. */
export function groupOf(name: string): string {
  return name.includes('/') ? name.slice(0, name.indexOf('/')) : name
}

/** The part of a case's name behind its group. */
export function shortName(name: string): string {
  return name.includes('/') ? name.slice(name.indexOf('/') + 1) : name
}

/** The values in the order they came, by what `of` says of them. */
export function grouping<T>(
  values: readonly T[],
  of: (value: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const group = groups.get(of(value))
    if (group) group.push(value)
    else groups.set(of(value), [value])
  }
  return groups
}

/** "phyr v3 (7 patches) on Linux 7.3.4". */
export function titleOf(output: BenchOutput): string {
  const { name, version, patches } = output.seriesOf
  return `${name ?? 'series'} v${version} (${plural(patches, 'patch', 'patches')}) on Linux ${output.linux.version}`
}

/** "14 cases: 2 cost more, 3 less, 7 the same; 2 not resolvable". */
export function summaryText(cases: readonly Figures[]): string {
  if (cases.length === 0) return 'no case was measured'
  const changes = cases.map(changeOf)
  const count = (change: (typeof changes)[number]): number => changes.filter((c) => c === change).length
  const some = (n: number, words: string): string[] => (n > 0 ? [`${n} ${words}`] : [])
  const known = [
    ...some(count('more'), count('more') === 1 ? 'costs more' : 'cost more'),
    ...some(count('less'), count('less') === 1 ? 'costs less' : 'cost less'),
    ...some(count('same'), 'the same'),
  ].join(', ')
  const parts = [known, ...some(count('unresolved'), 'not resolvable')].filter((p) => p !== '')
  return `${plural(cases.length, 'case')}: ${parts.join('; ')}`
}

/** How often was measured: "n = 5", "n = 3 to 5", with blanks that are not broken at. */
export function repeatsText(cases: readonly Figures[]): string {
  const counts = cases.map((c) => c.repeats).filter((n) => n > 0)
  if (counts.length === 0) return 'n\u00a0=\u00a00'
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  return least === most ? `n\u00a0=\u00a0${least}` : `n\u00a0=\u00a0${least}\u00a0to\u00a0${most}`
}

/** What the figures of cases[] are, and those of their wall. */
export function meaningText(output: BenchOutput): string {
  const counted =
    "Instructions of the guest's kernel per operation: the median of the repeats, and the ratio's range from all of them"
  const clock = 'time per operation: the median, and the 95\u00a0% interval of the ratio'
  if (output.mode === 'wall-clock') return `T${clock.slice(1)}. Less is better.`
  return `${counted}${output.mode === 'both' ? `; ${clock}` : ''}. Less is better.`
}

/** The accelerators in words. */
export function accelText(output: BenchOutput): string {
  const { deterministic, wallClock } = output.accel
  return [
    ...(deterministic ? [`counted with ${deterministic.used}`] : []),
    ...(wallClock ? [`timed with ${wallClock.used}`] : []),
  ].join(', ')
}

/** The figures by the clock: the cases' own, or those beside the instructions. */
export function wallCases(output: BenchOutput): (Figures & Pick<BenchCase, 'name' | 'against'>)[] {
  return output.cases.flatMap(({ name, against, wall }) => (wall ? [{ ...wall, name, against }] : []))
}

/** What a target asks for, as a sign and a number: "<= 512", "<= 1/1000", "<= 1.00", "< 1". */
export function boundText(bound: TargetVerdict['bound']): string {
  if ('atMost' in bound) return `<= ${grouped(bound.atMost)}`
  if ('ratio' in bound) return `<= ${bound.ratio.toFixed(2)}`
  return bound.fewer === 1 ? '< 1' : `<= 1/${grouped(bound.fewer)}`
}

/** How a target's figure changed: "0.993", and "1/17,815" when it is less than half. */
export function changeText({ ratio }: Pick<TargetVerdict, 'ratio'>): string {
  if (ratio === null) return OPEN
  if (ratio >= 0.5) return ratio.toFixed(3)
  if (ratio === 0) return '0'
  const times = 1 / ratio
  return `1/${grouped(times, times >= 100 ? 0 : times >= 10 ? 1 : 2)}`
}

/** "; at the left dma/sg-1, ...": of a case that is compared with another one in the same kernel; else ''. */
export function againstText({ against }: Pick<BenchCase, 'against'>): string {
  return against ? `; left is ${against.case} in the same kernel, ${against.what}` : ''
}

/** Whether both kernels are the same code and data, so that every difference is noise: each case is against itself. */
export function sameKernel(output: BenchOutput): boolean {
  const { points, cases } = output
  return points.base.allocatedHash === points.series.allocatedHash && !cases.some((c) => c.against)
}

/** The unit that a verdict is about: in mode both a case has two, and the verdict's reason begins with its own. */
export function unitOfVerdict(verdict: GateVerdict, cases: readonly BenchCase[]): string {
  const one = cases.find((c) => c.name === verdict.case)
  const units = one ? [one.unit, ...(one.wall ? [one.wall.unit] : [])] : []
  return units.find((unit) => verdict.why.startsWith(`${unit}:`)) ?? units[0] ?? ''
}

/**
 * Ratio of a walk's point to the one before, for people. Of a patch that was not found to cost or to save, only
 * "1.000" is a statement; everything else says nothing.
 */
export function stepRatio(walk: Walk, index: number): string {
  const step = walk.steps[index]
  const found = walk.costly.find((c) => c.number === step?.number)
  if (found) return found.ratio.toFixed(3)
  const cost = step?.cost ?? null
  const before = index === 0 ? null : (walk.steps[index - 1]?.cost ?? null)
  if (cost === null || before === null || before === 0) return '-'
  const ratio = (cost / before).toFixed(3)
  return ratio === '1.000' ? ratio : OPEN
}
