// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest'
import { canonical, keyOf } from '../../../tools/lib/hash.ts'
import { printable } from '../../../tools/lib/log.ts'
import { cacheRoot, staysInside } from '../../../tools/lib/paths.ts'

describe('staysInside', () => {
  test.each(['a', 'a/b', './a', 'a/../b', '..a/b'])('%j is inside', (path) =>
    expect(staysInside(path)).toBe(true),
  )
  test.each(['', '/etc/passwd', '..', '../a', 'a/../../b', 'a\0b'])('%j is not', (path) =>
    expect(staysInside(path)).toBe(false),
  )
})

describe('keyOf', () => {
  test('does not depend on the order of keys, nor on undefined ones', () => {
    expect(keyOf({ a: 1, b: [1, { d: 2, c: 3 }] })).toBe(
      keyOf({ b: [1, { c: 3, d: 2 }], a: 1, e: undefined }),
    )
  })
  test('tells lists from their joins and numbers from their texts', () => {
    expect(keyOf(['a', 'b'])).not.toBe(keyOf(['a,b']))
    expect(keyOf(1)).not.toBe(keyOf('1'))
  })
  test('canonical is JSON', () => {
    const value = { b: [1, null, 'x"y'], a: true }
    expect(JSON.parse(canonical(value))).toEqual(value)
  })
})

test('printable shows control characters instead of sending them to the terminal', () => {
  expect(printable('a\x1b]0;title\x07b\tc\nd\x9b2J')).toBe('a\\x1b]0;title\\x07b\tc\nd\\x9b2J')
})

test('the cache directory: PHYR_CACHE before XDG_CACHE_HOME before the home', () => {
  expect(cacheRoot({ PHYR_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a')
  expect(cacheRoot({ XDG_CACHE_HOME: '/b' })).toBe('/b/phyr')
  expect(cacheRoot({})).toMatch(/\/\.cache\/phyr$/)
})
