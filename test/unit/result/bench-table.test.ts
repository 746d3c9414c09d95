// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { compareRecords, historyTable } from '../../../tools/result/bench-history.ts'
import type { BenchOutput } from '../../../tools/result/bench-record.ts'
import { benchTable } from '../../../tools/result/bench-table.ts'
import { readable, signed, textTable, wrap } from '../../../tools/result/plain-text.ts'
import { benchHistory, benchSample } from './bench-sample.ts'
import { EVIL, poison } from './page.ts'

const plain = { colour: false }

/** What a mail takes: printable ASCII, 72 columns, no blanks at a line's end. */
function unfit(text: string): string[] {
  return text.split('\n').filter((l) => l.length > 72 || /[^\x20-\x7e]/.test(l) || l.endsWith(' '))
}

test('the whole text of a record, and the history', async () => {
  await expect(`${benchTable(benchSample(), plain)}\n`).toMatchFileSnapshot('golden/bench-both.txt')
  await expect(`${benchTable(benchSample({ mode: 'wall-clock' }), plain)}\n`).toMatchFileSnapshot(
    'golden/bench-wall-clock.txt',
  )
  await expect(`${historyTable(benchHistory())}\n`).toMatchFileSnapshot('golden/bench-history.txt')
})

test('every line pastes into a mail', () => {
  const all = benchHistory()
  const texts = [...all.map((o) => benchTable(o, plain)), historyTable(all)]
  expect(texts.flatMap(unfit)).toEqual([])
})

test('whatever the texts and figures are, every line pastes into a mail', () => {
  const evil = poison(benchSample())
  expect(unfit(benchTable(evil, plain))).toEqual([])
  expect(unfit(historyTable([evil, evil, evil, evil, evil, evil]))).toEqual([])
  const long = 'x'.repeat(300)
  const sample = benchSample()
  const odd: BenchOutput = {
    ...sample,
    points: {
      base: { ...sample.points.base, label: long },
      series: { ...sample.points.series, label: long },
    },
    cases: sample.cases.map((c, i) => ({
      ...c,
      name: `g/${long}`,
      base: 10 ** (i - 3),
      series: 10 ** (15 - i),
      ratio: 1e9,
      why: `\u00b5s, \u00e9 and \u{1f600} ${long}`,
    })),
    walk: { ...sample.walk!, steps: sample.walk!.steps.map((s) => ({ ...s, subject: long, cost: 1e17 })) },
    notes: [long],
  }
  const text = benchTable(odd, plain)
  expect(unfit(text)).toEqual([])
  expect(text).toContain(String.raw`us, \u{e9} and \u{1f600}`)
})

test('control characters and bidi of a hostile record do not reach the terminal, in colour neither', () => {
  const text = benchTable(poison(benchSample()), { colour: true })
  expect(text.replaceAll(/\x1b\[[\d;]*m/g, '')).not.toMatch(/[^\x20-\x7e\n]/)
  expect(text.replaceAll(/\s+/g, '')).toContain(String.raw`\x00\x1b]0;t\x07\u{202e}`)
})

test('colour changes nothing but the colour', () => {
  const coloured = benchTable(benchSample(), { colour: true })
  expect(coloured).toContain('\x1b[31m1.012\x1b[0m')
  expect(coloured).toContain('\x1b[1;31mfail\x1b[0m')
  expect(coloured.replaceAll(/\x1b\[[\d;]*m/g, '')).toBe(benchTable(benchSample(), plain))
})

test('of a case that is against another one, says what stands left and where that was measured', () => {
  const sample = benchSample()
  const [one, ...others] = sample.cases
  const against = { case: 'null_blk/other-way', what: 'a read by the other way' }
  const text = benchTable({ ...sample, cases: [{ ...one!, against }, ...others] }, plain)
  expect(text).toContain('null_blk, instructions/IO, one kernel\n')
  expect(text).toMatch(/^ {2}randread-4k-psync against other-way\s+3,326/m)
  expect(text.replaceAll(/\s+/g, ' ')).toContain(
    'One kernel: what stands under "base" is the other case, measured in the kernel of "series" as well. randread-4k-psync: left is other-way, a read by the other way',
  )
  expect(benchTable(sample, plain)).not.toContain('One kernel')
  // Of two points with the same image it is no noise.
  const twice = { ...sample, points: { ...sample.points, series: sample.points.base } }
  expect(benchTable(twice, plain)).toContain('a difference is noise')
  expect(benchTable({ ...twice, cases: [{ ...one!, against }] }, plain)).not.toContain('noise')
  const long = 'x'.repeat(300)
  const wide = sample.cases.map((c) => ({ ...c, against: { case: `g/${long}`, what: `\u00e9 ${long}` } }))
  expect(unfit(benchTable({ ...sample, cases: wide }, plain))).toEqual([])
})

test('a ratio that cannot be resolved is nowhere printed as a number', () => {
  const sample = benchSample()
  const marked = {
    ...sample.cases[0]!,
    ratio: 1.7654,
    low: 1.7653,
    high: 1.7655,
    functions: [{ name: 'only_this', base: 1, series: 2 }],
  }
  const text = (resolvable: boolean): string =>
    benchTable({ ...sample, cases: [{ ...marked, resolvable, why: 'the reason' }], gate: [] }, plain)
  expect(text(true)).toContain('1.765')
  expect(text(true)).toContain('only_this')
  expect(text(false)).not.toMatch(/1\.76/)
  expect(text(false)).not.toContain('only_this')
  expect(text(false)).toMatch(/n\/r\[1\][^]*\[1\] the reason/)
})

test('equal kernels are said to be equal', () => {
  const sample = benchSample()
  const same = { ...sample.points.series, allocatedHash: sample.points.base.allocatedHash }
  expect(benchTable({ ...sample, points: { ...sample.points, series: same } }, plain)).toContain(
    'Both kernels are the same code and data',
  )
  expect(benchTable(sample, plain)).not.toContain('Both kernels')
})

test('in a walk only a costly patch has a ratio beside 1.000', () => {
  const sample = benchSample()
  const walk = {
    ...sample.walk!,
    steps: sample.walk!.steps.map((s) => (s.number === 2 ? { ...s, cost: 4330 } : s)),
  }
  const lines = benchTable({ ...sample, walk }, plain).split('\n')
  expect(lines.find((l) => l.startsWith('2 '))).toMatch(/4,330 {4}n\/r$/)
  expect(lines.find((l) => l.startsWith('3 '))).toMatch(/4,310 {4}n\/r$/)
  expect(lines.find((l) => l.startsWith('7 '))).toMatch(/4,362 {2}1\.004 {2}<--$/)
})

test('a record without cases, walk and context', () => {
  const { context: _, walk: __, gate: ___, ...rest } = benchSample()
  const text = benchTable({ ...rest, cases: [], notes: [] }, plain)
  expect(text).toContain('no case was measured')
  expect(unfit(text)).toEqual([])
})

test('a comparison of two records says which is which', () => {
  const [, , , , , then, now] = benchHistory()
  const text = benchTable(compareRecords(then!, now!), plain)
  expect(text).toContain('now against before')
  expect(text).toMatch(/before: phyr v3 on Linux 7\.3\.4, 2026-11-18/)
  expect(unfit(text)).toEqual([])
})

test('lines are broken at blanks, and words that are longer than a line anywhere', () => {
  expect(wrap('aaa bb c dddddddddddd', '  ', '- ', 8)).toEqual(['- aaa bb', '  c', '  dddddd', '  dddddd'])
  expect(wrap('n\u00a0=\u00a05 x', '', '', 5)).toEqual(['n = 5', 'x'])
  expect(wrap('', '  ')).toEqual([])
  expect(wrap(EVIL, '  ').every((l) => l.length <= 72)).toBe(true)
})

test('numbers', () => {
  expect([0, 999.4, 1234567.8, 12_345_678, 1e15].map((v) => readable(v))).toEqual([
    '0',
    '999',
    '1,234,568',
    '12.346M',
    '1.000e+15',
  ])
  expect([0, 1.26, -1.26, 0.04, -0.04, -1234].map((v) => signed(v, 1))).toEqual([
    '0.0',
    '+1.3',
    '-1.3',
    '0.0',
    '0.0',
    '-1,234.0',
  ])
})

test('a first cell that is too long stands above its figures', () => {
  const columns = [{ head: '' }, { head: 'n', right: true }]
  expect(
    textTable(
      columns,
      [
        ['  abc', '1'],
        ['  abcdefghijkl', '22'],
      ],
      undefined,
      12,
    ),
  ).toEqual(['           n', '  abc      1', '  abcdefghij', '  kl', '          22'])
})
