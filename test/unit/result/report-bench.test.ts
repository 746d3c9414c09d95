// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { BenchOutput } from '../../../tools/result/bench-record.ts'
import { linesPlot } from '../../../tools/result/report-bench-lines.ts'
import { axisText } from '../../../tools/result/report-bench-plot.ts'
import { benchHtml, reportHtml } from '../../../tools/result/report.ts'
import { benchHistory, benchSample } from './bench-sample.ts'
import { EVIL, attributesOf, flat, poison, tagsOf } from './page.ts'
import { sample } from './sample.ts'

const history = benchHistory()
const output = history.at(-1)!
const page = benchHtml({ output, history })

/** Every text with the hostile one behind it: groups, versions and units stay what they are. */
function append<T>(value: T, key = ''): T {
  if (typeof value === 'string')
    return (
      ['mode', 'time', 'used', 'outcome', 'allocatedHash'].includes(key) ? value : `${value}${EVIL}`
    ) as T
  if (Array.isArray(value)) return value.map((v) => append(v, key)) as T
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([k, v]) => [key === 'counts' ? `${k}${EVIL}` : k, append(v, k)]),
    ) as T
  return value
}

test('hostile text everywhere: not a tag and not an attribute more', () => {
  const evil = benchHtml({ output: append(output), history: history.map((o) => append(o)) })
  expect(evil).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(tagsOf(evil)).toEqual(tagsOf(page))
  expect(attributesOf(evil)).toEqual(attributesOf(page))
  expect(evil).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/)
})

test('nothing but hostile text still makes a page of the same sorts of tags', () => {
  const evil = benchHtml({ output: poison(output), history: history.map((o) => poison(o)) })
  expect([...new Set(tagsOf(evil))].filter((t) => !tagsOf(page).includes(t))).toEqual([])
  expect([...new Set(attributesOf(evil))].filter((a) => !attributesOf(page).includes(a))).toEqual([])
})

test('the page asks for nothing outside itself, and its policy allows only its own style', () => {
  const urls = [...page.matchAll(/\b(?:src|href|action|data|poster|srcset)="([^"]*)"/g)].map((m) => m[1])
  expect(urls.filter((u) => !u?.startsWith('#'))).toEqual(['data:,'])
  expect(page).not.toMatch(/@import|url\(|style="|<script/)
  const [, content = ''] = /<style>([^]*?)<\/style>/.exec(page) ?? []
  const hash = createHash('sha256').update(content).digest('base64')
  expect(page).toContain(`style-src &#39;sha256-${hash}&#39;`)
})

test.each([
  ['alone', page],
  ['behind a run', reportHtml(sample(true).output, sample(true).results, { output, history })],
])('ids are unique and links have their goal: %s', (_, text) => {
  const ids = [...text.matchAll(/\bid="([^"]*)"/g)].map((m) => m[1])
  expect(new Set(ids).size).toBe(ids.length)
  for (const [, goal] of text.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(goal)
  for (const [, names = ''] of text.matchAll(/aria-labelledby="([^"]*)"/g))
    for (const name of names.split(' ')) expect(ids).toContain(name)
  expect(text).not.toMatch(/NaN|Infinity|undefined/)
})

test('a run with benchmarks has both, one without has no benchmarks', () => {
  const { output: run, results } = sample(true)
  const both = reportHtml(run, results, { output, history })
  expect(flat(both)).toContain('<h2 id="bench">Benchmarks</h2>')
  expect(both.indexOf('id="verdict"')).toBeLessThan(both.indexOf('id="bench"'))
  expect(reportHtml(run, results)).not.toContain('id="bench"')
})

test('every plot has a title, a description, and its figures in a table behind it', () => {
  const plots = [...page.matchAll(/<svg[^]*?<\/svg>/g)]
  // Ratio of instructions and of time, three cases by function, the walk, and a trend of every case but one.
  expect(plots).toHaveLength(2 + 3 + 1 + output.cases.length - 1)
  for (const plot of plots) {
    expect(plot[0]).toMatch(/role="img"[^]*<title id=[^]*<desc id=/)
    expect(page.slice(plot.index).indexOf('<table')).toBeGreaterThan(0)
  }
  const table = flat(page).split('<caption>Ratio of instructions')[1] ?? ''
  for (const c of output.cases) expect(table).toContain(c.name)
})

test('what cannot be resolved is hollow in the plot and n/r in the tables', () => {
  const [ratios = ''] = /<svg[^]*?<\/svg>/.exec(page) ?? []
  const open = output.cases.filter((c) => !c.resolvable)
  expect(ratios.match(/class="dot open"/g)).toHaveLength(open.filter((c) => c.ratio !== null).length)
  const row = flat(page).match(/<tr><th scope="row">boot\/init<span class="what">[^]*?<\/tr>/)?.[0] ?? ''
  expect(row).toContain('>n/r<')
  expect(row).toContain('not resolvable: the same image')
  expect(row).not.toContain(output.cases.find((c) => c.name === 'boot/init')?.ratio?.toFixed(3))
})

test('a costly patch is named in the walk, and a trend breaks at a letter with its reason', () => {
  const walk = flat(page).split('<h2 id="bench-walk">')[1]?.split('</svg>')[0] ?? ''
  expect(walk).toMatch(/>7: treewide: replace struct phys_vec/)
  expect(walk.match(/class="ring"/g)).toHaveLength(2)
  const trends = flat(page).split('<h2 id="bench-history">')[1] ?? ''
  expect(trends).toContain('<b>a</b>#3 and #4: QEMU 7.2.22 there, 10.0.2 here')
  expect(trends).toContain('<title>QEMU 7.2.22 there, 10.0.2 here</title>')
})

test('no line is drawn over a break, nor over a patch that was not measured', () => {
  const piecesOf = (id: string): number[] => {
    const [svg = ''] = (flat(page).split(`<h2 id="${id}">`)[1] ?? '').match(/<svg[^]*?<\/svg>/) ?? []
    return [...svg.matchAll(/<path class="line s\d" d="([^"]*)"/g)].map((m) => m[1]!.split('L').length)
  }
  // Records 1 to 3 and 5 to 7, of the base and of the series; patches 0 to 3 and 5 to 7.
  expect(piecesOf('bench-history')).toEqual([3, 3, 3, 3])
  expect(piecesOf('bench-walk')).toEqual([4, 3])
})

test.each([
  ['0', 0, 0],
  ['tiny and huge', 1e-9, 1e18],
  ['one that is no cost at the other', 0, 1e6],
])('plots of extreme figures stay in their picture: %s', (_, base, series) => {
  const odd = (o: BenchOutput): BenchOutput => ({
    ...o,
    cases: o.cases.map((c) => ({
      ...c,
      base,
      series,
      ratio: series / Math.max(base, 1e-9),
      low: 0,
      high: 1e30,
      functions: [
        { name: 'f', base, series },
        { name: 'g', base: series, series: base },
      ],
    })),
    walk: {
      ...output.walk!,
      steps: output.walk!.steps.map((s, i) => ({ ...s, cost: i % 2 === 0 ? base : series })),
    },
  })
  const text = benchHtml({ output: odd(output), history: [odd(output), odd(output)] })
  expect(text).not.toMatch(/NaN|Infinity/)
  for (const [svg] of text.matchAll(/<svg[^]*?<\/svg>/g)) {
    const height = Number(/viewBox="0 0 360 ([\d.]+)"/.exec(svg)?.[1])
    for (const [, x] of svg.matchAll(/\bc?x[12]?="([^"]*)"/g)) {
      expect(Number(x)).toBeGreaterThanOrEqual(0)
      expect(Number(x)).toBeLessThanOrEqual(360)
    }
    for (const [, y] of svg.matchAll(/\bc?y[12]?="([^"]*)"/g)) expect(Number(y)).toBeLessThanOrEqual(height)
    expect(svg.length).toBeLessThan(60_000)
  }
})

test('a record with nothing in it still makes a page', () => {
  const { context: _, walk: __, gate: ___, entries: ____, ...rest } = benchSample()
  const text = benchHtml({ output: { ...rest, cases: [] }, history: [] })
  expect(text).toContain('no case was measured')
  expect(text).not.toContain('<svg')
})

test('many records: only the newest are drawn, and labels do not touch', () => {
  const many = Array.from({ length: 60 }, (_, i) => ({
    ...output,
    seriesOf: { ...output.seriesOf, version: i },
  }))
  const text = benchHtml({ output, history: many })
  expect(text).toContain('the newest 24 of 60 records')
  const trend = (flat(text).split('<h2 id="bench-history">')[1] ?? '').match(/<svg[^]*?<\/svg>/)?.[0] ?? ''
  const labels = [...trend.matchAll(/<text class="m" x="([\d.]+)" y="[\d.]+">(v\d+)</g)]
  expect(labels.length).toBeGreaterThan(3)
  for (const [i, [, x]] of labels.entries())
    if (i > 0) expect(Number(x) - Number(labels[i - 1]![1])).toBeGreaterThan(3 * 7)
})

test('in a plot no lead crosses the name of another patch', () => {
  const at = [1, 2, 3, 6, 7, 8]
  const svg = linesPlot(
    { id: 'x', title: '', description: '' },
    {
      count: 10,
      lines: [
        {
          name: 'x',
          tone: 's0',
          points: Array.from({ length: 10 }, (_, i) => ({ at: i, value: 100 + i, open: false, title: '' })),
        },
      ],
      labels: [],
      breaks: [],
      named: at.map((a) => ({ at: a, text: `${a}: ${'subject '.repeat(10)}` })),
    },
  ).markup.replaceAll(/\s+/g, ' ')
  const leads = [...svg.matchAll(/class="lead" x1="([\d.]+)" x2="[\d.]+" y1="([\d.]+)"/g)].map((m) => ({
    x: Number(m[1]),
    from: Number(m[2]),
  }))
  const texts = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)" ?>([^<]*)</g)].map(
    (m) => {
      const width = Array.from(m[4]!.trim()).length * 6.6
      const x = Number(m[1])
      return { y: Number(m[2]), left: m[3] === 'end' ? x - width : x, right: m[3] === 'end' ? x : x + width }
    },
  )
  expect([leads.length, texts.length]).toEqual([6, 6])
  for (const lead of leads)
    for (const text of texts.filter((t) => t.y > lead.from + 8))
      expect(lead.x > text.left && lead.x < text.right).toBe(false)
  for (const text of texts) expect(text.left >= 0 && text.right <= 360).toBe(true)
})

test('numbers of an axis', () => {
  expect([
    axisText(4310, 20),
    axisText(12_345, 5),
    axisText(-0.5, 0.5),
    axisText(0, 0.5),
    axisText(6.1e8, 1e6),
  ]).toEqual(['4310', '12\u202f345', '\u22120.5', '0.0', '610M'])
})
