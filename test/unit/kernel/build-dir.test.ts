// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  markBuilding,
  prepareBuildDir,
  rebuildReason,
  recoverKilled,
} from '../../../tools/kernel/build-dir.ts'

const origin = { source: '/tree', toolchain: { compiler: 'gcc 12' } }
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-object-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** A file that was there before the build under test began. */
function old(name: string): string {
  const path = join(dir, name)
  writeFileSync(path, '')
  utimesSync(path, 1000, 1000)
  return path
}

test('a killed build loses what it wrote, and nothing older', () => {
  mkdirSync(join(dir, 'block'))
  const kept = old('block/old.o')
  markBuilding(dir)
  const half = join(dir, 'block', 'half.o')
  writeFileSync(half, 'half an ob')
  expect(recoverKilled(dir)).toBe(1)
  expect(existsSync(kept)).toBe(true)
  expect(existsSync(half)).toBe(false)
  expect(recoverKilled(dir)).toBe(0)
})

test('a build that ended keeps everything', () => {
  const unmark = markBuilding(dir)
  const whole = join(dir, 'whole.o')
  writeFileSync(whole, '')
  unmark()
  expect(recoverKilled(dir)).toBe(0)
  expect(existsSync(whole)).toBe(true)
})

test('another source path or compiler starts from scratch; the same goes on', () => {
  prepareBuildDir(dir, origin)
  const object = old('a.o')
  prepareBuildDir(dir, origin)
  expect(existsSync(object)).toBe(true)
  prepareBuildDir(dir, { ...origin, source: '/elsewhere' })
  expect(existsSync(object)).toBe(false)
})

test('a directory of unknown origin is emptied', () => {
  const object = old('a.o')
  writeFileSync(join(dir, 'manifest.json'), '{"source":')
  prepareBuildDir(dir, origin)
  expect(existsSync(object)).toBe(false)
})

test('rebuildReason names what changed', () => {
  expect(rebuildReason(origin, origin)).toBeUndefined()
  expect(rebuildReason(origin, { ...origin, toolchain: { compiler: 'gcc 13' } })).toBe(
    'the compiler changed from "gcc 12" to "gcc 13"',
  )
  expect(rebuildReason(origin, { ...origin, source: '/b' })).toBe('the source tree moved from /tree to /b')
})
