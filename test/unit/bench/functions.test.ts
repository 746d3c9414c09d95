// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { changedFunctions, functionSpread, sourceFunction } from '../../../tools/bench/functions.ts'

const map = (costs: Record<string, number>): Map<string, number> => new Map(Object.entries(costs))

test('the largest absolute change comes first, whichever way it went', () => {
  const changed = changedFunctions(
    map({ blk_mq_submit_bio: 300, bio_alloc: 80, submit_bio: 40, gone: 5 }),
    map({ blk_mq_submit_bio: 310, bio_alloc: 50, submit_bio: 40 }),
  )
  expect(changed).toEqual([
    { name: 'bio_alloc', base: 80, series: 50 },
    { name: 'blk_mq_submit_bio', base: 300, series: 310 },
    { name: 'gone', base: 5, series: 0 },
  ])
})

test('equal changes are in the order of their names, and no more than the limit is named', () => {
  const names = Array.from({ length: 14 }, (_v, i) => `f${String(i).padStart(2, '0')}`)
  const base = new Map(names.toReversed().map((n) => [n, 10] as const))
  const series = new Map(names.map((n) => [n, 11] as const))
  expect(changedFunctions(base, series).map((f) => f.name)).toEqual(names.slice(0, 10))
  expect(changedFunctions(base, series, 3).map((f) => f.name)).toEqual(names.slice(0, 3))
  expect(changedFunctions(base, series, 0)).toEqual([])
})

test.each([
  ['bio_put.part.0', 'bio_put'],
  ['bio_put.part.0.isra.12', 'bio_put'],
  ['bio_put.constprop.0.cold', 'bio_put'],
  ['bio_put.cold.3', 'bio_put'],
  ['__do_sys_read.llvm.8246301', '__do_sys_read'],
  ['nr.lto_priv.0', 'nr'],
  ['bio_put', 'bio_put'],
  ['user space', 'user space'],
  // Only what a compiler appends: these are names of their own.
  ['bio.partial', 'bio.partial'],
  ['cold', 'cold'],
  ['x.isra', 'x.isra'],
  ['.cold', '.cold'],
])('%s belongs to %s', (symbol, name) => {
  expect(sourceFunction(symbol)).toBe(name)
})

test('a rename by the compiler is no change, and clones are added up', () => {
  expect(
    changedFunctions(
      map({ 'bio_put.part.0': 30, bio_put: 10, 'dio.isra.0': 7 }),
      map({ bio_put: 40, 'dio.constprop.1': 7 }),
    ),
  ).toEqual([])
  expect(changedFunctions(map({ 'a.part.0': 30, a: 10 }), map({ a: 41 }))).toEqual([
    { name: 'a', base: 40, series: 41 },
  ])
})

test('a function that one side inlines shows on both sides, as what it is there', () => {
  expect(changedFunctions(map({ caller: 100, callee: 30 }), map({ caller: 124 }))).toEqual([
    { name: 'callee', base: 30, series: 0 },
    { name: 'caller', base: 100, series: 124 },
  ])
})

test('what is below the noise is left out: 0.01 % of the operation, or a hundredth of an instruction', () => {
  const base = map({ big: 9_900, a: 50, b: 50 })
  expect(changedFunctions(base, map({ big: 9_900, a: 50.9, b: 49.1 }))).toEqual([])
  expect(changedFunctions(base, map({ big: 9_900, a: 51.1, b: 50 })).map((f) => f.name)).toEqual(['a'])
  expect(changedFunctions(map({ a: 1 }), map({ a: 1.009 }))).toEqual([])
  expect(changedFunctions(map({ a: 1 }), map({ a: 1.011 }))).toHaveLength(1)
})

test('a slope below zero is noise, not a cost', () => {
  expect(changedFunctions(map({ a: -3, b: 10 }), map({ a: 0, b: 12 }))).toEqual([
    { name: 'b', base: 10, series: 12 },
  ])
  // Clones first: one lost to the other what it gained.
  expect(changedFunctions(map({ 'a.isra.0': -3, a: 13 }), map({ a: 10 }))).toEqual([])
})

test('what repeats of one image differ by is no change of the function', () => {
  const base = [map({ a: 100, 'b.isra.0': 50, c: 5 }), map({ a: 109, b: 50 })]
  const series = [map({ a: 104, b: 53 }), map({ a: 105, 'b.part.0': 52 })]
  const spread = functionSpread([base, series])
  expect(spread).toEqual(map({ a: 9, b: 1, c: 5 }))
  const changed = (a: number, b: number, c: number): string[] =>
    changedFunctions(map({ a: 100, b: 50 }), map({ a, b, c }), 10, spread).map((f) => f.name)
  expect(changed(109, 51, 5)).toEqual([])
  expect(changed(110, 51, 5)).toEqual(['a'])
  expect(changed(91, 48, 6)).toEqual(['c', 'b'])
  expect(functionSpread([])).toEqual(new Map())
})
