// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadCases, loadCaseTargets, parseCases, selectCases, type Case } from '../../../tools/bench/case.ts'
import { benchCases, entriesOf } from '../../../tools/bench/cases-of.ts'
import { costOf, type Cost, type Measured } from '../../../tools/bench/estimate.ts'
import { countingPlan, timingPlan } from '../../../tools/bench/script.ts'
import { toolNames } from '../../../tools/guest/tools.ts'
import { UsageError } from '../../../tools/lib/errors.ts'
import type { BenchCase } from '../../../tools/result/bench-record.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'
import { loadMachine } from '../../../tools/machine/machine.ts'
import { execFileSync } from 'node:child_process'

const BENCH = join(toolRoot, 'qemu/bench')

const FILE = `description: d
operation: IO
places:
  nil:
    machine: count
    disk: /dev/nullb0
cases:
  read:
    what: a read
    run: [prog, -n, $N, $CASE]
`

function only(text: string): Case {
  return parseCases(text, 'x.yaml')[0]!
}

function region(
  kernel: number,
  steps: Record<string, readonly number[]> = {},
  functions = { f: kernel },
): Measured['region'] {
  return {
    number: 1,
    kernel,
    user: 2 * kernel,
    tick: 0,
    ticks: 0,
    functions: new Map(Object.entries(functions)),
    steps: new Map(Object.entries(steps)),
  }
}

describe('the case files of this project', () => {
  const cases = loadCases(BENCH)

  test('name machines, tools and jobs that there are', () => {
    for (const one of cases) {
      expect(loadMachine(one.place.machine, join(BENCH, 'machines')).bench).toBe(true)
      for (const tool of one.tools) expect(toolNames).toContain(tool)
    }
    expect(() => countingPlan(cases, BENCH)).not.toThrow()
    expect(() => timingPlan(cases, BENCH)).not.toThrow()
  })

  test('have a first set on all three devices, loop, gup, registration and boot', () => {
    const places = new Set(cases.map((one) => one.placeName))
    for (const place of ['nullblk', 'nvme', 'virtio', 'loop', 'gup', 'uring', 'boot'])
      expect(places).toContain(place)
  })

  test.each([
    ['counting', countingPlan],
    ['timing', timingPlan],
  ])('give a script for %s that a shell can read', (_, planOf) => {
    expect(() => execFileSync('sh', ['-n'], { input: planOf(cases, BENCH).script })).not.toThrow()
  })

  test('use every job file and machine that lies there', () => {
    const used = new Set(cases.flatMap((one) => (one.fio ? [one.fio.file] : [])))
    for (const file of readdirSync(BENCH).filter((f) => f.endsWith('.fio'))) expect(used).toContain(file)
    const machines = new Set(['clock.yaml', ...cases.map((one) => `${one.place.machine}.yaml`)])
    expect(new Set(readdirSync(join(BENCH, 'machines')))).toEqual(machines)
  })
})

describe('a case file', () => {
  test('gives a case for each place', () => {
    expect(only(FILE)).toMatchObject({
      name: 'nil/read',
      operation: 'IO',
      lengths: [200, 1200],
      boot: false,
    })
  })

  test.each([
    ['a shell command in an argument', FILE.replace('$CASE', '"a;b"'), /x\.yaml:10:\d+: cases\.read\.run\.3/],
    ['another variable', FILE.replace('$CASE', '$HOME'), /run\.3/],
    ['a variable that only begins like one', FILE.replace('$CASE', '$Nx'), /run\.3/],
    ['neither fio nor run', FILE.replace('run: [prog, -n, $N, $CASE]', 'lengths: [1, 2]'), /give one of/],
    ['a long length that is shorter', `${FILE}    lengths: [5, 5]\n`, /has to be longer/],
    ['an unknown key', `${FILE}    colour: red\n`, /x\.yaml:11:5: cases\.read\.colour/],
    ['a place with a slash', FILE.replace('nil:', 'a/b:'), /places/],
  ])('with %s is refused with its place', (_, text, message) => {
    expect(() => parseCases(text, 'x.yaml')).toThrow(UsageError)
    expect(() => parseCases(text, 'x.yaml')).toThrow(message)
  })
})

/** read is against copy, which does the same by another way. */
const AGAINST = `${FILE}    against: copy\n  copy:\n    what: a copy\n    run: [prog, -c, $N, $CASE]\n`

describe('a case that is against another one', () => {
  test.each([
    ['none', FILE, undefined],
    ['one of its place', AGAINST, 'nil/copy'],
  ])('of %s', (_, text, against) => {
    expect(only(text).against).toBe(against)
  })

  test.each([
    [
      'no case',
      AGAINST.replace('against: copy', 'against: cpoy'),
      /nil\/read is against nil\/cpoy, which is no case/,
    ],
    ['itself', AGAINST.replace('against: copy', 'against: read'), /which is against nil\/read itself/],
    ['one that is against another', `${AGAINST}    against: read\n`, /which is against nil\/read itself/],
    [
      'one of other places',
      `${AGAINST}    on: [dev]\n`.replace('cases:', '  dev:\n    machine: count\ncases:'),
      /nil\/read is against nil\/copy, which is no case/,
    ],
  ])('is refused when that is %s', (_, text, message) => {
    expect(() => parseCases(text, 'x.yaml')).toThrow(UsageError)
    expect(() => parseCases(text, 'x.yaml')).toThrow(message)
  })

  test('is never measured without it', () => {
    const names = (wanted: string[]): string[] =>
      selectCases(parseCases(AGAINST, 'x.yaml'), wanted).map((one) => one.name)
    expect(names(['nil/read'])).toEqual(['nil/read', 'nil/copy'])
    expect(names(['nil/copy'])).toEqual(['nil/copy'])
  })

  const [read, copy] = parseCases(AGAINST, 'x.yaml') as [Case, Case]
  const cost = (kernel: number, name: string) => ({ kernel, user: kernel / 2, functions: { [name]: kernel } })
  /** Boots of the base, which knows neither way, and of the series. */
  const base = Array.from({ length: 2 }, () => ({
    costs: { 'nil/read': 'no such call', 'nil/copy': 'not counted here' },
    times: { 'nil/read': 1, 'nil/copy': 2 },
    counts: {},
    seconds: 1,
    notes: [],
  }))
  const series = [100, 101].map((n, i) => ({
    costs: { 'nil/read': cost(80 + i / 100, 'fast'), 'nil/copy': cost(100 + i / 100, 'slow') },
    times: { 'nil/read': n / 2, 'nil/copy': n },
    counts: { 'nil/read entries': 1, 'nil/copy entries': 16 },
    seconds: 1,
    notes: [],
  }))

  test('has the costs, functions and counts of the other one at the series point as its base', () => {
    const [one, other] = benchCases([read, copy], {
      counts: [base, series],
      times: undefined,
      distrust: undefined,
    })
    expect(one).toMatchObject({
      name: 'nil/read',
      against: { case: 'nil/copy', what: 'a copy' },
      samples: { base: [100, 100.01], series: [80, 80.01] },
      resolvable: true,
      functions: [
        { name: 'slow', series: 0 },
        { name: 'fast', base: 0 },
      ],
      counts: { entries: { base: 16, series: 1 } },
      user: { base: expect.closeTo(50, 1), series: expect.closeTo(40, 1) },
    })
    expect(one).not.toHaveProperty('why')
    expect(one?.ratio).toBeCloseTo(0.8, 3)
    // The base cannot do the other one: it has nothing to be compared with.
    expect(other).toBeUndefined()
  })

  test('leaves the other one as it is where the base can do it, or the series cannot', () => {
    const both = benchCases([read, copy], { counts: [series, series], times: undefined, distrust: undefined })
    expect(both.map((c) => [c.name, c.ratio])).toEqual([
      ['nil/read', expect.closeTo(0.8, 3)],
      ['nil/copy', 1],
    ])
    expect(both[1]).not.toHaveProperty('against')
    const neither = benchCases([read, copy], { counts: [base, base], times: undefined, distrust: undefined })
    expect(neither[1]).toMatchObject({ name: 'nil/copy', ratio: null, why: 'not counted here' })
  })

  test('has the times of the other one, too', () => {
    const [one] = benchCases([read, copy], { counts: undefined, times: [base, series], distrust: undefined })
    expect(one?.samples).toEqual({ base: [100, 101], series: [50, 50.5] })
  })

  test('says why when the series cannot do it, or the other one', () => {
    const broken = (name: string) =>
      series.map((boot) => ({ ...boot, costs: { ...boot.costs, [name]: `${name} is missing` } }))
    for (const name of ['nil/read', 'nil/copy']) {
      const [one] = benchCases([read, copy], {
        counts: [base, broken(name)],
        times: undefined,
        distrust: undefined,
      })
      expect(one).toMatchObject({ ratio: null, resolvable: false, why: `${name} is missing` })
    }
  })
})

test("the project's targets are of cases that there are; others are refused", () => {
  const cases = loadCases(BENCH)
  expect(loadCaseTargets(BENCH, cases).map((table) => table.name)).toContain('gup')
  expect(() => loadCaseTargets(BENCH, cases.slice(1))).not.toThrow()
  expect(() => loadCaseTargets(BENCH, [])).toThrow(/dma\.yaml: there is no case dma\//)
})

describe('names on the command line', () => {
  const cases = parseCases(
    FILE.replace('cases:', 'cases:\n  write-psync:\n    what: w\n    run: [p]'),
    'x.yaml',
  )
  const names = (wanted: string[], tables: Parameters<typeof selectCases>[2] = []): string[] =>
    selectCases(cases, wanted, tables).map((one) => one.name)

  test('choose whole cases, places and patterns, in the order of the files', () => {
    expect(names([])).toEqual(['nil/write-psync', 'nil/read'])
    expect(names(['nil/read', 'nil/write-psync'])).toEqual(['nil/write-psync', 'nil/read'])
    expect(names(['*-psync'])).toEqual(['nil/write-psync'])
    expect(names(['nil'])).toHaveLength(2)
  })

  test('a table of targets is all of its cases', () => {
    const tables = [{ name: 'w', targets: [{ what: 'w', case: 'nil/write-psync', fewer: 1 }] }]
    expect(names(['w'], tables)).toEqual(['nil/write-psync'])
    expect(names(['nil/read', 'w'], tables)).toHaveLength(2)
    expect(() => names(['v'], tables)).toThrow(UsageError)
  })

  test('that choose none are refused, with the nearest one', () => {
    expect(() => names(['nil/reed'])).toThrow(/did you mean nil\/read/)
    expect(() => names(['nol'])).toThrow(/did you mean nil\?/)
    expect(() => names(['.*'])).toThrow(UsageError)
  })
})

describe('what cases count beside instructions', () => {
  const boot = (counts: Record<string, number>) => ({ costs: {}, times: {}, counts, seconds: 1, notes: [] })
  const [write, read] = parseCases(
    `${FILE}  write:\n    what: w\n    run: [p]\n    entries: 1g\n  write-all:\n    what: w\n    run: [p]\n`,
    'x.yaml',
  ).toReversed() as [Case, Case]
  const recorded = (base: Record<string, number>[], series: Record<string, number>[]): BenchCase[] =>
    benchCases([write, read], {
      counts: [base.map(boot), series.map(boot)],
      times: undefined,
      distrust: undefined,
    })

  test('is of both points, the most of any boot, and of this case alone', () => {
    const [all, one] = recorded(
      [{ 'nil/write entries': 512, 'nil/write-all x': 7 }, { 'nil/write entries': 500 }],
      [{ 'nil/write entries': 1, 'nil/write array-bytes': 16 }, { 'nil/write entries': 2 }],
    )
    expect(all?.counts).toEqual({ x: { base: 7, series: null } })
    expect(one?.counts).toEqual({
      'array-bytes': { base: null, series: 16 },
      entries: { base: 512, series: 2 },
    })
    expect(recorded([{}], [{}])[0]).not.toHaveProperty('counts')
  })

  test('the record names the entries of the cases that give them a name', () => {
    const cases = recorded(
      [{ 'nil/write entries': 512 }],
      [{ 'nil/write entries': 1, 'nil/write-all entries': 9 }],
    )
    expect(entriesOf([write, read], cases)).toEqual({ '1g': 1 })
    expect(entriesOf([write, read], recorded([{ 'nil/write entries': 512 }], [{}]))).toEqual({})
  })
})

describe('the cost of an operation', () => {
  test('by slope leaves out what both lengths have, and the warm-up', () => {
    const cost = costOf(only(FILE), [
      { region: region(99_999), operations: 200 },
      { region: region(1000 + 200 * 30, {}, { f: 700 + 200 * 10 }), operations: 200 },
      { region: region(1000 + 1200 * 30, {}, { f: 700 + 1200 * 10 }), operations: 1200 },
    ])
    expect(cost).toMatchObject({ kernel: 30, user: 60 })
    expect((cost as Cost).functions.get('f')).toBe(10)
  })

  test('by steps is what is usual, whatever some late wake-ups and early answers cost', () => {
    const stepped = only(`${FILE}    steps: {at: mark, operations: 2}\n`)
    const cost = costOf(stepped, [
      { region: region(1000, { '-': [20, 900, 60, 901, 60, 60, 25, 61, 60, 902, 60] }), operations: 16 },
    ])
    expect(cost).toMatchObject({ kernel: 30 })
  })

  test('by entries of a function adds those of one operation, after a warm-up', () => {
    const text = `${FILE}    steps: {at: sys_enter, entries: 2}\n`
    const stepped = only(text)
    const entries = [...Array<number>(20).fill(5), ...Array.from({ length: 40 }, (_, i) => (i % 2 ? 10 : 20))]
    const cost = costOf(stepped, [{ region: region(2000, { sys_enter: entries }), operations: 30 }])
    expect(cost).toMatchObject({ kernel: 30 })
    // Where a request is answered within its call there is no second one.
    const atOnce = text.replace('disk: /dev/nullb0', 'disk: /dev/nullb0\n    answers: at once')
    expect(only(atOnce).steps?.entries).toBe(1)
  })

  test.each([
    ['no region', []],
    ['one region', [{ region: region(5), operations: 5 }]],
    ['regions of one length', Array.from({ length: 3 }, () => ({ region: region(5), operations: 5 }))],
    [
      'a long region that costs less',
      [5, 100, 50].map((n, i) => ({ region: region(n), operations: 10 + i })),
    ],
  ])('is a reason and no number with %s', (_, measured) => {
    expect(costOf(only(FILE), measured)).toBeTypeOf('string')
  })
})

describe("the guest's script", () => {
  test('says of each case why its place cannot be set up', () => {
    const { script } = countingPlan([only(FILE)], BENCH)
    const body = script.slice(script.indexOf('setup_nil()'), script.indexOf('awk'))
    const out = execFileSync(
      'sh',
      ['-c', body.replaceAll('/tmp/', `${process.env['TMPDIR'] ?? '/tmp'}/phyr-case-`)],
      { encoding: 'utf8' },
    )
    expect(out).toBe('phyr: fail nil/read set-up of nil: no /dev/nullb0 here\n')
  })

  test('takes a device out of its first state before the first mark', () => {
    const text = FILE.replace(
      'run: [prog, -n, $N, $CASE]',
      'fio: {file: block.fio, job: read-128k-psync}',
    ).replace('machine: count', 'machine: count\n    prime: randread-4k-io_uring-32')
    for (const planOf of [countingPlan, timingPlan]) {
      const [file] = planOf([only(text)], BENCH).files as readonly { data: string }[]
      const sections = file!.data.match(/^\[.*\]$/gm)
      expect(sections?.slice(0, 2)).toEqual(['[global]', '[prime]'])
      expect(file!.data.split('[c0')[0]).not.toContain('mark')
    }
  })

  test('runs a warm-up, the short and the long length; a program with steps only the long one', () => {
    expect(countingPlan([only(FILE)], BENCH).script.match(/^\tN=\d+$/gm)).toEqual([
      '\tN=200',
      '\tN=200',
      '\tN=1200',
    ])
    const stepped = only(`${FILE}    steps: {at: mark}\n`)
    expect(countingPlan([stepped], BENCH).script.match(/^\tN=\d+$/gm)).toEqual(['\tN=1200'])
  })
})
