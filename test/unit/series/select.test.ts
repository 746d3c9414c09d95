// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { UsageError } from '../../../tools/lib/errors.ts'
import { selectPatches } from '../../../tools/series/select.ts'
import type { Series } from '../../../tools/series/series.ts'

const series: Series = {
  dir: '/x',
  name: 'x',
  version: 1,
  changeId: '20260101-x-0123456789ab',
  base: { provider: 'debian', package: 'linux-source-7.3', version: '7.3.4' },
  hash: 'h',
  patches: [1, 2, 3, 4, 5].map((number) => ({
    number,
    file: `000${number}-x.patch`,
    subject: 's',
    text: '',
    paths: [],
  })),
}
const numbers = (...names: string[]): number[] => selectPatches(series, names).map((patch) => patch.number)

test.each([
  [['2'], [2]],
  [
    ['4', '2', '2'],
    [2, 4],
  ],
  [['2-3'], [2, 3]],
  [['4-'], [4, 5]],
  [
    ['last', '0001-x.patch'],
    [1, 5],
  ],
  [['0004'], [4]],
  [[], []],
])('%j', (names, wanted) => {
  expect(numbers(...names)).toEqual(wanted)
})

test.each(['0', '6', '3-2', '4-9', '-2', 'first', '1,2', ''])('%j is bad usage', (name) => {
  expect(() => numbers(name)).toThrow(UsageError)
})
