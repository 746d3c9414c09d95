// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { optionsOf, readCmdFile, sourceOf, splitCommand } from '../../../tools/touched/cmd-file.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-cmd-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('a saved command is split as sh does it, up to its end', () => {
  const saved = `ccache gcc -DA='"mm/gup"' -DB="x y" -DC=$(pound)1 -DD=$$x a\\ b.c ; ./objtool x.o`
  expect(splitCommand(saved)).toEqual([
    'ccache',
    'gcc',
    '-DA="mm/gup"',
    '-DB=x y',
    '-DC=#1',
    '-DD=$x',
    'a b.c',
  ])
})

test('command and dependencies of an object, moved to another tree', () => {
  const object = join(dir, 'O')
  mkdirSync(join(object, 'mm'), { recursive: true })
  const tree = join(dir, 'tree')
  writeFileSync(
    join(object, 'mm/.gup.o.cmd'),
    `savedcmd_mm/gup.o := ccache gcc -Wp,-MMD,mm/.gup.o.d -I${tree}/include -I./include -c -o mm/gup.o ${tree}/mm/gup.c ; objtool

source_mm/gup.o := ../tree/mm/gup.c

deps_mm/gup.o := \\
  ../tree/include/linux/mm.h \\
    $(wildcard include/config/MMU) \\
  include/generated/bounds.h \\

mm/gup.o: $(deps_mm/gup.o)
`,
  )
  const cmd = readCmdFile(object, 'mm/gup.o', tree)!
  expect([...cmd.deps]).toEqual(['mm/gup.c', 'include/linux/mm.h'])
  const moved = { from: tree, to: '/elsewhere' }
  expect(optionsOf(cmd.argv, moved)).toEqual(['-I/elsewhere/include', '-I./include'])
  expect(sourceOf(cmd.argv, moved)).toBe('/elsewhere/mm/gup.c')
  expect(readCmdFile(object, 'mm/none.o', tree)).toBeUndefined()
})

test('a tree whose name begins with the other one is not moved', () => {
  expect(
    optionsOf(['gcc', '-I/t/tree-2/include', '-I/t/tree', 'a.c'], { from: '/t/tree', to: '/x' }),
  ).toEqual(['-I/t/tree-2/include', '-I/x'])
})
