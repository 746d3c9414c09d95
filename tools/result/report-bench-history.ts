// SPDX-License-Identifier: GPL-2.0-only
import { recordName, trendsOf, type Trend } from './bench-history.ts'
import type { BenchOutput } from './bench-record.ts'
import { costDecimals, groupOf, grouping, isResolved, ratioText } from './bench-words.ts'
import { whyNotComparable } from './comparable.ts'
import { grouped } from './format.ts'
import { linesPlot, type Line } from './report-bench-lines.ts'
import { costs, right, table } from './report-bench-tables.ts'
import { html, num, type Html } from './report-html.ts'

/** More records than this are unreadable side by side; the CSV has all. */
const MOST = 24

/** Trend lines of every case that more than one record has; false when there is none. */
export function historyPart(all: readonly BenchOutput[]): Html | false {
  const records = all.slice(-MOST)
  const first = all.length - records.length
  const trends = trendsOf(records)
  if (trends.length === 0) return false
  const signs = signsOf(trends)
  return html`<p class="small muted">
      Cost of one operation in
      ${first > 0 ? `the newest ${records.length} of ${all.length} records` : `${records.length} records`}, in
      the order they were made; less is better. Under each plot: where the version of the series and of Linux
      changes. The axis does not begin at 0. A hollow dot is of a case that could not be resolved. Where
      records must not be compared the line breaks at a letter:
    </p>
    ${
      signs.size > 0
        ? html`<ul class="breaks">
            ${[...signs].map(([key, sign]) => {
              const [from = 0, to = 0] = key.split(' ').map(Number)
              return html`<li>
                <b>${sign}</b> #${first + from + 1} and #${first + to + 1}: ${why(records, from, to)}
              </li>`
            })}
          </ul>`
        : html`<p class="small">None does.</p>`
    }
    ${recordsTable(records, first)}
    ${[...grouping(trends, (t) => groupOf(t.name))].map(([group, some], g) => groupPart(group, some, g, records, first, signs))}`
}

function groupPart(
  group: string,
  trends: readonly Trend[],
  g: number,
  records: readonly BenchOutput[],
  first: number,
  signs: ReadonlyMap<string, string>,
): Html {
  return html`<h3>${group}</h3>
    <div class="plots">
      ${trends.map((trend, i) => {
        const title = `${trend.name}: ${trend.unit}`
        const description = trend.points
          .map((p) => `#${first + p.at + 1}: ${grouped(p.figures.series ?? 0, 1)}`)
          .join('; ')
        return html`<figure>
          <figcaption>${title}</figcaption>
          ${trendPlot({ id: `trend-${g}-${i}`, title, description }, trend, records, first, signs)}
        </figure>`
      })}
    </div>
    <details class="inner figures">
      <summary>${group}: the figures of the plots</summary>
      ${trendTable(group, trends, records, first)}
    </details>`
}

function trendPlot(
  text: { readonly id: string; readonly title: string; readonly description: string },
  trend: Trend,
  records: readonly BenchOutput[],
  first: number,
  signs: ReadonlyMap<string, string>,
): Html {
  const line = (name: 'series' | 'base', tone: Line['tone']): Line => ({
    name,
    tone,
    points: trend.points.flatMap(({ at, figures }) => {
      const value = figures[name]
      const record = records[at]
      if (value === null || record === undefined) return []
      const shown = `${grouped(value, costDecimals(value))} ${trend.unit}`
      return [
        {
          at,
          value,
          open: !isResolved(figures),
          title: `#${first + at + 1}, ${recordName(record)}, ${name}: ${shown}`,
        },
      ]
    }),
  })
  return linesPlot(text, {
    count: records.length,
    lines: [line('base', 's0'), line('series', 's2')],
    labels: [changes(records, (r) => `v${r.seriesOf.version}`), changes(records, (r) => r.linux.version)],
    breaks: trend.points.flatMap((p, i) => {
      const before = trend.points[i - 1]
      if (before === undefined || p.broken.length === 0) return []
      const sign = signs.get(`${before.at} ${p.at}`) ?? '?'
      return [{ from: before.at, to: p.at, text: sign, title: p.broken.join('; ') }]
    }),
    named: [],
  })
}

/** The positions where a property of the records changes, the first among them. */
function changes(
  records: readonly BenchOutput[],
  of: (record: BenchOutput) => string,
): { at: number; text: string }[] {
  return records.flatMap((record, at) => {
    const text = of(record)
    const before = records[at - 1]
    return before !== undefined && of(before) === text ? [] : [{ at, text }]
  })
}

function recordsTable(records: readonly BenchOutput[], first: number): Html {
  return table(
    'The records',
    [
      { text: 'Record' },
      { text: 'Made' },
      { text: 'Series' },
      { text: 'Linux' },
      { text: 'Mode' },
      { text: 'QEMU' },
      { text: 'Host' },
    ],
    records.map(
      (r, i) =>
        html`<th scope="row">#${first + i + 1}</th>
          <td>${r.time.slice(0, 16).replace('T', ' ')}</td>
          <td>${r.seriesOf.name ?? 'series'} v${r.seriesOf.version}</td>
          <td>${r.linux.version}</td>
          <td>${r.mode}</td>
          <td>${/\b\d+(?:\.\d+)+/.exec(r.qemu)?.[0] ?? r.qemu}</td>
          <td>${r.host.cpu}</td>`,
    ),
  )
}

function trendTable(
  group: string,
  trends: readonly Trend[],
  records: readonly BenchOutput[],
  first: number,
): Html {
  return table(
    `${group}: every point`,
    [
      { text: 'Case' },
      { text: 'Record' },
      { text: 'Of' },
      ...right('Base', 'Series', 'Ratio'),
      { text: 'Unit' },
    ],
    trends.flatMap((trend) =>
      trend.points.map(({ at, figures }, i) => {
        const record = records[at]
        return html`<th scope="row">${i === 0 ? trend.name : ''}</th>
          <td>#${first + at + 1}</td>
          <td>${record && recordName(record)}</td>
          ${costs(figures.base, figures.series).map(num)}${num(ratioText(figures))}
          <td>${trend.unit}</td>`
      }),
    ),
  )
}

/** A letter for every pair of records between which a line breaks, in the order of the records. */
function signsOf(trends: readonly Trend[]): ReadonlyMap<string, string> {
  const pairs = new Set<string>()
  for (const { points } of trends)
    for (const [i, p] of points.entries())
      if (i > 0 && p.broken.length > 0) pairs.add(`${points[i - 1]!.at} ${p.at}`)
  const sorted = [...pairs].toSorted((a, b) => order(a) - order(b))
  return new Map(sorted.map((pair, i) => [pair, signOf(i)]))
}

function order(pair: string): number {
  const [from = 0, to = 0] = pair.split(' ').map(Number)
  return to * MOST + from
}

/** a, b, ... z, aa, ab, ... */
function signOf(index: number): string {
  const letter = String.fromCodePoint(97 + (index % 26))
  return index < 26 ? letter : `${signOf(Math.floor(index / 26) - 1)}${letter}`
}

function why(records: readonly BenchOutput[], from: number, to: number): string {
  const [a, b] = [records[from], records[to]]
  return a && b ? whyNotComparable(a, b).join('; ') : ''
}
