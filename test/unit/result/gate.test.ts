// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BenchCase, BenchOutput, GateVerdict } from '../../../tools/result/bench-record.ts'
import { benchOutputSchema } from '../../../tools/result/bench-record.ts'
import { deterministicFigures, wallFigures } from '../../../tools/result/figures.ts'
import { benchOutcome, judgeGate, loadLimits, type Limits } from '../../../tools/result/gate.ts'
import { benchSample } from './bench-sample.ts'

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-gate-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const limits: Limits = { default: { deterministic: 1.005, 'wall-clock': 1.05 }, cases: [] }

function counted(name: string, ratio: number, changes: Partial<BenchCase> = {}): BenchCase {
  const base = [4000, 4000.2]
  const figures = deterministicFigures({ unit: 'instructions/IO', base, series: base.map((n) => n * ratio) })
  return { name, what: 'one read', ...figures, ...changes }
}

function timed(ratio: number, distrust?: string) {
  const base = [900, 903, 899, 901, 902, 900]
  return wallFigures({ unit: 'ns/IO', base, series: base.map((n) => n * ratio), distrust })
}

function record(cases: readonly BenchCase[], changes: Partial<BenchOutput> = {}): BenchOutput {
  const { walk: _walk, gate: _gate, ...rest } = benchSample()
  return { ...rest, mode: 'deterministic', cases, ...changes }
}

describe('judging', () => {
  const one = (ratio: number, own: Limits = limits): GateVerdict =>
    judgeGate(record([counted('a/b', ratio)]), own)[0]!

  test('only more than the limit fails', () => {
    expect([0.9, 1, 1.004, 1.006, 1.5].map((ratio) => one(ratio).outcome)).toEqual([
      'pass',
      'pass',
      'pass',
      'fail',
      'fail',
    ])
    expect(one(1.0063)).toEqual({
      case: 'a/b',
      limit: 1.005,
      ratio: expect.closeTo(1.0063, 10),
      outcome: 'fail',
      why: 'instructions/IO: +0.63 %; allowed +0.50 %',
    })
    expect(one(1).why).toBe('instructions/IO: no change (+0.00 %); allowed +0.50 %')
    expect(one(0.98).why).toBe('instructions/IO: -2.00 %; allowed +0.50 %')
  })

  test('what cannot be resolved is a skip, however bad it looks', () => {
    const figures = deterministicFigures({ unit: 'instructions/IO', base: [100, 101], series: [200, 200] })
    const output = record([{ name: 'a/b', what: 'x', ...figures }])
    expect(judgeGate(output, limits)).toMatchObject([
      {
        outcome: 'skip',
        ratio: expect.closeTo(1.99, 2),
        why: expect.stringContaining('not resolvable: the same image'),
      },
    ])
    const nothing = deterministicFigures({ unit: 'instructions/IO', base: [], series: [] })
    expect(judgeGate(record([{ name: 'a/b', what: 'x', ...nothing }]), limits)).toMatchObject([
      { outcome: 'skip', ratio: null, why: expect.stringContaining('base was not measured') },
    ])
  })

  test('a limit of 1 lets pass what is the same, and fails what is more', () => {
    const tight = { default: { deterministic: 1, 'wall-clock': 1 }, cases: [] }
    expect([1.0009, 1.0011].map((ratio) => one(ratio, tight).outcome)).toEqual(['pass', 'fail'])
  })

  test('in mode both the clock is judged by its own limit; in mode wall-clock it alone', () => {
    const output = record([counted('a/b', 1, { wall: timed(1.2) })], { mode: 'both' })
    expect(judgeGate(output, limits).map((v) => [v.outcome, v.limit, v.why.split(':')[0]])).toEqual([
      ['pass', 1.005, 'instructions/IO'],
      ['fail', 1.05, 'ns/IO'],
    ])
    const clock = record([{ name: 'a/b', what: 'x', ...timed(1.03) }], { mode: 'wall-clock' })
    expect(judgeGate(clock, limits)).toMatchObject([{ outcome: 'pass', limit: 1.05 }])
    const busy = record([{ name: 'a/b', what: 'x', ...timed(1.3, 'a busy host') }], { mode: 'wall-clock' })
    expect(judgeGate(busy, limits)).toMatchObject([
      { outcome: 'skip', why: 'ns/IO: not resolvable: a busy host' },
    ])
  })

  test('the function that grew most and the patch that costs most are named', () => {
    const functions = [
      { name: 'shrank', base: 500, series: 100 },
      { name: 'grew_a_little', base: 100, series: 103 },
      { name: 'grew_most', base: 20, series: 47 },
    ]
    const walk: NonNullable<BenchOutput['walk']> = {
      case: 'a/b',
      unit: 'instructions/IO',
      steps: [],
      costly: [
        { number: 1, file: '0001-cheaper.patch', ratio: 0.5, functions: [] },
        { number: 2, file: '0002-dear.patch', ratio: 1.004, functions: [] },
        { number: 5, file: '0005-dearest.patch', ratio: 1.02, functions: [] },
      ],
    }
    const bad = counted('a/b', 1.02, { functions })
    expect(judgeGate(record([bad], { walk }), limits)).toMatchObject([
      { outcome: 'fail', function: 'grew_most', patch: '0005-dearest.patch' },
    ])
    // A walk of another case, or of another unit, says nothing about this one.
    for (const other of [{ case: 'a/c' }, { unit: 'ns/IO' }]) {
      const [verdict] = judgeGate(record([bad], { walk: { ...walk, ...other } }), limits)
      expect(verdict).toMatchObject({ outcome: 'fail', function: 'grew_most' })
      expect(verdict).not.toHaveProperty('patch')
    }
    const cheaper = { ...walk, costly: walk.costly.slice(0, 1) }
    expect(judgeGate(record([bad], { walk: cheaper }), limits)[0]).not.toHaveProperty('patch')
    // Nothing to blame in a case that passes, and none where nothing grew.
    expect(judgeGate(record([counted('a/b', 1, { functions })], { walk }), limits)[0]).not.toHaveProperty(
      'function',
    )
    const shrank = counted('a/b', 1.02, { functions: functions.slice(0, 1) })
    expect(judgeGate(record([shrank]), limits)[0]).not.toHaveProperty('function')
  })

  test("limits by name and glob: the last that matches and has the mode's number", () => {
    const own: Limits = {
      ...limits,
      cases: [
        { case: 'nvme/*', deterministic: 1.02 },
        { case: 'nvme/randread-4k', deterministic: 1.01, 'wall-clock': 1.2 },
        { case: '*/randread-4k', 'wall-clock': 1.3 },
      ],
    }
    const names = ['nvme/randread-4k', 'nvme/x', 'loop/x', 'nvme/x/y', 'xnvme/x', 'loop/randread-4k']
    const output = record(
      names.map((name) => counted(name, 1, { wall: timed(1) })),
      { mode: 'both' },
    )
    const found = judgeGate(output, own).map((v) => v.limit)
    expect(found).toEqual([1.01, 1.3, 1.02, 1.05, 1.005, 1.05, 1.005, 1.05, 1.005, 1.05, 1.005, 1.3])
  })

  test('a dot in a name is a dot', () => {
    const own: Limits = { ...limits, cases: [{ case: 'a/b.c+d', deterministic: 1.5 }] }
    const output = record([counted('a/b.c+d', 1), counted('a/bxccd', 1), counted('a/bxc+d', 1)])
    expect(judgeGate(output, own).map((v) => v.limit)).toEqual([1.5, 1.005, 1.005])
  })

  test('a limit whose case is not there is a skip that says so', () => {
    const own: Limits = { ...limits, cases: [{ case: 'gone/*', 'wall-clock': 1.1 }] }
    expect(judgeGate(record([counted('a/b', 1)]), own)).toEqual([
      expect.objectContaining({ case: 'a/b', outcome: 'pass' }),
      {
        case: 'gone/*',
        limit: 1.1,
        ratio: null,
        outcome: 'skip',
        why: 'there is a limit for it, and no such case in this record',
      },
    ])
  })

  test('the sample record is judged, and its verdicts fit into a record', () => {
    const output = benchSample()
    const gate = judgeGate(output, loadLimits())
    expect(gate.length).toBeGreaterThan(output.cases.length)
    expect(benchOutputSchema.safeParse({ ...output, gate }).success).toBe(true)
    expect(gate.some((v) => v.outcome === 'fail' && v.case === 'nvme/randread-4k-io_uring-qd32')).toBe(true)
  })
})

test('outcome: one failure fails, nothing that passed is no pass', () => {
  const of = (...outcomes: GateVerdict['outcome'][]): string | undefined =>
    benchOutcome({ gate: outcomes.map((outcome) => ({ case: 'a', limit: 1, ratio: 1, outcome, why: '' })) })
  expect([of('pass', 'skip', 'fail'), of('pass', 'skip'), of('skip'), of()]).toEqual([
    'fail',
    'pass',
    'skip',
    'skip',
  ])
})

test('a missed target fails where there is a gate, and there alone', () => {
  const gate = [{ case: 'a', limit: 1, ratio: 1, outcome: 'pass', why: '' }] as const
  const targets = (['met', 'open', 'missed'] as const).map((outcome) => ({
    table: 'T',
    what: 'w',
    case: 'a',
    figure: 'entries',
    base: 2,
    series: 1,
    ratio: 0.5,
    bound: { atMost: 1 },
    outcome,
  }))
  expect(benchOutcome({ gate, targets })).toBe('fail')
  expect(benchOutcome({ gate, targets: targets.slice(0, 2) })).toBe('pass')
  expect(benchOutcome({ targets })).toBeUndefined()
})

describe('the file', () => {
  const load = (text: string): Limits => {
    const file = join(dir, 'limits.yaml')
    writeFileSync(file, text)
    return loadLimits(file)
  }
  const head = 'default:\n  deterministic: 1.005\n  wall-clock: 1.05\n'

  test("the project's own is one", () => {
    const own = loadLimits()
    expect(own.default.deterministic).toBeGreaterThan(1.0005) // else what is the same could fail
    expect(own.default['wall-clock']).toBeGreaterThan(own.default.deterministic)
  })

  test('limits of cases', () => {
    expect(
      load(`${head}cases:\n  - case: nvme/*\n    deterministic: 1.02\n    why: the device\n`).cases,
    ).toEqual([{ case: 'nvme/*', deterministic: 1.02, why: 'the device' }])
  })

  test.each([
    ['cases: []\n', /limits\.yaml:1:1: default:/],
    [`${head}cases:\n  - case: a/b\n`, /:5:5: cases\.0: neither deterministic nor wall-clock is given/],
    [`${head}cases:\n  - case: a/b\n    wallclock: 1.1\n`, /:6:5: cases\.0\.wallclock: Unrecognized key/],
    [`${head}cases:\n  - case: a/b\n    deterministic: 0.9\n`, /:6:20: cases\.0\.deterministic: .*>=1/],
    [`${head}cases:\n  - case: a/b\n    deterministic: 5 %\n`, /:6:20: cases\.0\.deterministic: /],
    [`${head}cases:\n  - case: "a/(b|c)"\n    deterministic: 1.1\n`, /:5:11: cases\.0\.case: a case's name/],
    [`${head}cases: [\n`, /limits\.yaml:\d+:\d+: /],
  ])('refused: %j', (text, message) => {
    expect(() => load(text)).toThrow(message)
  })

  test('a file that is not there', () => {
    expect(() => loadLimits(join(dir, 'none.yaml'))).toThrow(/^no limits at .*none\.yaml/)
  })
})
