// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findCarried } from '../../../tools/guest/carry.ts'
import { LabError } from '../../../tools/lib/errors.ts'

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-carry-'))
  for (const file of [
    'first/own/liba-v1.so',
    'second/own/liba-v2.so',
    'second/own/libb-v1.so',
    'etc/a.driver',
  ]) {
    mkdirSync(join(dir, file, '..'), { recursive: true })
    writeFileSync(join(dir, file), '')
  }
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const dirs = (): string[] => ['none', 'first', 'second'].map((name) => join(dir, name))

test('the first of the loader’s directories that has it', () => {
  expect(findCarried('own/liba-v*.so', dirs())).toEqual([join(dir, 'first/own/liba-v1.so')])
  expect(findCarried('own/libb-v*.so', dirs())).toEqual([join(dir, 'second/own/libb-v1.so')])
  expect(findCarried('own/lib*.so', dirs().toReversed())).toHaveLength(2)
})

test('an absolute path is that file', () => {
  expect(findCarried(join(dir, 'etc/a.driver'), dirs())).toEqual([join(dir, 'etc/a.driver')])
})

test('a star is the only letter with a meaning', () => {
  expect(() => findCarried('own/liba-v1?so', dirs())).toThrow(LabError)
  expect(() => findCarried('own/liba.v1.so', dirs())).toThrow('cannot put own/liba.v1.so into the guest')
  expect(() => findCarried(join(dir, 'etc/b.driver'), dirs())).toThrow('no such file')
})
