// SPDX-License-Identifier: GPL-2.0-only
import type { BenchCase, Figures, FunctionCost } from '../result/bench-record.ts'
import { deterministicFigures, wallFigures } from '../result/figures.ts'
import { median } from '../result/statistics.ts'
import type { Case } from './case.ts'
import { changedFunctions, functionSpread } from './functions.ts'
import type { Measurement } from './measurement.ts'

/** Functions that a record names for a case. */
const MOST_FUNCTIONS = 10

/** Measurements of the two points; undefined where that mode was not asked for. */
export interface Measured {
  readonly counts: readonly [readonly Measurement[], readonly Measurement[]] | undefined
  readonly times: readonly [readonly Measurement[], readonly Measurement[]] | undefined
  /** Why times are not to be trusted: the host was busy. */
  readonly distrust: string | undefined
}

/**
 * The cases with their figures, as the record has them. One that others are against, and that the base cannot do, has
 * nothing to be compared with: it is in the figures of those others alone.
 */
export function benchCases(cases: readonly Case[], measured: Measured): BenchCase[] {
  const others = new Set(cases.map((one) => one.against))
  return figuresOf(cases, measured).filter(
    ({ name, samples: { base, series } }) => !others.has(name) || base.length > 0 || series.length === 0,
  )
}

function figuresOf(cases: readonly Case[], measured: Measured): BenchCase[] {
  return cases.map((one) => {
    const times = measured.times && comparedBoots(one, measured.times)
    const counts = measured.counts && comparedBoots(one, measured.counts)
    const other = cases.find((c) => c.name === one.against)
    const about = {
      name: one.name,
      what: one.what,
      ...(other ? { against: { case: other.name, what: other.what } } : {}),
    }
    const time = times && timeFigures(one, times, measured.distrust)
    if (!counts) return { ...about, ...time! }
    const count = countFigures(one, counts)
    const functions = functionsBetween(one, counts)
    return {
      ...about,
      ...count,
      ...userPair(one, counts),
      ...(functions.length > 0 ? { functions } : {}),
      ...countsOf(one, counts),
      ...(time ? { wall: time } : {}),
    }
  })
}

/** The boots that a case's figures are from: of one against another, both are the series point's. */
function comparedBoots(
  { name, against }: Case,
  [base, series]: readonly [readonly Measurement[], readonly Measurement[]],
): readonly [readonly Measurement[], readonly Measurement[]] {
  return against === undefined ? [base, series] : [series.map((m) => underName(m, against, name)), series]
}

/** What a boot measured of one case, as if it were another. */
function underName(measurement: Measurement, from: string, to: string): Measurement {
  const one = <T>(values: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(values).flatMap(([key, value]): [string, T][] =>
        key === from || key.startsWith(`${from} `) ? [[`${to}${key.slice(from.length)}`, value]] : [],
      ),
    )
  const { costs, times, counts } = measurement
  return { ...measurement, costs: one(costs), times: one(times), counts: one(counts) }
}

/** The entries of the record: of the cases that name theirs, what they counted at the series point. */
export function entriesOf(
  cases: readonly Case[],
  recorded: readonly Pick<BenchCase, 'name' | 'counts'>[],
): Record<string, number> {
  return Object.fromEntries(
    cases.flatMap((one): [string, number][] => {
      const count = recorded.find((c) => c.name === one.name)?.counts?.['entries']?.series ?? null
      return one.entries === undefined || count === null ? [] : [[one.entries, count]]
    }),
  )
}

/** What a case counted beside instructions: the largest of the boots of each point. */
function countsOf(
  one: Case,
  points: readonly [readonly Measurement[], readonly Measurement[]],
): Pick<BenchCase, 'counts'> {
  const [base, series] = points.map((measurements) => {
    const counts = new Map<string, number>()
    for (const [key, value] of measurements.flatMap((m) => Object.entries(m.counts))) {
      const name = key.startsWith(`${one.name} `) ? key.slice(one.name.length + 1) : undefined
      if (name !== undefined) counts.set(name, Math.max(value, counts.get(name) ?? 0))
    }
    return counts
  }) as [Map<string, number>, Map<string, number>]
  const names = [...new Set([...base.keys(), ...series.keys()])].toSorted()
  if (names.length === 0) return {}
  const pair = (name: string) => ({ base: base.get(name) ?? null, series: series.get(name) ?? null })
  return { counts: Object.fromEntries(names.map((name) => [name, pair(name)])) }
}

/** Costs of a case at one point in instructions, one a boot that has one. */
export function countSamples(one: Case, measurements: readonly Measurement[]): number[] {
  return measurements.flatMap(({ costs }) => {
    const cost = costs[one.name]
    return cost === undefined || typeof cost === 'string' ? [] : [cost.kernel]
  })
}

/** The functions whose cost changed between two points by more than it does from boot to boot of either. */
export function functionsBetween(
  one: Case,
  [base, series]: readonly [readonly Measurement[], readonly Measurement[]],
): FunctionCost[] {
  const repeats = [functionRepeats(one, base), functionRepeats(one, series)] as const
  return changedFunctions(medians(repeats[0]), medians(repeats[1]), MOST_FUNCTIONS, functionSpread(repeats))
}

function functionRepeats(one: Case, measurements: readonly Measurement[]): Map<string, number>[] {
  return measurements.flatMap(({ costs }) => {
    const cost = costs[one.name]
    return cost === undefined || typeof cost === 'string' ? [] : [new Map(Object.entries(cost.functions))]
  })
}

function medians(repeats: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const names = new Set(repeats.flatMap((functions) => [...functions.keys()]))
  return new Map(
    [...names].map((name) => [name, median(repeats.map((functions) => functions.get(name) ?? 0))]),
  )
}

function userPair(
  one: Case,
  counts: readonly [readonly Measurement[], readonly Measurement[]],
): Pick<BenchCase, 'user'> {
  const [base, series] = counts.map((measurements) =>
    measurements.flatMap(({ costs }) => {
      const cost = costs[one.name]
      return cost === undefined || typeof cost === 'string' ? [] : [cost.user]
    }),
  )
  if (!base?.length || !series?.length) return {}
  return { user: { base: median(base), series: median(series) } }
}

/** Figures of a case in instructions, from any two sets of boots. */
export function countFigures(
  one: Case,
  [base, series]: readonly [readonly Measurement[], readonly Measurement[]],
): Figures {
  const figures = deterministicFigures({
    unit: `instructions/${one.operation}`,
    base: countSamples(one, base),
    series: countSamples(one, series),
  })
  return withReason(
    figures,
    [...base, ...series].map(({ costs }) => costs[one.name]),
  )
}

function timeFigures(
  one: Case,
  [base, series]: readonly [readonly Measurement[], readonly Measurement[]],
  distrust: string | undefined,
): Figures {
  // Boots that were made one beside the other are a pair: one without its partner is dropped.
  const pairs = base.flatMap(({ times }, i): [number, number][] => {
    const [a, b] = [times[one.name], series[i]?.times[one.name]]
    return typeof a === 'number' && typeof b === 'number' ? [[a, b]] : []
  })
  const figures = wallFigures({
    unit: `ns/${one.operation}`,
    base: pairs.map(([a]) => a),
    series: pairs.map(([, b]) => b),
    ...(distrust === undefined ? {} : { distrust }),
  })
  if (!one.clock) return { ...figures, why: 'not timed: too short for a clock' }
  return withReason(
    figures,
    [...base, ...series].map(({ times }) => times[one.name]),
  )
}

/** What the guest said why there is no figure goes before what the arithmetic says. */
function withReason(figures: Figures, values: readonly unknown[]): Figures {
  const reason = values.find((value) => typeof value === 'string')
  return reason === undefined ? figures : { ...figures, resolvable: false, why: reason }
}
