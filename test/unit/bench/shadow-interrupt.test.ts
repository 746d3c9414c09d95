// SPDX-License-Identifier: GPL-2.0-only
// Interrupts on the shadow stack: each has a path of its own, and what it interrupted goes on.
import { describe, expect, test } from 'vitest'
import { counted, known, useShadow } from './shadow-driver.ts'

useShadow()

describe('an interrupt', () => {
  const around = (
    before: readonly string[],
    after: readonly string[],
    inside = ['irq x2 calls end_io', 'end_io x3 returns', 'irq+8 x1 irets'],
  ): string[] => ['begin', 'user space x1', 'sys x2 calls read', ...before, ...inside, ...after, 'end']

  const costs = (more: Record<string, number>): Record<string, number> =>
    known({ 'user space': 1, irq: 3, 'irq;end_io': 3, ...more })

  test('in the middle of a block has a path of its own, and what it interrupted goes on', async () => {
    expect(await counted(around(['read x9 returns !2'], ['read+8 x7 returns', 'sys+8 x1']))).toEqual(
      costs({ sys: 3, 'sys;read': 9, '#depth': 1 }),
    )
  })

  test('between a call and the function that it calls', async () => {
    expect(
      await counted(around(['read x2 calls *'], ['bio x4 returns', 'read+8 x1 returns', 'sys+8 x1'])),
    ).toEqual(costs({ sys: 3, 'sys;read': 3, 'sys;read;bio': 4, '#depth': 1 }))
  })

  test('between a return and where it returns to', async () => {
    expect(await counted(around(['read x2 returns'], ['sys+8 x1']))).toEqual(
      costs({ sys: 3, 'sys;read': 2, '#depth': 1 }),
    )
  })

  test('by the call itself, which is then executed again', async () => {
    expect(
      await counted(around(['read x2 calls bio'], ['read+4 x1 calls bio', 'bio x4 returns', 'read+8 x1'])),
    ).toEqual(costs({ sys: 2, 'sys;read': 4, 'sys;read;bio': 4, '#depth': 2 }))
  })

  test('that strikes as another ends', async () => {
    expect(
      await counted(
        around(
          ['read x3 calls bio'],
          ['bio x4 returns', 'read+12 x1'],
          [
            'irq x2 calls end_io',
            'end_io x1 returns',
            'irq+8 x1 irets',
            'irq x2 calls end_io',
            'end_io x1 returns',
            'irq+8 x1 irets',
          ],
        ),
      ),
    ).toEqual(
      known({
        'user space': 1,
        irq: 6,
        'irq;end_io': 2,
        sys: 2,
        'sys;read': 4,
        'sys;read;bio': 4,
        '#depth': 2,
      }),
    )
  })

  test('through a vector’s stub is the common entry’s', async () => {
    expect(
      await counted(
        around(['read x3'], ['read+12 x1'], ['stub+32 x2 jumps irq', 'irq x2', 'irq+8 x1 irets']),
      ),
    ).toEqual(known({ 'user space': 1, stub: 2, irq: 3, sys: 2, 'sys;read': 4, '#depth': 2 }))
  })

  test('that goes on elsewhere, as a fault with a fix-up does', async () => {
    expect(await counted(around(['read x9 !1'], ['bio+16 x2 returns', 'sys+8 x1']))).toEqual(
      costs({ sys: 3, 'sys;read': 1, 'sys;bio': 2, '#depth': 1 }),
    )
  })

  test('does not match the frames below it', async () => {
    expect(
      await counted(around(['read x3'], [], ['irq x2 calls end_io', 'end_io x3 returns', 'sys+8 x5'])),
    ).toMatchObject({ '[lost];sys': 5, '#unknown': 5 })
  })

  test('iret to itself ends none', async () => {
    expect(
      await counted(['begin', 'user space x1', 'sys x2 calls read', 'read x2 irets', 'read+8 x3', 'end']),
    ).toEqual(known({ 'user space': 1, sys: 2, 'sys;read': 5, '#depth': 2 }))
  })
})

describe('the timer’s interrupt', () => {
  test('is counted apart, also what interrupts it', async () => {
    expect(
      await counted([
        'begin',
        'user space x1',
        'sys x2',
        'tick x2 calls end_io',
        'end_io x3 !2',
        'irq x2 irets',
        'end_io+8 x1 returns',
        'tick+8 x1 irets',
        'sys+8 x5',
        'end',
      ]),
    ).toEqual(known({ 'user space': 1, sys: 7, '#tick': 8, '#depth': 1 }))
  })

  test('in the timer’s interrupt ends only itself', async () => {
    expect(
      await counted([
        'begin',
        'user space x1',
        'sys x2',
        'tick x2',
        'tick x2',
        'tick+8 x1 irets',
        'tick+8 x3 irets',
        'sys+8 x5',
        'end',
      ]),
    ).toEqual(known({ 'user space': 1, sys: 7, '#tick': 8, '#depth': 1 }))
  })

  test('ends where it switches to another task', async () => {
    expect(
      await counted([
        'begin',
        'user space x1',
        'tick x2 calls schedule',
        'schedule x3 returns',
        'tick+8 x4 irets',
        'user space x1',
        'end',
      ]),
    ).toEqual(known({ 'user space': 2, tick: 4, 'tick;schedule': 3, '#tick': 2, '#depth': 1 }))
  })
})
