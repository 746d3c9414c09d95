// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closure, librarySearch, parseCache, type LibrarySearch } from '../../../tools/guest/closure.ts'
import { LabError } from '../../../tools/lib/errors.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(realpathSync(tmpdir()), 'phyr-closure-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const nowhere: LibrarySearch = { known: new Map(), dirs: [] }
const lookIn = (...dirs: string[]): LibrarySearch => ({ known: new Map(), dirs })

/** A freestanding library or program of its own directory; no C library, so that only ours are in the closure. */
function link(path: string, args: string[]): string {
  const out = join(dir, path)
  mkdirSync(join(out, '..'), { recursive: true })
  const name = `f_${path.replaceAll(/\W/g, '_')}`
  writeFileSync(join(dir, 'x.c'), `int ${name}(void); int ${name}(void) { return 1; }\n`)
  const common = ['-nostdlib', '-fPIC', '-Wl,--no-as-needed', '-Wl,--allow-shlib-undefined']
  execFileSync('gcc', [...common, '-o', out, join(dir, 'x.c'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return out
}

const library = (path: string, args: string[] = []): string =>
  link(path, ['-shared', `-Wl,-soname,${path.slice(path.lastIndexOf('/') + 1)}`, ...args])
const program = (path: string, args: string[]): string =>
  link(path, ['-pie', '-Wl,-e,0', `-Wl,--dynamic-linker=${join(dir, 'ld.so')}`, ...args])
const paths = (file: string, search: LibrarySearch): string[] =>
  closure(file, search).map((l) => l.path.slice(dir.length + 1))

/** Paths in what ldd printed, links resolved. */
const names = (text: string): string[] =>
  text
    .split('\n')
    .map((l) => /(\/\S+) \(0x/.exec(l)?.[1])
    .filter((p) => p !== undefined)
    .map((p) => realpathSync(p))

describe('closure', () => {
  beforeAll(() => {
    library('ld.so')
  })

  it('follows needed libraries of libraries, each once', () => {
    const b = library('chain/libb.so.1')
    const a = library('chain/liba.so.1', [b])
    const p = program('chain/p', [a, b])
    expect(paths(p, lookIn(join(dir, 'chain')))).toEqual(['ld.so', 'chain/liba.so.1', 'chain/libb.so.1'])
  })

  it('names the program, who asks and what is missing', () => {
    const b = library('gone/libgone.so.7')
    const a = library('gone/liba.so.1', [b])
    const p = program('gone/p', [a])
    rmSync(b)
    const attempt = (): unknown => closure(p, lookIn(join(dir, 'gone')))
    expect(attempt).toThrow(LabError)
    expect(attempt).toThrow(`${p} cannot run in the guest: ${a} needs libgone.so.7, which is not here`)
  })

  it('takes $ORIGIN from the real place of a program that is called by a link', () => {
    const a = library('origin/lib/liba.so.1')
    const p = program('origin/bin/p', ['-Wl,--enable-new-dtags,-rpath,$ORIGIN/../lib', a])
    symlinkSync(p, join(dir, 'called'))
    expect(paths(join(dir, 'called'), nowhere)).toEqual(['ld.so', 'origin/lib/liba.so.1'])
  })

  it('passes DT_RPATH on to libraries, and DT_RUNPATH not', () => {
    const b = library('inherit/libb.so.1')
    const a = library('inherit/liba.so.1', [b])
    const where = `-rpath,${join(dir, 'inherit')}`
    const old = program('inherit/old', [`-Wl,--disable-new-dtags,${where}`, a])
    expect(paths(old, nowhere)).toEqual(['ld.so', 'inherit/liba.so.1', 'inherit/libb.so.1'])
    const modern = program('inherit/modern', [`-Wl,--enable-new-dtags,${where}`, a])
    expect(() => closure(modern, nowhere)).toThrow(/liba\.so\.1 needs libb\.so\.1/)
  })

  it('passes over a library of another class, and a text in its place', () => {
    const good = library('class/good/liba.so.1')
    const p = program('class/p', [good])
    library('class/narrow/liba.so.1', ['-m32'])
    mkdirSync(join(dir, 'class/text'))
    writeFileSync(join(dir, 'class/text/liba.so.1'), 'INPUT ( libother.so )')
    const dirs = ['class/narrow', 'class/text', 'class/good'].map((d) => join(dir, d))
    expect(paths(p, lookIn(...dirs))).toEqual(['ld.so', 'class/good/liba.so.1'])
    expect(() => closure(p, lookIn(...dirs.slice(0, 2)))).toThrow(/liba\.so\.1, which is not here/)
  })

  it('is empty for a static program, and for a missing loader an error', () => {
    expect(closure(link('static', ['-static', '-Wl,-e,0']), nowhere)).toEqual([])
    const p = program('noloader', [])
    renameSync(join(dir, 'ld.so'), join(dir, 'ld.away'))
    try {
      expect(() => closure(p, nowhere)).toThrow(/needs .*ld\.so/)
    } finally {
      renameSync(join(dir, 'ld.away'), join(dir, 'ld.so'))
    }
  })

  it('finds for this machine’s own programs what their loader finds', async () => {
    const search = await librarySearch()
    for (const file of ['/bin/ls', '/usr/bin/gcc', process.execPath]) {
      const got = new Set(closure(file, search).map((l) => realpathSync(l.path)))
      const want = names(execFileSync('ldd', [file], { encoding: 'utf8' }))
      expect(want.length).toBeGreaterThan(1)
      expect(want.filter((p) => !got.has(p))).toEqual([])
    }
  })
})

describe('parseCache', () => {
  it('keeps the order and leaves out what is for one processor', () => {
    const text = [
      "3 libs found in cache `/etc/ld.so.cache'",
      '\tliba.so.1 (libc6,x86-64, hwcap: "x86-64-v3") => /lib/glibc-hwcaps/x86-64-v3/liba.so.1',
      '\tliba.so.1 (libc6,x86-64) => /opt/a b/liba.so.1',
      '\tliba.so.1 (libc6) => /lib32/liba.so.1',
      'Cache generated by: ldconfig',
    ].join('\n')
    expect([...parseCache(text)]).toEqual([['liba.so.1', ['/opt/a b/liba.so.1', '/lib32/liba.so.1']]])
  })
})
