// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Finding, UsageError } from '../../../tools/lib/errors.ts'
import { log } from '../../../tools/lib/log.ts'
import { readSeries } from '../../../tools/series/read.ts'
import { scratch, writeFiles } from '../base/repo-fixture.ts'
import { META } from './series-fixture.ts'

const patch = (name: string): string =>
  `From: A <a@b>\nSubject: [PATCH] touch ${name}\n\n---\ndiff --git a/${name} b/${name}\n` +
  `--- a/${name}\n+++ b/${name}\n@@ -1 +1 @@\n-a\n+b\n`

let dir: string
let remove: () => void
beforeEach(() => {
  ;({ dir, remove } = scratch())
  writeFiles(dir, {
    series: '# order\n2.patch\n\n1.patch # last\n',
    'series.json': JSON.stringify(META),
    '1.patch': patch('one'),
    '2.patch': patch('two'),
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  remove()
})

const order = (text: string): void => writeFileSync(join(dir, 'series'), text)

test("quilt's order, comments and identity", () => {
  const series = readSeries(dir)
  expect(series.patches.map((p) => [p.number, p.file, p.subject])).toEqual([
    [1, '2.patch', 'touch two'],
    [2, '1.patch', 'touch one'],
  ])
  expect(series).toMatchObject({ name: 'phyr', version: 1, changeId: META.changeId, base: META.base })
})

test('the hash follows order and bytes, not comments', () => {
  const { hash } = readSeries(dir)
  order('2.patch\n1.patch\n')
  expect(readSeries(dir).hash).toBe(hash)
  order('1.patch\n2.patch\n')
  expect(readSeries(dir).hash).not.toBe(hash)
  order('2.patch\n1.patch\n')
  writeFileSync(join(dir, '1.patch'), readFileSync(join(dir, '1.patch'), 'utf8').replace('+b', '+c'))
  expect(readSeries(dir).hash).not.toBe(hash)
})

test.each([
  ['a missing patch', '1.patch\n3.patch\n', /3\.patch, which is not there/],
  ['a patch listed twice', '1.patch\n2.patch\n1.patch\n', /1\.patch twice/],
  ['a path', '../1.patch\n', /"\.\.\/1\.patch"/],
  ['a hidden file', '.git\n', /"\.git"/],
  ['an option', '1.patch -p0\n', /series:1/],
])('%s is a usage error', (_, text, message) => {
  order(text)
  expect(() => readSeries(dir)).toThrow(UsageError)
  expect(() => readSeries(dir)).toThrow(message)
})

test('a patch that is not listed is only warned of', () => {
  const warn = vi.spyOn(log, 'warn').mockImplementation(() => {})
  order('1.patch\n')
  expect(readSeries(dir).patches).toHaveLength(1)
  expect(warn.mock.calls).toEqual([['2.patch is not listed in patches/series: it is not part of the series']])
})

test.each([
  ['no JSON', '{', /no JSON/],
  ['a wrong type', JSON.stringify({ ...META, version: '1' }), /version/],
  ['an unknown key', JSON.stringify({ ...META, colour: 'red' }), /colour/],
  [
    'a package that is none',
    JSON.stringify({ ...META, base: { ...META.base, package: 'rm -rf' } }),
    /base\.package/,
  ],
])('series.json with %s', (_, text, message) => {
  writeFileSync(join(dir, 'series.json'), text)
  expect(() => readSeries(dir)).toThrow(UsageError)
  expect(() => readSeries(dir)).toThrow(message)
})

test('files that are not there, or not UTF-8', () => {
  writeFileSync(join(dir, '1.patch'), Buffer.from([0x46, 0xff, 0xfe]))
  expect(() => readSeries(dir)).toThrow(Finding)
  renameSync(join(dir, 'series.json'), join(dir, 'x'))
  expect(() => readSeries(dir)).toThrow(/series\.json/)
  rmSync(join(dir, '1.patch'))
  symlinkSync('nowhere', join(dir, '1.patch'))
  renameSync(join(dir, 'x'), join(dir, 'series.json'))
  expect(() => readSeries(dir)).toThrow(UsageError)
})
