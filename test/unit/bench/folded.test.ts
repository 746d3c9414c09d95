// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import {
  foldedDifference,
  foldedText,
  parseStacks,
  stackProfile,
  type StackRegion,
} from '../../../tools/bench/folded.ts'

/** A region as the plugin writes it. */
function written(number: number, stacks: readonly (readonly [string, number])[], total?: number): string {
  const sum = total ?? stacks.reduce((n, [, count]) => n + count, 0)
  const rows = stacks.map(([stack, count]) => `${stack} ${count}\n`).join('')
  return `# region ${number}\n${rows}# tick 17\n# cut 3 of ${sum}\n# unattributed 5 of ${sum}\n# end ${number}\n`
}

const region = (stacks: Record<string, number>): StackRegion =>
  parseStacks(written(1, Object.entries(stacks)))[0]!

test('regions are read with what is known of them', () => {
  const text =
    written(0, [['common_startup_64;x86_64_start_kernel', 70]]) +
    written(1, [
      ['user space', 25],
      ['entry_SYSCALL_64;do_syscall_64;dio.constprop.0', 12],
      ['[lost];int3_selftest_asm', 4],
      ['[switched];__switch_to', 1],
    ])
  const [boot, first] = parseStacks(text)
  expect(boot).toMatchObject({ number: 0, total: 70 })
  expect(first).toEqual({
    number: 1,
    stacks: new Map([
      ['user space', 25],
      ['entry_SYSCALL_64;do_syscall_64;dio.constprop.0', 12],
      ['[lost];int3_selftest_asm', 4],
      ['[switched];__switch_to', 1],
    ]),
    total: 42,
    unattributed: 5,
    cut: 3,
    tick: 17,
  })
  expect(parseStacks('')).toEqual([])
})

test('static functions of one name are one path', () => {
  const text = written(1, [
    ['a;init', 3],
    ['a;init', 4],
  ])
  expect(parseStacks(text)[0]?.stacks).toEqual(new Map([['a;init', 7]]))
})

test.each([
  ['a name with markup', '# region 1\na;<script> 3\n', /line 2 is not in its form/],
  ['an empty name', '# region 1\na;;b 3\n', /line 2/],
  ['a name with a blank', '# region 1\na b;c 3\n', /line 2/],
  ['a count that is none', '# region 1\na;b 3e9\n', /line 2/],
  ['a count too large to be exact', '# region 1\na;b 12345678901234567\n', /line 2/],
  ['a stack outside a region', 'a;b 3\n', /line 1/],
  ['a region inside a region', '# region 1\n# region 2\n', /line 2/],
  ['the end of another region', '# region 1\n# end 2\n', /line 2/],
  ['no end', '# region 1\na;b 3\n', /region 1 is cut off/],
  ['an end without what is known', '# region 1\na;b 3\n# end 1\n', /does not say/],
  ['a sum that is not right', written(1, [['a;b', 3]], 4), /says 4 instructions and has 3/],
])('%s is refused', (_what, text, why) => {
  expect(() => parseStacks(text)).toThrow(why)
})

test('costs are per operation, and what two lengths share cancels', () => {
  expect(stackProfile(region({ 'a;b': 100, a: 7 }), 10)).toEqual(
    new Map([
      ['a;b', 10],
      ['a', 0.7],
    ]),
  )
  const shorter = { region: region({ 'a;b': 150, mark: 9, once: 2 }), operations: 10 }
  expect(stackProfile(region({ 'a;b': 250, mark: 9, late: 1 }), 20, shorter)).toEqual(
    new Map([
      ['a;b', 10],
      ['late', 0.1],
    ]),
  )
  expect(() => stackProfile(region({ a: 1 }), 10, { region: region({ a: 1 }), operations: 10 })).toThrow(
    '0 operations',
  )
})

test('folded text is sorted, in whole instructions per thousand operations, without what rounds to none', () => {
  const profile = new Map([
    ['user space', 25],
    ['a;b', 313.0004],
    ['a', 0.0006],
    ['a;c', 0.0004],
  ])
  expect(foldedText(profile)).toBe('a 1\na;b 313000\nuser space 25000\n')
  expect(foldedText(new Map())).toBe('')
})

test('a difference has both columns, also where one side has nothing', () => {
  expect(
    foldedDifference(
      new Map([
        ['a;b', 3],
        ['a;gone', 1],
      ]),
      new Map([
        ['a;b', 4.5],
        ['a;new', 2],
        ['a;never', 0.0001],
      ]),
    ),
  ).toBe('a;b 3000 4500\na;gone 1000 0\na;new 0 2000\n')
})

test('what the compiler renames or splits off is the same path; recursion stays', () => {
  expect(
    foldedDifference(
      new Map([
        ['a.isra.0;b', 3],
        ['a.isra.0;b;b.part.0', 2],
        ['a.isra.0;b;b.part.0;c', 1],
      ]),
      new Map([
        ['a;b.constprop.0', 5],
        ['a;b.constprop.0;c', 1],
        ['a;r;r', 1],
      ]),
    ),
  ).toBe('a;b 5000 5000\na;b;c 1000 1000\na;r;r 0 1000\n')
})
