// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UsageError } from '../../../tools/lib/errors.ts'
import type { Patch } from '../../../tools/series/series.ts'
import { closure, reduced } from '../../../tools/split/closure.ts'
import { planGroups } from '../../../tools/split/group-plan.ts'
import { groupsText, newChangeId, readGroups, type Group } from '../../../tools/split/groups.ts'
import { combine, type Planned } from '../../../tools/split/plan.ts'
import { proposeGroups } from '../../../tools/split/propose.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-groups-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const NOW = new Date('2026-11-21T12:00:00Z')

/** Patches named a, b, ... that need the numbers given. */
function planned(...needs: readonly (readonly number[])[]): Planned[] {
  const patches = needs.map((_, i) => patch(i + 1))
  const symbols = new Map(
    needs.map((list, i) => [
      i + 1,
      list.map((on) => ({ on, kind: 'function' as const, name: `f${on}`, file: 'x.c' })),
    ]),
  )
  return combine(patches, new Map(), symbols).map((one) => ({
    ...one,
    tree: 'git://x/mm.git',
    otherTrees: [],
  }))
}

function patch(number: number, text = 'Subject: x\n\n---\n', paths = ['mm/a.c']): Patch {
  return { number, file: `000${number}-p.patch`, subject: `mm: patch ${number}`, text, paths }
}

function group(name: string, ...numbers: readonly number[]): Group {
  const changeId = newChangeId(name, NOW)
  return { name, title: `${name}: x`, changeId, version: 1, patches: numbers.map((n) => `000${n}-p.patch`) }
}

test('closure and reduction', () => {
  const edges = new Map([
    [1, []],
    [2, [1]],
    [3, [1, 2]],
    [4, [4]],
  ])
  expect([...closure([3], edges)].toSorted()).toEqual([1, 2, 3])
  expect(reduced(edges).get(3)).toEqual([2])
  expect(closure([4], edges)).toEqual(new Set([4]))
})

describe('planGroups', () => {
  test('each group stands on the groups before it, and on what those stand on', () => {
    const plan = planGroups(
      [group('a', 1), group('b', 2), group('c', 3), group('d', 4)],
      planned([], [1], [2], []),
    )
    expect(plan.problems).toEqual([])
    expect(plan.groups.map((one) => one.after)).toEqual([[], ['a'], ['a', 'b'], []])
    expect(plan.groups[0]?.trees).toEqual(['git://x/mm.git'])
  })

  test('what a later group has is missed, and the reason is named', () => {
    const plan = planGroups([group('a', 1, 3), group('b', 2)], planned([], [], [2]))
    expect(plan.problems).toEqual([
      'group a: patch 3 needs patch 2 (0002-p.patch) (function f2), which is in the later group b',
    ])
  })

  test('patches in no group, and patches out of order', () => {
    const plan = planGroups([group('a', 3, 1)], planned([], [], []))
    expect(plan.problems).toEqual([
      'patch 2 (0002-p.patch) is in no group',
      'group a: its patches are not in the order of the series',
    ])
  })

  test('more than 15 are warned of', () => {
    const many = Array.from({ length: 16 }, () => [])
    const patches = planned(...many).map((one) => ({ ...one, file: `${one.number}.patch` }))
    const one = { ...group('a', 1), patches: patches.map((p) => p.file) }
    expect(planGroups([one], patches).warnings).toEqual([expect.stringMatching(/group a has 16 patches/)])
    const fewer = { ...one, patches: one.patches.slice(1) }
    expect(planGroups([fewer], patches).warnings).toEqual([])
  })

  test('a need that is nothing but MAINTAINERS is warned of, once it is between groups', () => {
    const patches = [patch(1), patch(2)]
    const text = new Map([[2, [{ on: 1, where: ['MAINTAINERS: the hunk at line 7 does not apply'] }]]])
    const all = combine(patches, text, new Map()).map((one) => ({ ...one, tree: undefined, otherTrees: [] }))
    expect(planGroups([group('a', 1), group('b', 2)], all).warnings).toEqual([
      'patch 2 needs patch 1 of another group for neighbouring lines of MAINTAINERS only',
    ])
    expect(planGroups([group('a', 1, 2)], all).warnings).toEqual([])
  })
})

describe('proposeGroups', () => {
  test('covers every patch once, is closed, has no group that is too long, and its own order', () => {
    const needs = Array.from({ length: 40 }, (_, i) => (i < 4 ? [] : i % 7 === 0 ? [] : [(i % 5) + 1, i]))
    const patches = needs.map((_, i) => ({ ...patch(i + 1), file: `${i + 1}.patch` }))
    const all = planned(...needs).map((one) => ({
      ...one,
      file: `${one.number}.patch`,
      tree: `git://x/${one.number % 3}.git`,
    }))
    const groups = proposeGroups(all, patches, NOW)
    const plan = planGroups(groups, all)
    expect(plan.problems).toEqual([])
    expect(plan.warnings).toEqual([])
    expect(groups.flatMap((one) => one.patches).length).toBe(40)
    expect(new Set(groups.map((one) => one.name)).size).toBe(groups.length)
  })

  test('fixes come first, though they are last in the series; a test goes with what it needs', () => {
    const patches = [
      patch(1),
      patch(2),
      patch(3, 'Subject: x\n\nFixes: 0123456789ab ("y")\n---\n', ['fs/a.c']),
      patch(4, undefined, ['tools/testing/selftests/mm/t.c']),
    ]
    const all = planned([], [1], [], [2]).map((one) =>
      one.number === 3 ? { ...one, subject: 'fs: z' } : one,
    )
    const groups = proposeGroups(all, patches, NOW)
    expect(groups.map((one) => [one.name, one.patches.length])).toEqual([
      ['fixes-fs', 1],
      ['mm', 3],
    ])
  })
})

describe('groups.yaml', () => {
  const patches = [patch(1), patch(2)]
  const write = (text: string): void => {
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(dir, 'groups.yaml'), text)
  }

  test('what is written is read', () => {
    const groups = [group('a', 1), { ...group('b', 2), version: 3 }]
    write(groupsText(groups))
    expect(readGroups(dir, patches)).toEqual(groups)
    rmSync(join(dir, 'groups.yaml'))
    expect(readGroups(dir, patches)).toBeUndefined()
  })

  test('change-ids are b4-like and never the same', () => {
    const one = newChangeId('a-b', NOW)
    expect(one).toMatch(/^20261121-a-b-[0-9a-f]{12}$/)
    expect(newChangeId('a-b', NOW)).not.toBe(one)
  })

  const id = (n: number): string => `20261121-a-00000000000${n}`
  const entry = (name: string, changeId: string, ...files: string[]): string =>
    `  - {name: ${name}, title: t, changeId: ${changeId}, patches: [${files.join(', ')}]}\n`

  test.each([
    ['a patch that is not there', entry('a', id(1), '0001-q.patch'), /not in the series/],
    [
      'a patch in two groups',
      entry('a', id(1), '0001-p.patch') + entry('b', id(2), '0001-p.patch'),
      /in a and in b/,
    ],
    ['a name twice', entry('a', id(1), '0001-p.patch') + entry('a', id(2), '0002-p.patch'), /the name a/],
    [
      'a change-id twice',
      entry('a', id(1), '0001-p.patch') + entry('b', id(1), '0002-p.patch'),
      /the changeId/,
    ],
    ['no change-id', entry('a', 'x', '0001-p.patch'), /groups\.yaml:2:.*YYYYMMDD/],
    [
      'a header in the change-id',
      entry('a', '"20261121-a-000000000001\\nBcc: x"', '0001-p.patch'),
      /YYYYMMDD/,
    ],
    ['a path for a name', entry('../a', id(1), '0001-p.patch'), /small letters/],
    ['no patches', entry('a', id(1)), /patches/],
  ])('%s', (_, text, message) => {
    write(`groups:\n${text}`)
    expect(() => readGroups(dir, patches)).toThrow(UsageError)
    expect(() => readGroups(dir, patches)).toThrow(message)
  })

  test('"did you mean"', () => {
    write(`groups:\n${entry('a', id(1), '0002-pp.patch')}`)
    try {
      readGroups(dir, patches)
      expect.unreachable()
    } catch (error) {
      expect((error as UsageError).fix).toBe('did you mean 0002-p.patch?')
    }
  })
})
