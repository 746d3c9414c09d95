// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest'
import type { Figures } from '../../../tools/result/bench-record.ts'
import { benchOutputSchema } from '../../../tools/result/bench-record.ts'
import { changeOf, deterministicFigures, wallFigures } from '../../../tools/result/figures.ts'
import { random } from '../../../tools/result/statistics.ts'

const unit = 'instructions/IO'
const kinds = { deterministic: deterministicFigures, wall: wallFigures }

/** Whether a record may hold them. */
function holds(figures: Figures): boolean {
  return benchOutputSchema.shape.cases.element.safeParse({ name: 'a/b', what: 'x', ...figures }).success
}

describe('deterministic', () => {
  test('a no-op is 1.000 and the same; +1 % is found; -1 % too', () => {
    const base = [3326, 3326, 3326.4]
    const of = (factor: number): Figures =>
      deterministicFigures({ unit, base, series: base.map((n) => n * factor) })
    expect(of(1)).toMatchObject({ ratio: 1, resolvable: true, repeats: 3, smallest: 0.001 })
    expect([1, 1.01, 0.99].map((factor) => changeOf(of(factor)))).toEqual(['same', 'more', 'less'])
    expect(of(1.01).ratio).toBeCloseTo(1.01, 12)
    expect(of(1)).not.toHaveProperty('why')
  })

  test('the ratio is not rounded, and is of the medians', () => {
    const figures = deterministicFigures({ unit, base: [3000, 3003, 3000], series: [3009, 3009, 3013] })
    expect(figures).toMatchObject({ base: 3000, series: 3009, ratio: 3009 / 3000 })
    expect(figures.low).toBeCloseTo(Math.min(3009 / 3003, 3009 / 3000 / 1.001), 12)
    expect(figures.high).toBe(3013 / 3000)
  })

  test('samples that agree to the instruction still do not show less than the resolution', () => {
    const of = (series: number): Figures =>
      deterministicFigures({ unit, base: [10_000, 10_000], series: [series, series] })
    expect([10_009, 9_991, 10_011, 9_989].map((n) => changeOf(of(n)))).toEqual([
      'same',
      'same',
      'more',
      'less',
    ])
    expect(of(10_004).ratio?.toFixed(3)).toBe('1.000')
  })

  test('repeats that differ by more than 0.1 % are never averaged away', () => {
    const figures = deterministicFigures({
      unit,
      base: [10_000, 10_000, 10_034],
      series: [20_000, 20_000, 20_000],
    })
    expect(figures).toMatchObject({ resolvable: false, ratio: 2, spread: { base: 0.0034, series: 0 } })
    expect(figures.why).toBe('the same image (base) measured twice differs by 0.34 %, more than 0.1 %')
    expect(figures.smallest).toBeCloseTo(0.0034, 12)
    expect(changeOf(figures)).toBe('unresolved')
    const other = deterministicFigures({ unit, base: [100, 100], series: [100, 107] })
    expect(other.why).toContain('(series) measured twice differs by 6.8 %')
  })

  test('at the bound: 0.1 % is agreement, above is not', () => {
    const of = (last: number): boolean =>
      deterministicFigures({ unit, base: [10_000, 10_000, last], series: [10_000, 10_000] }).resolvable
    expect([of(10_010), of(10_011)]).toEqual([true, false])
  })

  test('a change within what the repeats differ is none', () => {
    const figures = deterministicFigures({ unit, base: [10_000, 10_009], series: [10_008, 10_016] })
    expect(changeOf(figures)).toBe('same')
  })

  test('one repeat shows nothing', () => {
    const figures = deterministicFigures({ unit, base: [100], series: [200, 200] })
    expect(figures).toMatchObject({ ratio: 2, resolvable: false, repeats: 1, smallest: null })
    expect(figures.why).toBe('measured once: nothing shows that a repeat agrees')
  })
})

describe('wall clock', () => {
  const next = random(7)
  const times = (n: number, mean: number, noise: number): number[] =>
    Array.from({ length: n }, () => mean * (1 + noise * (next() - 0.5)))

  test('a planted change is found, a no-op is not, and noise is not resolvable', () => {
    const change = (of: number, noise: number): string =>
      changeOf(wallFigures({ unit: 'ns/IO', base: times(8, 900, noise), series: times(8, 900 * of, noise) }))
    expect([change(1.1, 0.04), change(0.9, 0.04)]).toEqual(['more', 'less'])
    expect(change(1, 0.02)).toBe('same')
    expect(change(1.01, 0.3)).toBe('unresolved')
  })

  test('what cannot be resolved says how wide it is and what could have been seen', () => {
    const figures = wallFigures({
      unit: 'ns/IO',
      base: [100, 93, 108, 97, 104, 101],
      series: [103, 101, 96, 109, 95, 100],
    })
    expect(figures.resolvable).toBe(false)
    expect(figures.why).toMatch(/^\u00b1[\d.]+ %, smallest visible change [\d.]+ %$/)
    expect(Number(/\u00b1([\d.]+)/.exec(figures.why ?? '')?.[1])).toBeGreaterThan(3)
    expect(figures.smallest).toBeGreaterThan((figures.high ?? 0) - 1)
  })

  test('an interval that is narrow but reaches past 3 % is not no change', () => {
    const base = [100, 100, 100, 100, 100]
    const inside = wallFigures({ unit: 'ns/IO', base, series: [99.9, 101, 101, 101.5, 101.9] })
    expect(changeOf(inside)).toBe('same')
    const outside = wallFigures({ unit: 'ns/IO', base, series: [99.9, 102.5, 102.5, 103, 104] })
    expect(outside.low).toBeLessThan(1)
    expect(changeOf(outside)).toBe('unresolved')
  })

  test('fewer than five repeats are not resolvable, whatever they say', () => {
    const figures = wallFigures({ unit: 'ns/IO', base: [1, 1, 1, 1], series: [2, 2, 2, 2] })
    expect(figures).toMatchObject({ ratio: 2, resolvable: false })
    expect(figures.why).toBe('4 repeats: a 95 % interval needs 5')
    const one = wallFigures({ unit: 'ns/IO', base: [1], series: [2] })
    expect(one).toMatchObject({
      ratio: 2,
      low: 2,
      high: 2,
      smallest: null,
      why: '1 repeat: a 95 % interval needs 5',
    })
    const five = wallFigures({ unit: 'ns/IO', base: [1, 1, 1, 1, 1], series: [2, 2, 2, 2, 2] })
    expect(changeOf(five)).toBe('more')
  })

  test('a busy host makes it unresolvable, and the numbers stay', () => {
    const samples = { unit: 'ns/IO', base: times(6, 100, 0.01), series: times(6, 200, 0.01) }
    expect(changeOf(wallFigures(samples))).toBe('more')
    const figures = wallFigures({ ...samples, distrust: 'others used 1.20 processors' })
    expect(figures).toMatchObject({ resolvable: false, why: 'others used 1.20 processors' })
    expect(figures.ratio).toBeCloseTo(2, 1)
  })
})

describe.each(Object.entries(kinds))('%s, both kinds alike', (_name, of) => {
  test('nothing measured: no numbers, and why', () => {
    const figures = of({ unit, base: [], series: [1, 2] })
    expect(figures).toEqual({
      unit,
      base: null,
      series: null,
      ratio: null,
      low: null,
      high: null,
      resolvable: false,
      repeats: 0,
      samples: { base: [], series: [1, 2] },
      spread: { base: null, series: null },
      smallest: null,
      why: 'base was not measured',
    })
    expect(of({ unit, base: [], series: [] }).why).toBe('base was not measured; series was not measured')
    expect(changeOf(figures)).toBe('unresolved')
  })

  test.each([0, -3, Number.NaN, Infinity])(
    'a sample of %s is no cost, and nothing is made of the others',
    (wrong) => {
      const figures = of({ unit, base: [5, 5, 5, 5, 5], series: [5, 5, wrong, 5, 5] })
      expect(figures).toMatchObject({ ratio: null, base: null, resolvable: false })
      expect(figures.why).toBe(`sample 3 of series is no cost: ${wrong}`)
      expect(holds(figures)).toBe(true)
    },
  )

  test('ratio(a, b) × ratio(b, a) = 1, low ≤ ratio ≤ high, the same every time, and a record takes it', () => {
    const next = random(99)
    for (let i = 0; i < 60; i++) {
      const draw = (n: number): number[] => {
        const scale = 10 ** (6 * next() - 2)
        return Array.from({ length: n }, () => scale * (1 + 0.2 * next()))
      }
      const counts = [2, 3, 5, 6, 9]
      const a = draw(counts[Math.floor(next() * 5)]!)
      const b = draw(counts[Math.floor(next() * 5)]!)
      const there = of({ unit, base: a, series: b })
      const back = of({ unit, base: b, series: a })
      expect(there.ratio! * back.ratio!).toBeCloseTo(1, 12)
      expect(there.low!).toBeLessThanOrEqual(there.ratio!)
      expect(there.high!).toBeGreaterThanOrEqual(there.ratio!)
      if (a.length === b.length) expect(there.low! * back.high!).toBeCloseTo(1, 12)
      expect(of({ unit, base: a, series: b })).toEqual(there)
      expect(there.samples).toEqual({ base: a, series: b })
      expect(there.resolvable).toBe(there.why === undefined)
      expect(holds(there)).toBe(true)
    }
  })
})

test('times of one image that go far apart say nothing, even where every one of them is above the others', () => {
  const base = [100, 101, 102, 103, 104, 150]
  const series = base.map((time) => time * 1.2)
  const noisy = wallFigures({ unit: 'ns/IO', base, series })
  expect(noisy).toMatchObject({ resolvable: false, why: 'repeats of the same image differ by 49 %' })
  const quiet = wallFigures({ unit: 'ns/IO', base: base.slice(0, 5), series: series.slice(0, 5) })
  expect(quiet.resolvable).toBe(true)
  expect(quiet.low).toBeGreaterThan(1)
})
