// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabError } from '../../../tools/lib/errors.ts'
import { EM, SHF, SHT, isElf, readProgram, readSections } from '../../../tools/lib/elf.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-elf-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Compiles a freestanding object, so that 32 bits need no multilib. */
function compile(name: string, flags: string[]): string {
  const source = join(dir, `${name}.c`)
  writeFileSync(
    source,
    'int filled = 7; static char empty[4096]; int start(void); int start(void) { return filled + empty[0]; }\n',
  )
  const out = join(dir, name)
  execFileSync('gcc', ['-nostdlib', '-ffreestanding', '-fno-pic', ...flags, '-o', out, source])
  return out
}

describe('readSections', () => {
  it.each([
    ['64', ['-m64', '-c']],
    ['32', ['-m32', '-c']],
  ])('agrees with readelf on an object of %s bits', (bits, flags) => {
    const object = compile(`sections${bits}.o`, flags)
    const want = execFileSync('readelf', ['-SW', object], { encoding: 'utf8' })
      .split('\n')
      .flatMap((line) => {
        const m = /^ {2}\[ *(\d+)\] (\S*) +([A-Z_]+) +([0-9a-f]{8,}) ([0-9a-f]{6}) ([0-9a-f]{6})/.exec(line)
        return m ? [{ name: m[2], offset: Number.parseInt(m[5]!, 16), size: Number.parseInt(m[6]!, 16) }] : []
      })
    const got = readSections(object).map(({ name, offset, size }) => ({ name, offset, size }))
    expect(want.length).toBeGreaterThan(5)
    expect(got).toEqual(want)
  })

  it('tells loaded sections, and the ones without bytes in the file', () => {
    const sections = readSections(compile('alloc.o', ['-c']))
    const bss = sections.find((s) => s.name === '.bss')
    expect(bss).toMatchObject({ type: SHT.nobits, flags: SHF.alloc | SHF.write, size: 4096 })
    expect(sections.find((s) => s.name === '.text')?.flags).toBe(SHF.alloc | SHF.execinstr)
    expect(sections.find((s) => s.name === '.symtab')?.flags).toBe(0)
  })

  it('reads a section table that is longer than e_shnum can say', () => {
    const source = join(dir, 'many.s')
    const lines = Array.from({ length: 66_000 }, (_, i) => `.section s${i},"a"\n.byte 1`)
    writeFileSync(source, `${lines.join('\n')}\n`)
    execFileSync('gcc', ['-c', '-o', join(dir, 'many.o'), source])
    const names = readSections(join(dir, 'many.o')).map((s) => s.name)
    expect(names).toContain('s65999')
  })

  it('refuses what is not ELF, and what is cut off', () => {
    writeFileSync(join(dir, 'text'), 'x'.repeat(100))
    expect(() => readSections(join(dir, 'text'))).toThrow(/not an ELF file/)
    const cut = compile('cut.o', ['-c'])
    truncateSync(cut, readFileSync(cut).length - 64)
    expect(() => readSections(cut)).toThrow(/cut off/)
    expect(() => readSections(join(dir, 'absent'))).toThrow(LabError)
  })
})

describe('readProgram', () => {
  it('finds interpreter, needed libraries, soname and run paths', () => {
    const lib = compile('libx.so.1', ['-shared', '-fPIC', '-Wl,-soname,libx.so.1'])
    expect(readProgram(lib)).toMatchObject({ soname: 'libx.so.1', interpreter: undefined, needed: [] })
    const common = ['-e', 'start', '-Wl,--no-as-needed', lib, '-Wl,--dynamic-linker=/lib/ld.so']
    const program = compile('prog', [...common, '-Wl,--enable-new-dtags,-rpath,$ORIGIN/a:/b'])
    expect(readProgram(program)).toMatchObject({
      bits: 64,
      machine: EM.x86_64,
      interpreter: '/lib/ld.so',
      needed: ['libx.so.1'],
      runpath: ['$ORIGIN/a', '/b'],
      rpath: [],
    })
    const old = compile('old', [...common, '-Wl,--disable-new-dtags,-rpath,/old'])
    expect(readProgram(old)).toMatchObject({ runpath: [], rpath: ['/old'] })
  })

  it('reads a static program of 32 bits', () => {
    const program = compile('static32', ['-m32', '-static', '-e', 'start'])
    expect(readProgram(program)).toMatchObject({
      bits: 32,
      machine: EM.i386,
      interpreter: undefined,
      needed: [],
    })
    expect(isElf(program)).toBe(true)
  })
})
