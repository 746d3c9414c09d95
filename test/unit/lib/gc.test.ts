// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { artefact } from '../../../tools/lib/cache.ts'
import { listCache, planGc, removeItem, type CacheItem } from '../../../tools/lib/gc.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'phyr-gc-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const item = (name: string, bytes: number, day: number): CacheItem => ({
  stage: 'kernel',
  name,
  path: `/${name}`,
  bytes,
  lastUsed: new Date(Date.UTC(2026, 0, day)),
})
const now = new Date(Date.UTC(2026, 0, 31))
const names = (items: readonly CacheItem[]): string[] => items.map((i) => i.name)

test('the least recently used goes first, until the rest fits', () => {
  const items = [item('old', 5, 10), item('mid', 5, 20), item('new', 5, 30)]
  expect(names(planGc(items, { maxBytes: 15, maxDays: 99 }, now))).toEqual([])
  expect(names(planGc(items, { maxBytes: 14, maxDays: 99 }, now))).toEqual(['old'])
  expect(names(planGc(items, { maxBytes: 0, maxDays: 99 }, now))).toEqual(['old', 'mid', 'new'])
})

test('what was not used for too long goes, however small the cache', () => {
  expect(names(planGc([item('old', 1, 10), item('new', 1, 30)], { maxBytes: 99, maxDays: 7 }, now))).toEqual([
    'old',
  ])
})

test('use counts, not age; history is not offered for deletion', async () => {
  const make = async (): Promise<null> => null
  const first = await artefact('kernel', { n: 1 }, make, root)
  const second = await artefact('kernel', { n: 2 }, make, root)
  const past = new Date(2020, 1, 1)
  utimesSync(join(first.dir, 'manifest.json'), past, past)
  utimesSync(join(second.dir, 'manifest.json'), past, past)
  await artefact('kernel', { n: 1 }, make, root) // a hit
  mkdirSync(join(root, 'results'))
  writeFileSync(join(root, 'results', 'a.json'), '{}')
  const items = await listCache(root)
  expect(names(items)).toEqual([second.key, first.key])
  expect(items.every((i) => i.bytes > 0)).toBe(true)
  await removeItem(root, items[0]!)
  expect(existsSync(second.dir)).toBe(false)
  expect((await artefact('kernel', { n: 2 }, make, root)).cached).toBe(false)
})

test('an empty or missing cache is fine', async () => {
  expect(await listCache(join(root, 'none'))).toEqual([])
})
