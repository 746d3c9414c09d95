// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { settingsOf } from '../../../tools/commands/choice.ts'
import { UsageError } from '../../../tools/lib/errors.ts'

test('--set and --long', () => {
  expect(settingsOf({ long: false })).toEqual({ length: 'usual', set: new Map() })
  expect(settingsOf({ long: true, set: ['cases=0', 'seed=4711'] })).toEqual({
    length: 'long',
    set: new Map([
      ['cases', 0],
      ['seed', 4711],
    ]),
  })
})

test.each([
  [['cases']],
  [['cases=']],
  [['cases=-1']],
  [['cases=1.5']],
  [['cases=1e3']],
  [['cases=1;reboot']],
  [['CASES=1']],
  [['=1']],
  [['cases=1', 'cases=2']],
])('--set %j is bad usage', (set) => {
  expect(() => settingsOf({ long: false, set })).toThrow(UsageError)
})
