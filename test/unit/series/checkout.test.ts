// SPDX-License-Identifier: GPL-2.0-only
import {
  existsSync,
  lstatSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { provideBase } from '../../../tools/base/provide.ts'
import { UsageError } from '../../../tools/lib/errors.ts'
import { applySeries } from '../../../tools/series/apply.ts'
import { checkoutTree, withTree } from '../../../tools/series/checkout.ts'
import type { Applied } from '../../../tools/series/series.ts'
import { LINES, scratch, writeFiles } from '../base/repo-fixture.ts'
import { edited, makeSeries } from './series-fixture.ts'

let dir: string
let remove: () => void
let whole: Applied
let one: Applied
let none: Applied
beforeEach(async () => {
  ;({ dir, remove } = scratch())
  const { base, series } = await makeSeries(dir)
  whole = await applySeries(base, series)
  one = await applySeries(base, series, { upTo: 1 })
  none = await applySeries(base, series, { upTo: 0 })
})
afterEach(() => remove())

/** Sets every file's time back, so that a written file shows. */
function age(tree: string): void {
  for (const path of ['Makefile', 'mm/gup.c', 'block/bio.c']) {
    utimesSync(join(tree, path), new Date(1e12), new Date(1e12))
  }
}

const isOld = (tree: string, path: string): boolean => statSync(join(tree, path)).mtimeMs === 1e12

test('the tree has the series, and moving it writes only what differs', async () => {
  const tree = await checkoutTree(none)
  expect(readFileSync(join(tree.dir, 'mm/gup.c'), 'utf8')).toBe(LINES)
  expect(lstatSync(join(tree.dir, 'link')).isSymbolicLink()).toBe(true)
  age(tree.dir)
  const moved = await checkoutTree(whole)
  expect(moved).toEqual({ dir: tree.dir, applied: whole })
  expect(readFileSync(join(tree.dir, 'mm/gup.c'), 'utf8')).toContain('line four')
  expect(existsSync(join(tree.dir, 'lib/phyr.c'))).toBe(true)
  expect(['Makefile', 'block/bio.c', 'mm/gup.c'].map((path) => isOld(tree.dir, path))).toEqual([
    true,
    true,
    false,
  ])
  age(tree.dir)
  await checkoutTree(whole)
  expect(isOld(tree.dir, 'mm/gup.c')).toBe(true)
  await checkoutTree(one)
  expect(readFileSync(join(tree.dir, 'mm/gup.c'), 'utf8')).toBe(edited(3, 'line three'))
  expect(existsSync(join(tree.dir, 'lib'))).toBe(false)
})

test('local changes, unknown files and a nested repository are gone, the rest is not written', async () => {
  const { dir: tree } = await checkoutTree(whole)
  age(tree)
  writeFiles(tree, { 'mm/gup.c': 'changed', 'new/file.c': 'x', 'sub/.git/config': '' })
  rmSync(join(tree, 'lib/phyr.c'))
  await checkoutTree(whole)
  expect(readFileSync(join(tree, 'mm/gup.c'), 'utf8')).toContain('line four')
  expect(['lib/phyr.c', 'new', 'sub'].map((path) => existsSync(join(tree, path)))).toEqual([
    true,
    false,
    false,
  ])
  expect(isOld(tree, 'Makefile')).toBe(true)
})

test('what a killed git leaves does not stop the next checkout', async () => {
  const { dir: tree } = await checkoutTree(one)
  writeFileSync(join(tree, '.git/index.lock'), '')
  writeFileSync(join(tree, '.git/HEAD.lock'), '')
  truncateSync(join(tree, 'mm/gup.c'), 10)
  await checkoutTree(whole)
  expect(readFileSync(join(tree, 'mm/gup.c'), 'utf8')).toContain('line four')
  truncateSync(join(tree, '.git/index'), 100)
  await checkoutTree(one)
  expect(readFileSync(join(tree, 'mm/gup.c'), 'utf8')).toBe(edited(3, 'line three'))
  rmSync(join(tree, '.git/HEAD'))
  await checkoutTree(whole)
  expect(readFileSync(join(tree, 'mm/gup.c'), 'utf8')).toContain('line four')
})

test('the same sources from another provider use the same tree and write nothing', async () => {
  const { dir: tree } = await checkoutTree(whole)
  age(tree)
  const base = await provideBase({ linux: join(dir, 'linux') }, whole.series)
  const other = await applySeries(base, whole.series)
  expect((await checkoutTree(other)).dir).toBe(tree)
  expect(isOld(tree, 'mm/gup.c')).toBe(true)
})

test('slots are apart, their names are checked, and withTree keeps others out', async () => {
  const a = await checkoutTree(whole, { slot: 'a' })
  const b = await checkoutTree(none, { slot: 'b' })
  expect(a.dir).not.toBe(b.dir)
  await expect(checkoutTree(whole, { slot: '../x' })).rejects.toBeInstanceOf(UsageError)
  const order: string[] = []
  const slow = withTree(whole, {}, async (tree) => {
    order.push('in')
    await sleep(300)
    order.push(readFileSync(join(tree.dir, 'mm/gup.c'), 'utf8') === LINES ? 'moved under me' : 'held')
  })
  while (order.length === 0) await sleep(10)
  await Promise.all([slow, checkoutTree(none).then(() => order.push('moved'))])
  expect(order).toEqual(['in', 'held', 'moved'])
})
