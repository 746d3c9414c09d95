// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UsageError } from '../../../tools/lib/errors.ts'
import type { BenchCase, BenchOutput, TargetVerdict } from '../../../tools/result/bench-record.ts'
import { benchOutputSchema } from '../../../tools/result/bench-record.ts'
import { benchTable } from '../../../tools/result/bench-table.ts'
import { boundText, changeText } from '../../../tools/result/bench-words.ts'
import { deterministicFigures } from '../../../tools/result/figures.ts'
import { benchHtml } from '../../../tools/result/report.ts'
import { judgeTargets, loadTargets } from '../../../tools/result/targets.ts'
import { benchSample } from './bench-sample.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-targets-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const unit = 'instructions/pin'
const measured = (base: readonly number[], series: readonly number[], more: object = {}): BenchCase => ({
  name: 'gup/a',
  what: 'pin',
  ...deterministicFigures({ unit, base, series }),
  ...more,
})
const record = (one: BenchCase, changes: object = {}): BenchOutput => ({
  ...benchSample(),
  cases: [one],
  ...changes,
})

/** What one target comes to; its file's line is given. */
function judged(line: string, one: BenchCase, changes: object = {}): TargetVerdict | undefined {
  mkdirSync(join(dir, 'targets'), { recursive: true })
  writeFileSync(join(dir, 'targets/t.yaml'), `title: T\ntargets:\n  - {what: w, case: gup/a, ${line}}\n`)
  return judgeTargets(record(one, changes), loadTargets(join(dir, 'targets')))[0]
}

describe('a target', () => {
  test.each([
    ['ratio: 1.00', [1000, 1000], [1000, 1000], 'met'],
    // Under 0.1 % nothing is called a change.
    ['ratio: 1.00', [1000, 1000], [1000.5, 1000.5], 'met'],
    ['ratio: 1.00', [1000, 1000], [1002, 1002], 'missed'],
    ['ratio: 0.99', [1000, 1000], [999.9, 999.9], 'missed'],
    ['fewer: 1', [1000, 1000], [999.5, 999.5], 'missed'],
    ['fewer: 1', [1000, 1000], [998, 998], 'met'],
    ['fewer: 100', [1000, 1000], [10, 10], 'met'],
    ['fewer: 100', [1000, 1000], [10.1, 10.1], 'missed'],
  ] as const)('%s of %j : %j is %s', (line, base, series, outcome) => {
    const verdict = judged(line, measured(base, series))
    expect(verdict).toMatchObject({ table: 'T', what: 'w', case: 'gup/a', figure: unit, outcome })
    expect(verdict?.ratio).toBeCloseTo(series[0] / base[0])
  })

  test('repeats that differ say enough for a limit that is far away, and have no ratio', () => {
    const apart = measured([1000, 1010], [1, 1.02])
    expect(apart.resolvable).toBe(false)
    expect(judged('fewer: 900', apart)).toMatchObject({ outcome: 'met', ratio: null })
    // All repeats meet it, by less than they differ.
    expect(judged('fewer: 975', apart)).toMatchObject({ outcome: 'open' })
    expect(judged('fewer: 2000', apart)).toMatchObject({ outcome: 'missed', ratio: null })
    expect(judged('fewer: 1000', apart)).toMatchObject({
      outcome: 'open',
      why: expect.stringContaining('differs'),
    })
  })

  test('two repeats beyond two others miss nothing if they differ as much among themselves', () => {
    const noisy = measured([9233, 9254], [9258, 9262])
    expect(noisy).toMatchObject({ resolvable: false })
    expect(noisy.low).toBeGreaterThan(1)
    expect(judged('ratio: 1.00', noisy)).toMatchObject({ outcome: 'open' })
    expect(judged('ratio: 1.00', measured([9233, 9254], [9300, 9310]))).toMatchObject({ outcome: 'missed' })
  })

  test('what was measured once, or not, is open', () => {
    expect(judged('fewer: 1', measured([1000], [1]))).toMatchObject({ outcome: 'open' })
    const none = measured([], [], { why: 'the guest has no free page of 1 GiB' })
    expect(judged('fewer: 1', none)).toMatchObject({ outcome: 'open', base: null, why: /no free page/ })
  })

  test('of a count', () => {
    const of = (base: number | null, series: number | null): BenchCase =>
      measured([9, 9], [9, 9], { counts: { entries: { base, series } } })
    const line = 'count: entries, atMost: 1'
    expect(judged(line, of(262_144, 1))).toEqual({
      table: 'T',
      what: 'w',
      case: 'gup/a',
      figure: 'entries',
      base: 262_144,
      series: 1,
      ratio: 1 / 262_144,
      bound: { atMost: 1 },
      outcome: 'met',
    })
    expect(judged(line, of(null, 2))).toMatchObject({ outcome: 'missed', ratio: null })
    expect(judged(line, of(1, null))).toMatchObject({ outcome: 'open', why: /counted no entries/ })
    expect(judged(line, measured([9, 9], [9, 9]))).toMatchObject({ outcome: 'open', base: null })
  })

  test('is of the whole series against its base, and of instructions', () => {
    const one = measured([1000, 1000], [998, 998])
    const { points } = benchSample()
    expect(judged('fewer: 1', { ...one, name: 'gup/other' })).toBeUndefined()
    expect(judged('fewer: 1', one, { mode: 'wall-clock' })).toBeUndefined()
    expect(
      judged('fewer: 1', one, { points: { ...points, series: { ...points.series, patches: 3 } } }),
    ).toBeUndefined()
    expect(
      judged('fewer: 1', one, { points: { ...points, base: { ...points.base, patches: 3 } } }),
    ).toBeUndefined()
  })
})

describe('the file', () => {
  test.each([
    ['', 'targets.0.case: a count has atMost, instructions have one of'],
    ['ratio: 1, fewer: 2', 'instructions have one of'],
    ['count: entries', 'a count has atMost'],
    ['count: entries, fewer: 2', 'a count has atMost'],
    ['atMost: 2', 'instructions have one of'],
    ['fewer: 0.5', 'targets.0.fewer'],
    ['fewr: 2', 'fewr: Unrecognized key'],
  ])('with {%s} is refused with its place', (line, message) => {
    expect(() => judged(line, measured([1, 1], [1, 1]))).toThrow(UsageError)
    expect(() => judged(line, measured([1, 1], [1, 1]))).toThrow(message)
    expect(() => judged(line, measured([1, 1], [1, 1]))).toThrow(/t\.yaml:3:\d+/)
  })

  test('need not be there', () => {
    expect(loadTargets(join(dir, 'none'))).toEqual([])
  })
})

test('words', () => {
  expect([{ atMost: 512 }, { ratio: 1 }, { fewer: 1 }, { fewer: 1000 }].map(boundText)).toEqual([
    '<= 512',
    '<= 1.00',
    '< 1',
    '<= 1/1\u202f000',
  ])
  const of = (ratio: number | null): string => changeText({ ratio })
  expect([1.0121, 0.5, 0.4, 0.04, 0.004, 1 / 262_144, 0, null].map(of)).toEqual([
    '1.012',
    '0.500',
    '1/2.50',
    '1/25.0',
    '1/250',
    '1/262\u202f144',
    '0',
    'n/r',
  ])
})

test('the table and the page show before, after, target, and whether it is met', () => {
  const one = measured([7_340_032, 7_340_032], [412, 412], {
    counts: { entries: { base: 262_144, series: 1 } },
  })
  const verdicts = [
    judged('fewer: 1000', one)!,
    judged('fewer: 100000', one)!,
    judged('count: array-bytes, atMost: 16', one)!,
    judged('count: entries, atMost: 1', one)!,
  ]
  const output = record(one, { targets: verdicts, gate: undefined, walk: undefined })
  expect(benchOutputSchema.safeParse(output).success).toBe(true)
  const lines = benchTable(output, { colour: false }).split('\n')
  expect(lines).toContainEqual(
    expect.stringMatching(/^ {2}instructions +7,340,032 +412 +1\/17,816 +<= 1\/1,000 +met$/),
  )
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}instructions .* <= 1\/100,000 +missed$/))
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}entries +262,144 +1 +1\/262,144 +<= 1 +met$/))
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}array-bytes +- +- +n\/r +<= 16 +open$/))
  expect(benchTable(output, { colour: true })).toContain('\x1b[1;31mmissed\x1b[0m')
  const page = benchHtml({ output, history: [] })
  for (const text of [
    'Targets',
    '✗</span> missed',
    '✓</span> met',
    'counted no array-bytes',
    '1/17\u202f816',
  ])
    expect(page).toContain(text)
})
