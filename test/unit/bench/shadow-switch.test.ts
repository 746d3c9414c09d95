// SPDX-License-Identifier: GPL-2.0-only
// Switches between tasks, and what cannot be followed: it is said, and every instruction is counted once.
import { describe, expect, test } from 'vitest'
import { runOk } from '../../../tools/lib/exec.ts'
import { FUNCTIONS, counted, known, shadow, useShadow } from './shadow-driver.ts'

useShadow()

describe('a switch', () => {
  /** Into switch from a function, over to a task, and back out of it to where the task had called. */
  const over = (from: number, to: number): string[] => [`leave ${from}`, `resume ${to}`]

  test('to a task and back continues both stacks, also with the same return address', async () => {
    expect(
      await counted([
        'begin',
        'user space x1',
        'sys x2 calls schedule',
        'schedule x2 calls switch',
        'switch x4 returns',
        ...over(1, 2),
        'fork x3 calls idle',
        'idle x1 calls schedule',
        'schedule x2 calls switch',
        'switch x4 returns',
        ...over(2, 1),
        'schedule+8 x1 returns',
        'sys+8 x5 calls schedule',
        'schedule x2 calls switch',
        'switch x4 returns',
        ...over(1, 2),
        'schedule+8 x1 returns',
        'idle+4 x6',
        'end',
      ]),
    ).toEqual(
      known({
        'user space': 1,
        sys: 7,
        'sys;schedule': 5,
        'sys;schedule;switch': 8,
        fork: 3,
        'fork;idle': 7,
        'fork;idle;schedule': 3,
        'fork;idle;schedule;switch': 4,
        '#depth': 2,
        '#tasks': 1,
      }),
    )
  })

  const stranger = [
    'begin',
    'user space x1',
    'sys x2 calls switch',
    'switch x4 returns !3',
    ...over(1, 2),
    'switch+12 x1 returns',
  ]

  test('to a task that was never seen is not guessed at, until user space', async () => {
    expect(
      await counted([
        ...stranger,
        'sys+8 x3 calls read',
        'read x2 returns',
        'sys+20 x2 returns',
        'idle+8 x1',
        'user space x1',
        'sys x2',
        'end',
      ]),
    ).toEqual({
      'user space': 2,
      sys: 4,
      'sys;switch': 3,
      '[switched];switch': 1,
      '[switched];sys': 5,
      '[switched];sys;read': 2,
      '[switched];idle': 1,
      '#tick': 0,
      '#cut': 0,
      '#unknown': 9,
      '#depth': 1,
      '#tasks': 1,
    })
  })

  test('to a new task begins a path there, whatever had that key before', async () => {
    expect(await counted([...stranger, 'fork x2 calls idle', 'idle x1', 'end'])).toMatchObject({
      fork: 2,
      'fork;idle': 1,
      '#unknown': 1,
    })
  })

  test('forgets the task that waited longest when there are too many', async () => {
    const out = await counted(
      [
        'begin',
        'user space x1',
        'sys x1 calls switch',
        'switch x1 returns',
        ...over(1, 2),
        'fork x1 calls switch',
        'switch x1 returns',
        ...over(2, 3),
        'fork x1 calls switch',
        'switch x1 returns',
        ...over(3, 4),
        'fork x1 calls switch',
        'switch x1 returns',
        ...over(4, 1),
        'sys+4 x5',
        'end',
      ],
      shadow.small,
    )
    expect(out).toMatchObject({ '[switched];sys': 5, '#tasks': 2 })
  })
})

describe('what cannot be followed', () => {
  test('a return to nowhere is said to be lost, and a known frame is found again', async () => {
    expect(
      await counted([
        'begin',
        'user space x1',
        'sys x2 calls read',
        'read x2 calls bio',
        'bio x2 returns',
        'end_io+8 x3 returns',
        'read+8 x4',
        'end',
      ]),
    ).toEqual({
      'user space': 1,
      sys: 2,
      'sys;read': 6,
      'sys;read;bio': 2,
      '[lost];end_io': 3,
      '#tick': 0,
      '#cut': 0,
      '#unknown': 3,
      '#depth': 2,
      '#tasks': 0,
    })
  })

  test('calls deeper than there are frames count in the deepest, and come out right', async () => {
    expect(
      await counted(
        [
          'begin',
          'user space x1',
          'sys x1 calls read',
          'read x1 calls bio',
          'bio x1 calls end_io',
          'end_io x1 calls idle',
          'idle x2 calls thunk',
          'thunk x3 returns',
          'idle+8 x4 returns',
          'end_io+4 x1 returns',
          'bio+4 x1 returns',
          'read+4 x1 returns',
          'sys+4 x1',
          'end',
        ],
        shadow.small,
      ),
    ).toEqual({
      'user space': 1,
      sys: 2,
      'sys;read': 2,
      'sys;read;bio': 2,
      'sys;read;bio;end_io': 2,
      'sys;read;bio;idle': 6,
      'sys;read;bio;thunk': 3,
      '#tick': 0,
      '#cut': 10,
      '#unknown': 0,
      '#depth': 1,
      '#tasks': 0,
    })
  })

  test('paths that have no room are counted as lost', async () => {
    const functions = FUNCTIONS.slice(3, 8)
    const calls = functions.flatMap((a) =>
      functions.flatMap((b) => [`${a} x1 calls ${b}`, `${b} x1`, 'user space x1']),
    )
    const out = await counted(['begin', 'user space x1', ...calls, 'end'], shadow.small)
    expect(out['[lost]']).toBeGreaterThan(0)
    const sum = Object.entries(out).reduce((n, [path, count]) => n + (path.startsWith('#') ? 0 : count), 0)
    expect(sum).toBe(1 + 3 * 25)
    expect(out['#unknown']).toBe(out['[lost]'])
  })

  test.each([1, 20_000, 300_001, 300_002])(
    '%d random blocks: every instruction is counted once',
    async (n) => {
      const input = `fuzz ${n}\n`
      expect(await runOk(shadow.small, [], { input })).toBe('all there')
      expect(await runOk(shadow.normal, [], { input })).toBe('all there')
    },
  )
})
