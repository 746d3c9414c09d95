// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { compareWarnings, updateWarnings } from '../../../tools/kernel/warnings.ts'

let object: string
beforeEach(() => {
  object = mkdtempSync(join(tmpdir(), 'phyr-warnings-'))
  for (const file of ['a.o', 'b.o', 'vmlinux.o']) writeFileSync(join(object, file), '')
})
afterEach(() => rmSync(object, { recursive: true, force: true }))

const FIRST = [
  "make[1]: Entering directory '/o'",
  '  CC      a.o',
  'In file included from /src/a.c:1:',
  "/src/x.h:3:5: warning: unused variable 'x' [-Wunused-variable]",
  '    3 | int x;',
  '  CC [M]  b.o',
  "/src/b.c:9:1: warning: 'f' defined but not used",
  '  LD      vmlinux.o',
  'vmlinux.o: warning: objtool: f+0x1: unreachable',
].join('\n')

test('warnings belong to what was being made, and stay until it is made again', () => {
  const all = updateWarnings(object, FIRST, '/src')
  expect(all).toEqual({
    'a.o': ["x.h:3:5: warning: unused variable 'x' [-Wunused-variable]"],
    'b.o': ["b.c:9:1: warning: 'f' defined but not used"],
    'vmlinux.o': ['vmlinux.o: warning: objtool: f+0x1: unreachable'],
  })
  expect(updateWarnings(object, '  CC [M]  b.o\n  LD      vmlinux.o\n', '/src')).toEqual({
    'a.o': all['a.o'],
  })
  expect(updateWarnings(object, '', '/src')).toEqual({ 'a.o': all['a.o'] })
})

test('what is no longer there warns no more', () => {
  updateWarnings(object, FIRST, '/src')
  rmSync(join(object, 'a.o'))
  expect(Object.keys(updateWarnings(object, '', '/src'))).toEqual(['b.o', 'vmlinux.o'])
})

test('a warning that only moved, or shows in more objects, is not new', () => {
  const before = { 'a.o': ['x.h:3:5: warning: w'] }
  expect(compareWarnings(before, { 'a.o': ['x.h:8:5: warning: w'], 'b.o': ['x.h:8:5: warning: w'] })).toEqual(
    {
      added: [],
      removed: [],
    },
  )
})

test('the same words in another file, or twice in one, are new; what is gone is told', () => {
  const before = { 'a.o': ['x.h:3:5: warning: w', 'a.c:1: warning: v'] }
  const after = { 'a.o': ['x.h:3:5: warning: w', 'x.h:9:5: warning: w'], 'b.o': ['b.c:1: warning: v'] }
  expect(compareWarnings(before, after)).toEqual({
    added: ['b.c:1: warning: v', 'x.h:9:5: warning: w'],
    removed: ['a.c:1: warning: v'],
  })
})
