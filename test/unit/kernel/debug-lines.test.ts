// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import { afterAll, describe, expect, it } from 'vitest'
import { DEBUG_LINE, readLines } from '../../../tools/kernel/debug-lines.ts'
import { compareSymbols } from '../../../tools/kernel/symbol-compare.ts'
import { readObject } from '../../../tools/lib/elf-object.ts'
import { Compiler, I386, X86_64 } from './compile-c.ts'

const c = new Compiler()
afterAll(() => c.remove())

const SOURCE = `
extern void message(const char *, int, const char *);
struct kunit_loc { int line; const char *file; };
extern void check(const struct kunit_loc *, int), store(volatile int *);
#define log(text) message("file.c", __LINE__, text)
#define CHECK(x) do { static const struct kunit_loc __loc = { __LINE__, "here" }; check(&__loc, x); } while (0)
int f(int x)
{
  if (x > 3)
    log("large");
  if (x > 4)
    log(
      "over several"
      "lines");
  CHECK(x == 5);
  return x * 300;
}
static inline __attribute__((always_inline)) int inlined(int x) { log("inlined"); return x + 1; }
__attribute__((section(".init.text"))) int g(int x, volatile int *last)
{
  *last = __LINE__;
  store(last);
  return inlined(x);
}
int h(int x) { return x / 7; }
`

describe.each([
  ['x86_64, DWARF 5', `${X86_64} -gdwarf-5`],
  ['x86_64, DWARF 4', `${X86_64} -gdwarf-4`],
  ['x86_64, DWARF 2', `${X86_64} -gdwarf-2 -gstrict-dwarf`],
  ['i386', `${I386} -g`],
])('%s', (_, options) => {
  it('finds the lines that addr2line finds', () => {
    const object = c.object(SOURCE, options)
    const elf = readObject(object, (section) => section.name === DEBUG_LINE)
    const lineOf = readLines(elf)
    let seen = 0
    for (const name of ['.text', '.init.text']) {
      const index = elf.sections.findIndex((section) => section.name === name)
      const addresses = Array.from({ length: elf.sections[index]!.size }, (__, address) => address)
      const args = ['-j', name, '-e', object, ...addresses.map((address) => address.toString(16))]
      const want = execFileSync('addr2line', args, { encoding: 'utf8' }).trim().split('\n')
      addresses.forEach((address, n) => {
        const line = /:(\d+)/.exec(want[n]!)?.[1]
        if (line === undefined) return
        seen++
        expect(lineOf(index, address), `${name}+${address}`).toBe(Number(line))
      })
    }
    expect(seen).toBeGreaterThan(100)
  })

  it('tells a line number from another constant', () => {
    const compare = (before: string, after: string): readonly string[] => {
      const of = (source: string): ReadonlyMap<string, ReadonlyMap<string, string>> =>
        new Map([['a.o', c.hashes(source, options)]])
      const { changed, added, removed } = compareSymbols(of(before), of(after))
      expect([...added, ...removed]).toEqual([])
      return changed.map(({ symbol, kind }) => `${symbol}: ${kind}`)
    }
    const lines = `\n\n\n${SOURCE}`
    expect(compare(SOURCE, lines)).toEqual(['f: line number', 'g: line number'])
    // A line within f: what is in front of it is as before.
    expect(compare(SOURCE, SOURCE.replace('  CHECK', '\n  CHECK'))).toEqual(['g: line number'])
    expect(compare(SOURCE, lines.replace('300', '301'))).toEqual(['f: code', 'g: line number'])
    expect(compare(SOURCE, lines.replace('__LINE__;', '__LINE__ + 1000;'))).toEqual([
      'f: line number',
      'g: code',
    ])
    expect(compare(SOURCE, lines.replace('x + 1', 'x + 2'))).toEqual(['f: line number', 'g: code'])
  })
})

describe('without debug information', () => {
  it('takes a line number for code', () => {
    const [before, after] = [c.hashes(SOURCE), c.hashes(`\n${SOURCE}`)]
    expect(before.get('f')).not.toContain('~')
    expect(before.get('f')).not.toBe(after.get('f'))
    expect(before.get('__loc.*')).toBe(after.get('__loc.*'))
  })
})
