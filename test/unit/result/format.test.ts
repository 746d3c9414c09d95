// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { binary, blockBytes, duration, grouped, oneLine, visible } from '../../../tools/result/format.ts'

test('grouped thousands', () => {
  expect([0, 999, 1000, 1234567].map((n) => grouped(n))).toEqual([
    '0',
    '999',
    '1\u202f000',
    '1\u202f234\u202f567',
  ])
  expect([grouped(1234.56, 1), grouped(999.96, 1), grouped(0.04, 1)]).toEqual([
    '1\u202f234.6',
    '1\u202f000.0',
    '0.0',
  ])
})

test('durations, at the edges between units too', () => {
  expect([0, 0.44, 59.94, 59.95, 395.2, 3599.4, 3599.6, 3720].map(duration)).toEqual([
    '0.0 s',
    '0.4 s',
    '59.9 s',
    '1 min 00 s',
    '6 min 35 s',
    '59 min 59 s',
    '1 h 00 min',
    '1 h 02 min',
  ])
})

test('binary units', () => {
  expect([0, 812, 1023, 1024, 1_048_575, 5_283_840, 28_311_552].map(binary)).toEqual([
    '0 B',
    '812 B',
    '1023 B',
    '1.00 KiB',
    '1.00 MiB',
    '5.04 MiB',
    '27.0 MiB',
  ])
})

test("fio's block sizes", () => {
  expect(['4k', '4K', '4096', '1M', '1m', '64KiB'].map(blockBytes)).toEqual([
    4096, 4096, 4096, 1048576, 1048576, 65536,
  ])
  expect(['', '4k-64k', 'k', '4x', '-1'].map(blockBytes)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('what cannot be seen is shown', () => {
  expect(visible('a\x1b[0m\u202eb\u200b\ud800c\u{1f600}é')).toBe(
    'a\\x1b[0m\\u{202e}b\\u{200b}\\u{d800}c\u{1f600}é',
  )
  expect(visible('a\n\tb')).toBe('a\n\tb')
  expect(oneLine('a\n\tb\r')).toBe('a\\n\\tb\\x0d')
})
