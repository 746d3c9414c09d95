// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { loadMachine } from '../../../tools/machine/machine.ts'
import { deadlinesOf } from '../../../tools/run/deadlines.ts'

const machine = { ...loadMachine('virtio'), slow: 1 }

test('work takes longer in a debug kernel and on a slow machine', () => {
  const lab = deadlinesOf(machine, 'lab', 100)
  expect(deadlinesOf(machine, 'debug', 100).total).toBeGreaterThanOrEqual(10 * 100)
  expect(deadlinesOf({ ...machine, slow: 2 }, 'lab', 100).total).toBe(2 * lab.total)
})

test('a time by the clock is as long everywhere', () => {
  for (const config of ['lab', 'debug'])
    for (const slow of [1, 2]) {
      const of = (clock: number): number => deadlinesOf({ ...machine, slow }, config, 100, clock).total
      expect(of(600) - of(0)).toBe(600)
    }
})
