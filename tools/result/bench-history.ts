// SPDX-License-Identifier: GPL-2.0-only
import type { BenchCase, BenchOutput, Figures } from './bench-record.ts'
import { groupOf, grouping, isResolved, ratioText, shortName, whyOpen } from './bench-words.ts'
import { tooMuchLoad, whyNotComparable } from './comparable.ts'
import { deterministicFigures, wallFigures, type Samples } from './figures.ts'
import { MAIL_WIDTH, textTable, wrap } from './plain-text.ts'

/** One case in one record. */
export interface TrendPoint {
  /** Position in the list of records, from 0. */
  readonly at: number
  readonly figures: Figures
  /** Why no line leads here from the case's point before; empty where one does, and at the first. */
  readonly broken: readonly string[]
}

export interface Trend {
  readonly name: string
  readonly unit: string
  readonly points: readonly TrendPoint[]
}

/**
 * The cases of several records, oldest first, in the order of the newest record. Points of a case that were measured
 * in another unit start a trend of their own. Cases that only one record has are left out: they are no trend.
 */
export function trendsOf(records: readonly BenchOutput[]): Trend[] {
  const newestFirst = records.toReversed()
  const keys = new Set(newestFirst.flatMap((r) => r.cases.map((c) => `${c.unit} ${c.name}`)))
  return [...keys].flatMap((key) => {
    const points: TrendPoint[] = []
    let name = ''
    let unit = ''
    for (const [at, record] of records.entries()) {
      const one = record.cases.find((c) => `${c.unit} ${c.name}` === key)
      if (one === undefined || one.series === null) continue
      ;({ name, unit } = one)
      const before = records[points.at(-1)?.at ?? -1]
      points.push({ at, figures: one, broken: before ? whyNotComparable(before, record) : [] })
    }
    return points.length > 1 ? [{ name, unit, points }] : []
  })
}

/**
 * What changed from one record to another, in the shape of a record: its base point is the older one's series. The
 * caller has asked whyNotComparable().
 *
 * Where both records have the same image as their base, it was measured twice, and a difference of that is no change
 * of the series: beyond 0.1 % in instructions the case says nothing.
 */
export function compareRecords(older: BenchOutput, newer: BenchOutput): BenchOutput {
  const { context: _, walk: __, gate: ___, entries: ____, targets: _____, ...rest } = newer
  const clock = newer.mode === 'both' && whyNotComparable(older, newer, 'wall-clock').length === 0
  const before = { ...older.points.series, label: 'before' }
  const now = { ...newer.points.series, label: 'now' }
  const pair = (of: 'text' | 'data' | 'bss'): { base: number; series: number } => ({
    base: before.bytes[of],
    series: now.bytes[of],
  })
  return {
    ...rest,
    mode: newer.mode === 'both' && !clock ? 'deterministic' : newer.mode,
    points: { base: before, series: now },
    cases: comparedCases(older, newer, clock),
    context: { text: pair('text'), data: pair('data'), bss: pair('bss'), structs: [] },
    notes: [`before: ${recordName(older)}, ${older.time}`, `now: ${recordName(newer)}, ${newer.time}`],
  }
}

function comparedCases(older: BenchOutput, newer: BenchOutput, clock: boolean): BenchCase[] {
  const distrust = [older, newer].map((r) => tooMuchLoad(r.host.load)).find((w) => w !== undefined)
  return newer.cases.flatMap((now): BenchCase[] => {
    const then = older.cases.find((c) => c.name === now.name && c.unit === now.unit)
    if (then === undefined) return []
    const timed = newer.mode === 'wall-clock'
    const figures = timed
      ? wallFigures({ ...between(then, now), distrust })
      : deterministicFigures(between(then, now))
    const why = whyOpenNow(older, newer, then, now)
    return [
      {
        name: now.name,
        what: now.what,
        ...figures,
        ...(why === undefined ? {} : { resolvable: false, why }),
        ...(clock && then.wall && now.wall
          ? { wall: wallFigures({ ...between(then.wall, now.wall), distrust }) }
          : {}),
      },
    ]
  })
}

/** What either record says against its case, or both together against a comparison. */
function whyOpenNow(
  older: BenchOutput,
  newer: BenchOutput,
  then: BenchCase,
  now: BenchCase,
): string | undefined {
  if (!isResolved(now)) return `in this record: ${whyOpen(now)}`
  if (!isResolved(then)) return `in the older record: ${whyOpen(then)}`
  // What is against another case has nothing from the base's image.
  return newer.mode === 'wall-clock' || now.against ? undefined : baseDrift(older, newer, then, now)
}

function between(then: Figures, now: Figures): Samples {
  return { unit: now.unit, base: then.samples.series, series: now.samples.series }
}

function baseDrift(older: BenchOutput, newer: BenchOutput, then: Figures, now: Figures): string | undefined {
  if (older.points.base.allocatedHash !== newer.points.base.allocatedHash) return undefined
  if (then.base === null || now.base === null || then.base === 0) return undefined
  const share = Math.abs(now.base / then.base - 1)
  return share <= 0.001
    ? undefined
    : `the same base image differs by ${(share * 100).toPrecision(2)} % between the two records`
}

/** The newest records that fit beside each other, for a terminal or a mail; empty when there is no trend. */
export function historyTable(all: readonly BenchOutput[]): string {
  const trends = trendsOf(all)
  if (trends.length === 0) return ''
  const from = Math.max(0, all.length - 5)
  const rows: (readonly string[] | string)[] = []
  for (const [heading, some] of grouping(trends, (t) => `${groupOf(t.name)}, ${t.unit}`)) {
    rows.push(heading)
    for (const trend of some) {
      const cells = all.slice(from).map((_, i) => {
        const point = trend.points.find((p) => p.at === from + i)
        return point ? ratioText(point.figures) : ''
      })
      rows.push([`  ${shortName(trend.name)}`, ...cells])
    }
  }
  const shown = all.slice(from)
  return [
    ...wrap(
      `Benchmark history: ratio of each record, series to its own base${from > 0 ? `; the newest ${shown.length} of ${all.length}` : ''}.`,
      '  ',
    ),
    ...shown.flatMap((record, i) => [
      ...(i > 0
        ? whyNotComparable(shown[i - 1]!, record).flatMap((why) => wrap(why, '      ', '    -- '))
        : []),
      ...wrap(
        `${recordName(record)}, ${record.time.slice(0, 16).replace('T', ' ')}`,
        '      ',
        `#${from + i + 1}  `,
      ),
    ]),
    '',
    ...textTable(
      [{ head: '' }, ...shown.map((_, i) => ({ head: `#${from + i + 1}`, right: true }))],
      rows,
      undefined,
      MAIL_WIDTH,
    ),
    ...(trends.some((t) => t.points.some((p) => p.at >= from && !isResolved(p.figures)))
      ? wrap('n/r: not resolvable in that record; the record has the reason.')
      : []),
  ].join('\n')
}

/** "phyr v3 on Linux 7.3.4". */
export function recordName(record: BenchOutput): string {
  return `${record.seriesOf.name ?? 'series'} v${record.seriesOf.version} on Linux ${record.linux.version}`
}
