// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { RunOutput } from '../../../tools/result/record.ts'
import { html } from '../../../tools/result/report-html.ts'
import { niceStep } from '../../../tools/result/report-plot.ts'
import { listTests, tally } from '../../../tools/result/report-runs.ts'
import { reportHtml } from '../../../tools/result/report.ts'
import type { RunResult } from '../../../tools/result/result.ts'
import { EVIL, attributesOf, flat, poison, tagsOf } from './page.ts'
import { sample, sampleFinding } from './sample.ts'

test('hostile text everywhere leaves the same page structure as harmless text', () => {
  const { output, results } = sample(true)
  const harmless = reportHtml(output, results)
  const evil = reportHtml(
    poison(output),
    new Map<string, RunResult>([...results].map(([k, r]) => [k, poison(r)])),
  )
  expect(evil).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(evil).not.toMatch(/<script|<img|<iframe|<object|javascript:/i)
  // Names that became equal fold rows and groups together: the sorts of tags and attributes are what must not change.
  expect(
    [...new Set(tagsOf(evil))].filter((t) => !tagsOf(harmless).includes(t) && t !== 'span' && t !== 'p'),
  ).toEqual([])
  expect([...new Set(attributesOf(evil))].filter((a) => !attributesOf(harmless).includes(a))).toEqual([])
  expect(evil).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/)
})

test('text in an attribute cannot leave it, and only html`` itself makes markup', () => {
  const evil = `"><b onclick='x'>&amp;\x00`
  expect(html`<a title="${evil}">${evil}</a>`.markup).toBe(
    `<a title="&quot;&gt;&lt;b onclick=&#39;x&#39;&gt;&amp;amp;\\x00">&quot;&gt;&lt;b onclick=&#39;x&#39;&gt;&amp;amp;\\x00</a>`,
  )
  expect(html`${[html`<i>${1}</i>`, '<', undefined, null, false, 0]}`.markup).toBe('<i>1</i>&lt;0')
  // An object of the same shape that came out of JSON is not markup.
  const forged: string = JSON.parse('{"markup": "<b>"}')
  expect(() => html`${forged}`).toThrow(TypeError)
})

test('one hostile name: not a tag more, not an attribute more', () => {
  const { output, results } = sample(true)
  const series: RunOutput['series'] = {
    ...output.series,
    name: EVIL,
    list: (output.series.list ?? []).map((p) => ({ ...p, subject: EVIL })),
  }
  const evil = reportHtml({ ...output, series }, results)
  const harmless = reportHtml(output, results)
  expect(tagsOf(evil)).toEqual(tagsOf(harmless))
  expect(attributesOf(evil)).toEqual(attributesOf(harmless))
})

test('the page asks for nothing outside itself, and its policy allows only its own style', () => {
  const { output, results } = sample(true)
  const page = reportHtml(output, results)
  expect(
    [...page.matchAll(/\b(?:src|href|action|data|poster|srcset)="([^"]*)"/g)]
      .map((m) => m[1])
      .filter((u) => !u?.startsWith('#')),
  ).toEqual(['data:,'])
  expect(page).not.toMatch(/@import|url\(|style="/)
  const [, content = ''] = /<style>([^]*?)<\/style>/.exec(page) ?? []
  const hash = createHash('sha256').update(content).digest('base64')
  const [, policy = ''] = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page) ?? []
  expect(policy.replaceAll('&#39;', "'")).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`,
  )
  expect(page.indexOf('Content-Security-Policy')).toBeLessThan(page.indexOf('<style>'))
})

test('ids are unique, and every link inside the page has its goal', () => {
  const { output, results } = sample(true)
  const page = reportHtml(output, results)
  const ids = [...page.matchAll(/\bid="([^"]*)"/g)].map((m) => m[1])
  expect(new Set(ids).size).toBe(ids.length)
  for (const [, goal] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(goal)
  for (const [, names = ''] of page.matchAll(/aria-labelledby="([^"]*)"/g))
    for (const name of names.split(' ')) expect(ids).toContain(name)
})

test('the verdict comes first, with the failed run and its evidence', () => {
  const { output, results } = sample(true)
  const page = reportHtml(output, results)
  expect(flat(page)).toContain('<title>FAIL: phyr v1 on Linux 7.3.4</title>')
  expect(page.indexOf('1 of 11 runs failed')).toBeGreaterThan(0)
  expect(page.indexOf('1 of 11 runs failed')).toBeLessThan(page.indexOf('What was tested'))
  expect(page).toContain('p2p › read of 64 KiB from phyr-peer into the CMB')
  expect(page).toContain('nvme_map_data (drivers/nvme/host/pci.c:1203)')
  expect(page).toContain('---[ end trace 0000000000000000 ]---')
  expect(page.match(/<details[^>]*class="run"[^>]*open/g)).toHaveLength(1)
})

test('every plot has a title, a description and its figures in a table', () => {
  const { output, results } = sample(false)
  const page = reportHtml(output, results)
  const plots = page.match(/<svg[^]*?<\/svg>/g) ?? []
  expect(plots).toHaveLength(5)
  for (const plot of plots) expect(plot).toMatch(/role="img"[^]*<title id=[^]*<desc id=/)
  expect(page).not.toMatch(/NaN|Infinity|undefined/)
  const table = flat(page).split('<caption>4 KiB random')[1]
  for (const f of output.fio.filter((r) => r.bs === '4k' && r.verified === null))
    expect(table).toContain(f.job)
  for (const [, width] of page.matchAll(/<rect[^>]*\bwidth="([^"]*)"/g))
    expect(Number(width)).toBeGreaterThan(0)
})

test('plots of extreme figures have only finite coordinates', () => {
  const { output, results } = sample(false)
  for (const [iops, latency] of [
    [0, 0],
    [1e9, 1e13],
    [0.001, 1],
  ] as const) {
    const fio = output.fio.map((f) => ({
      ...f,
      iops,
      bw: iops,
      lat_p99_ns: latency,
      latNs: { p50: latency },
    }))
    const page = reportHtml({ ...output, fio }, results)
    expect(page).not.toMatch(/NaN|Infinity/)
    for (const [, x] of page.matchAll(/\bc?x[12]?="([^"]*)"/g)) expect(Number(x)).toBeLessThanOrEqual(360)
  }
})

test('a record without runs and without results still makes a page', () => {
  const finding = reportHtml(sampleFinding(), new Map())
  expect(finding).toContain('apply: 0002-b.patch does not apply to Linux 7.3.4')
  expect(finding).toContain('three-way: CONFLICT (content)')
  expect(finding).not.toContain('id="fio"')
  const gone = reportHtml(sample(true).output, new Map())
  expect(gone).toContain('The stored result of this run is gone')
})

test('failed tests are listed by path; a parent counts only when no child explains it', () => {
  const { results } = sample(true)
  const p2p = [...results.values()].find((r) => r.suite === 'p2p')?.tests ?? []
  expect(listTests(p2p, ['fail', 'crashed']).map((t) => t.path)).toEqual([
    'p2p › read of 64 KiB from phyr-peer into the CMB',
  ])
  const odd = {
    name: 'suite',
    outcome: 'fail',
    children: [{ name: 'case', outcome: 'pass', children: [] }],
  } as const
  expect(listTests([odd], ['fail']).map((t) => t.path)).toEqual(['suite'])
  expect(p2p.map(tally)).toEqual([{ passed: 2, failed: 1, skipped: 1 }])
})

test('steps of an axis', () => {
  expect([0, 1, 7, 100, 32737, 0.03].map((top) => niceStep(top, 4))).toEqual([1, 0.5, 2, 50, 10000, 0.01])
})
