// SPDX-License-Identifier: GPL-2.0-only
// The shadow stack of a task: calls, returns, and what looks like one or the other.
import { expect, test } from 'vitest'
import { counted, known, useShadow } from './shadow-driver.ts'

useShadow()

test('calls go down, returns come back, and user space is one path', async () => {
  expect(
    await counted([
      'begin',
      'user space x3',
      'user space+40 x2',
      'sys x2 calls read',
      'read x3 calls *',
      'bio x4 returns',
      'read+12 x1 calls bio',
      'bio x4 returns',
      'read+16 x2 returns',
      'sys+8 x1',
      'user space x7',
      'end',
    ]),
  ).toEqual(known({ 'user space': 12, sys: 3, 'sys;read': 6, 'sys;read;bio': 8, '#depth': 1 }))
})

test('what runs before the mark is followed and not counted', async () => {
  expect(
    await counted(['user space x3', 'sys x2 calls read', 'read x3', 'begin', 'read+12 x4', 'end']),
  ).toEqual(known({ 'sys;read': 4, '#depth': 2 }))
})

test('a return can leave several functions at once', async () => {
  expect(
    await counted([
      'begin',
      'user space x1',
      'sys x2 calls read',
      'read x3 calls bio',
      'bio x4 returns',
      'sys+8 x5',
      'end',
    ]),
  ).toEqual(known({ 'user space': 1, sys: 7, 'sys;read': 3, 'sys;read;bio': 4, '#depth': 1 }))
})

test('recursion is a path of its own', async () => {
  expect(
    await counted([
      'begin',
      'user space x1',
      'sys x2 calls read',
      'read x3 calls read',
      'read x3 calls read',
      'read x4 returns',
      'read+12 x1 returns',
      'read+12 x1 returns',
      'sys+8 x1',
      'end',
    ]),
  ).toEqual(
    known({
      'user space': 1,
      sys: 3,
      'sys;read': 4,
      'sys;read;read': 4,
      'sys;read;read;read': 4,
      '#depth': 1,
    }),
  )
})

test('a block that is left before its call has called nothing', async () => {
  expect(
    await counted([
      'begin',
      'user space x1',
      'sys x2 calls read',
      'read x5 calls bio !2',
      'read+8 x3 calls bio',
      'bio x4 returns',
      'read+20 x1',
      'end',
    ]),
  ).toEqual(known({ 'user space': 1, sys: 2, 'sys;read': 6, 'sys;read;bio': 4, '#depth': 2 }))
})

test('a tail call takes the place of its function, and its return is that function’s', async () => {
  expect(
    await counted([
      'begin',
      'user space x1',
      'sys x2 calls read',
      'read x3 jumps bio',
      'bio x4 jumps *',
      'end_io x5 returns',
      'sys+8 x1',
      'end',
    ]),
  ).toEqual(known({ 'user space': 1, sys: 3, 'sys;read': 3, 'sys;bio': 4, 'sys;end_io': 5, '#depth': 1 }))
})

test('a retpoline is a call of what it returns to', async () => {
  expect(
    await counted([
      'begin',
      'user space x1',
      'sys x2 calls thunk',
      'thunk x1 calls *',
      'thunk+16 x2 returns',
      'read x5 returns',
      'sys+8 x1',
      'end',
    ]),
  ).toEqual(
    known({ 'user space': 1, sys: 3, 'sys;thunk': 1, 'sys;thunk;thunk': 2, 'sys;read': 5, '#depth': 1 }),
  )
})

test('the entry’s own labels stay under the entry', async () => {
  expect(
    await counted(['begin', 'user space x1', 'irq x2', 'thunk+8 x3 irets', 'user space x1', 'end']),
  ).toEqual(known({ 'user space': 2, irq: 2, 'irq;thunk': 3, '#depth': 1 }))
})
