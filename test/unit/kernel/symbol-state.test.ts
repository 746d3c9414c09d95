// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { thinMembers } from '../../../tools/kernel/archive.ts'
import { readSymbols, updateSymbols, writeSymbols } from '../../../tools/kernel/symbol-state.ts'
import { Compiler } from './compile-c.ts'

const c = new Compiler()
const dir = join(c.dir, 'o')
const STATE = join(dir, '.phyr-symbols.json.gz')
afterAll(() => c.remove())

/** As kbuild does: lists of lists, put into one. */
function archive(...objects: string[]): void {
  execFileSync('ar', ['rcST', 'built-in.a', ...objects], { cwd: dir })
  execFileSync('ar', ['rcST', 'vmlinux.a', 'built-in.a'], { cwd: dir })
}

beforeEach(() => {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(join(dir, 'lib'), { recursive: true })
  c.object('int main_one(void) { return 1; }', undefined, 'o/init/main.o')
  c.object(
    'int gup(void) { return 2; } int memory;',
    undefined,
    'o/mm/a_longer_name_than_ar_keeps_in_its_header.o',
  )
  c.object('int stray(void) { return 3; }', undefined, 'o/mm/stray.o')
  archive('init/main.o', 'mm/a_longer_name_than_ar_keeps_in_its_header.o')
  c.object('int strlen1(void) { return 4; }', undefined, 'o/lib/string.o')
  execFileSync('ar', ['rcST', 'lib/lib.a', 'lib/string.o'], { cwd: dir })
})

describe('thinMembers', () => {
  it('agrees with ar', () => {
    const want = execFileSync('ar', ['t', join(dir, 'vmlinux.a')], { encoding: 'utf8' })
      .trim()
      .split('\n')
    expect(want).toHaveLength(2)
    expect(thinMembers(join(dir, 'vmlinux.a'))).toEqual(want)
  })

  it('refuses other archives, damage and members that are gone', () => {
    const list = join(dir, 'vmlinux.a')
    const text = readFileSync(list)
    writeFileSync(list, text.toString('latin1').replaceAll('`\n', '  '))
    expect(() => thinMembers(list)).toThrow(/damaged/)
    writeFileSync(list, '!<arch>\n')
    expect(() => thinMembers(list)).toThrow(/no thin archive/)
    writeFileSync(list, text)
    rmSync(join(dir, 'init/main.o'))
    expect(() => thinMembers(list)).toThrow(/not there/)
  })
})

describe('updateSymbols', () => {
  it('has what is linked, and not what lies about', () => {
    const symbols = updateSymbols(dir)
    expect([...symbols].map(([path, map]) => [path, [...map.keys()].sort()])).toEqual([
      ['init/main.o', ['main_one']],
      ['lib/string.o', ['strlen1']],
      ['mm/a_longer_name_than_ar_keeps_in_its_header.o', ['gup', 'memory']],
    ])
    rmSync(join(dir, 'vmlinux.a'))
    expect(() => updateSymbols(dir)).toThrow(/cannot list/)
  })

  it('reads only those objects again whose time or size is another', () => {
    const first = updateSymbols(dir)
    expect(updateSymbols(dir)).toEqual(first)
    // Plant another hash in what was kept: it comes out, so the object was not read.
    const state = JSON.parse(gunzipSync(readFileSync(STATE)).toString('utf8'))
    state.objects['init/main.o'].symbols.main_one = 'tplanted'
    writeFileSync(STATE, gzipSync(JSON.stringify(state)))
    expect(updateSymbols(dir).get('init/main.o')?.get('main_one')).toBe('tplanted')
    c.object('int main_one(void) { return 5; }', undefined, 'o/init/main.o')
    const changed = updateSymbols(dir).get('init/main.o')?.get('main_one')
    expect(changed).toMatch(/^t[0-9a-f]{16}$/)
    expect(changed).not.toBe(first.get('init/main.o')?.get('main_one'))
    const { mtimeMs } = statSync(join(dir, 'init/main.o'))
    utimesSync(join(dir, 'init/main.o'), 5, mtimeMs / 1000 + 9)
    expect(updateSymbols(dir).get('init/main.o')?.get('main_one')).toBe(changed)
  })

  it('starts anew when what was kept is damaged', () => {
    const first = updateSymbols(dir)
    for (const damage of [Buffer.from('x'), gzipSync('{'), gzipSync('{"version":0,"objects":{}}')]) {
      writeFileSync(STATE, damage)
      expect(updateSymbols(dir)).toEqual(first)
    }
  })
})

describe('writeSymbols, readSymbols', () => {
  it('keep them beside a kernel', () => {
    const symbols = updateSymbols(dir)
    const kernel = { dir: join(c.dir, 'kernel') }
    mkdirSync(kernel.dir)
    expect(readSymbols(kernel)).toBeUndefined()
    writeSymbols(kernel.dir, symbols)
    expect(existsSync(join(kernel.dir, 'symbols.json.gz'))).toBe(true)
    expect(readSymbols(kernel)).toEqual(symbols)
    writeFileSync(join(kernel.dir, 'symbols.json.gz'), 'damage')
    expect(readSymbols(kernel)).toBeUndefined()
  })
})
