// SPDX-License-Identifier: GPL-2.0-only
// For the tests of qemu/plugin/shadow.h: it runs in a program of its own, on events that a test writes down.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { runOk } from '../../../tools/lib/exec.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'

/** The programs: as the plugin is, and one that runs out of everything soon. Theirs who have called useShadow(). */
export const shadow = { normal: '', small: '' }

/** Has both compiled before the tests of the file. */
export function useShadow(): void {
  const dir = mkdtempSync(join(tmpdir(), 'phyr-shadow-'))
  beforeAll(async () => {
    const compile = async (name: string, defines: readonly string[]): Promise<string> => {
      const program = join(dir, name)
      const flags = ['-std=gnu11', '-g', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined']
      const include = ['-fno-sanitize-recover=all', '-I', join(toolRoot, 'qemu/plugin')]
      const source = join(import.meta.dirname, 'shadow-driver.c')
      await runOk('gcc', [...flags, ...include, ...defines, '-o', program, source])
      return program
    }
    shadow.normal = await compile('normal', [])
    shadow.small = await compile('small', ['-DSHADOW_DEPTH=4', '-DSHADOW_TASKS=2', '-DPATHS=16'])
  }, 120_000)
  afterAll(() => rmSync(dir, { recursive: true, force: true }))
}

export const FUNCTIONS = [
  'user space',
  '[switched]',
  '[lost]',
  'sys',
  'read',
  'bio',
  'end_io',
  'thunk',
].concat(['irq', 'tick', 'fork', 'schedule', 'switch', 'stub', 'idle'])
const EXITS = ['falls', 'jumps', 'calls', 'returns', 'irets'] as const
const ENTRIES: Record<string, number> = { irq: 1, stub: 1, tick: 2, fork: 3, schedule: 4 }

/**
 * A block of 4-byte instructions: `sys+8 x3 calls read` is three of them, from the eighth byte of sys on, of which
 * the last calls read; `calls *` does not say whom. With `!2` only two are executed before something else is.
 */
function events(lines: readonly string[]): string {
  return lines
    .map((line, i) => {
      const match = /^(\w+|user space)(?:\+(\d+))? x(\d+)(?: (\w+))?(?: (\w+|\*))?(?: !(\d+))?$/.exec(line)
      if (!match) return line
      const [, name = '', offset = '0', count = '', exit = 'falls', to, executed] = match
      const f = FUNCTIONS.indexOf(name)
      const target = to === undefined || to === '*' ? 0 : 4096 * FUNCTIONS.indexOf(to)
      const first = offset === '0'
      // Each stub of a vector is an entry; of other functions only where they begin.
      const entry = first || name === 'stub' ? (ENTRIES[name] ?? 0) : 0
      const how = EXITS.indexOf(exit as (typeof EXITS)[number])
      if (f < 0 || how < 0 || target < 0) throw new Error(line)
      const fields = [i, 4096 * f + Number(offset), target, f, count, how, entry, Number(first)]
      return `block ${fields.join(' ')}\nrun ${i} ${executed ?? count}`
    })
    .join('\n')
}

/** What qemu/plugin/shadow.h counts for each path by these events, and how it was: `#depth` and the like. */
export async function counted(
  lines: readonly string[],
  program = shadow.normal,
): Promise<Record<string, number>> {
  const out = await runOk(program, [], { input: events(lines) })
  const costs: Record<string, number> = {}
  for (const line of out.trimEnd().split('\n')) {
    if (line.startsWith('#')) {
      const words = line.slice(2).split(' ')
      for (let i = 0; i < words.length; i += 2) costs[`#${words[i]}`] = Number(words[i + 1])
    } else {
      const [path = '', count] = line.split(' ')
      const names = path.split(';').map((id) => FUNCTIONS[Number(id)])
      costs[names.join(';')] = Number(count)
    }
  }
  return costs
}

/** What was counted where everything is known. */
export const known = (costs: Record<string, number>): Record<string, number> => ({
  ...costs,
  '#tick': costs['#tick'] ?? 0,
  '#cut': 0,
  '#unknown': 0,
  '#tasks': costs['#tasks'] ?? 0,
})
