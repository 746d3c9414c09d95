// SPDX-License-Identifier: GPL-2.0-only
import { truncateSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { compareSymbols } from '../../../tools/kernel/symbol-compare.ts'
import { symbolHashes } from '../../../tools/kernel/symbol-hash.ts'
import { Compiler, I386, X86_64 } from './compile-c.ts'

const c = new Compiler()
afterAll(() => c.remove())

/** A bit of everything that a kernel's object has. */
const SOURCE = `
#define NOINLINE __attribute__((noinline))
extern int printk(const char *, ...);
extern int hook(int (*)(int)), other(void), key_user(void *);
struct empty {};
static int counter;
static const int squares[8] = { 0, 1, 4, 9, 16, 25, 36, 49 };
int exported = 7;
static NOINLINE int helper(int x) { counter += x; return printk("helper %d\\n", x) + counter; }
static NOINLINE int cold(int x) { static int once; if (!once++) printk("%s: once\\n", __func__); return x ^ once; }
int table(int x)
{
  switch (x) {
  case 0: return helper(1);
  case 1: return cold(2) + 3;
  case 2: return other();
  case 3: return exported;
  case 4: return helper(4) + cold(5);
  case 5: return -7;
  case 6: return x * helper(9);
  default: return 0;
  }
}
int sum(void)
{
  int all = 0;
  for (const int *p = squares; p < squares + 8; p++) all += helper(*p);
  return all;
}
int keys(void) { static struct empty key; static int state; state++; return key_user(&key) + state; }
int hooked(void) { return hook(helper) + hook(cold); }
struct ops { int (*a)(int), (*b)(int); const char *name; const int *more; };
const struct ops ops = { helper, cold, "the name", squares + 3 };
int tail(int x) { if (x > 3) return helper(x); return cold(x); }
`
/** Things that a patch may put in front: code, data of every kind, strings, a static variable, a clone. */
const NEIGHBOURS = `
extern int printk(const char *, ...);
static int other_counter = 3, other_zero;
static const short odd_table[5] = { 3, 1, 4, 1, 5 };
static const char unaligned[] = "17 bytes are here";
static __attribute__((noinline, noclone)) int first(int x) { static int seen; seen += x; return printk("first %d %s\\n", x, __func__) + seen + odd_table[x & 3]; }
int neighbour(int x)
{
  switch (x) { case 0: return 3; case 1: return first(other_zero); case 2: return printk(unaligned); case 3: return other_zero++;
    case 4: return x * 17; case 5: return other_counter++; case 6: return 99; default: return 1; }
}
`

describe.each([
  ['x86_64', X86_64],
  ['x86_64, functions aligned to 1', `${X86_64} -falign-functions=1`],
  ['i386', I386],
])('symbolHashes, %s', (_, options) => {
  const changed = (before: string, after: string): readonly string[] => c.changed(before, after, options)

  it('finds all symbols, by kind', () => {
    const hashes = c.hashes(SOURCE, options)
    const kinds = [...hashes].map(([name, hash]) => `${name} ${hash[0]!}`).sort()
    const want = `__func__.* r, cold t, counter b, exported d, helper t, hooked t, key.* b, keys t, once.* b, ops r,
      squares r, state.* b, sum t, table t, table.cold t, tail t`
    expect(kinds).toEqual(want.split(/,\s+/))
    for (const hash of hashes.values()) expect(hash).toMatch(/^[tdrb][0-9a-f]{16}(?: [0-9a-f]{16} .*)?$/)
  })

  it('does not see comments, lines, names of local variables and other ways to write the same', () => {
    expect(changed(SOURCE, `/* comment */\n\n\n${SOURCE}`)).toEqual([])
    expect(changed(SOURCE, SOURCE.replaceAll(/\bp\b/g, 'pointer').replaceAll('all', 'result'))).toEqual([])
    expect(changed(SOURCE, SOURCE.replace('x * helper(9)', 'helper(9) * x'))).toEqual([])
  })

  it('does not see that neighbours were added, or that a function was moved', () => {
    const added = changed(SOURCE, NEIGHBOURS + SOURCE)
    // __func__ and the like are there twice, now.
    expect(added).toEqual([
      '__func__.*',
      'first',
      'neighbour',
      'odd_table',
      'other_counter',
      'other_zero',
      'seen.*',
      'unaligned',
    ])
    expect(changed(SOURCE, SOURCE + NEIGHBOURS.replace(/^.*\n/, '\n'))).toEqual(added)
    const sum = /^int sum[^]*?\n}\n/m.exec(SOURCE)![0]
    expect(changed(SOURCE, SOURCE.replace(sum, '') + sum)).toEqual([])
    const hooked = /^int hooked.*\n/m.exec(SOURCE)![0]
    expect(changed(SOURCE, SOURCE.replace(hooked, '').replace('int table', `${hooked}int table`))).toEqual([])
  })

  it.each([
    ['an instruction', 'counter += x', 'counter -= x', ['helper']],
    ['a constant', 'return -7', 'return -8', ['table']],
    ['a string', 'helper %d', 'Helper %d', ['helper']],
    ['the last letter of a string', '"the name"', '"the game"', ['ops']],
    ['a call to another function', 'return other()', 'return other2()', ['table']],
    ['a call to another static function', 'x * helper(9)', 'x * cold(9)', ['table']],
    [
      'an address of another static function',
      'hook(helper) + hook(cold)',
      'hook(cold) + hook(cold)',
      ['hooked'],
    ],
    [
      'the order of two cases',
      'case 2: return other();\n  case 3: return exported;',
      'case 3: return other();\n  case 2: return exported;',
      ['table'],
    ],
    ['a member of constant data', '16, 25', '16, 26', ['squares']],
    ['a pointer in constant data', 'squares + 3', 'squares + 4', ['ops']],
    ['functions in constant data', '{ helper, cold,', '{ cold, helper,', ['ops']],
    ['initial data', 'exported = 7', 'exported = 8', ['exported']],
    ['another variable', 'key_user(&key) + state', 'key_user(&state) + state', ['key.*', 'keys']],
    ['data that is const now', 'int exported', 'const int exported', ['exported', 'table', 'table.cold']],
    ['a tail call', 'if (x > 3) return helper(x)', 'if (x > 4) return helper(x)', ['tail']],
  ])('sees %s', (_what, from, to, want) => {
    const prefix = 'extern int other2(void);\n'
    expect(SOURCE).toContain(from)
    expect(changed(prefix + SOURCE, prefix + SOURCE.replace(from, to))).toEqual(want)
  })

  it('knows what has another name only', () => {
    const renamed = SOURCE.replaceAll('helper(', 'assistant(')
      .replaceAll('helper)', 'assistant)')
      .replaceAll('helper,', 'assistant,')
    const of = (source: string): ReadonlyMap<string, ReadonlyMap<string, string>> =>
      new Map([['a.o', c.hashes(source, options)]])
    const found = compareSymbols(of(SOURCE), of(renamed))
    expect(found.renamed).toEqual([{ object: 'a.o', from: 'helper', to: 'assistant' }])
    expect(found.changed.filter(({ kind }) => kind !== 'renamed')).toEqual([])
    expect(found.changed.map(({ symbol }) => symbol)).toEqual(['hooked', 'ops', 'sum', 'table', 'tail'])
    const other = compareSymbols(
      of(SOURCE),
      of(renamed.replace('hook(assistant) + hook(cold)', 'hook(cold) + hook(assistant)')),
    )
    expect(other.changed.filter(({ kind }) => kind !== 'renamed')).toMatchObject([
      { symbol: 'hooked', kind: 'code' },
    ])
  })

  it('sees that a function or variable is in another kind of section', () => {
    const inInit = SOURCE.replace('int sum', '__attribute__((section(".init.text"))) int sum')
    expect(changed(SOURCE, inInit)).toEqual(['sum'])
    const percpu = SOURCE.replace('int exported', '__attribute__((section(".data..percpu"))) int exported')
    expect(changed(SOURCE, percpu)).toEqual(['exported'])
    // Where hot and cold code goes is the compiler's own choice.
    expect(
      changed(SOURCE, SOURCE.replace('int sum', '__attribute__((section(".text.unlikely"))) int sum')),
    ).toEqual([])
  })
})

describe('symbolHashes', () => {
  it('keeps clones and static variables of the same name apart', () => {
    const source = (first: number): string => `
      extern int out(int);
      static __attribute__((noinline)) int work(int a, int b) { for (int i = 0; i < a; i++) out(i * b); return a + b; }
      static __attribute__((noinline, noclone)) int one(void) { static int n = 1; return n++; }
      static __attribute__((noinline, noclone)) int two(void) { static int n = 2; return n++ * 3; }
      int f(int x) { return work(x, ${first}) + one(); }
      int g(int x) { return two() * work(x, ${first}); }`
    const hashes = c.hashes(source(3))
    expect(hashes.get('n.*')).toMatch(/^d[0-9a-f]{16},d[0-9a-f]{16}$/)
    expect([...hashes.keys()]).toContain('work.constprop.*')
    // Two clones, one for each constant: whoever calls the other one is seen.
    const split = (a: number, b: number): string => `
      extern int out(int);
      static __attribute__((noinline)) int work(int a, int b) { for (int i = 0; i < a; i++) out(i * b); return a + b; }
      int f(int x) { return work(${a}, x); }
      int g(int x) { return work(${b}, x) + 1; }
      int h(int x) { return work(${a}, x) + 2; }
      int k(int x) { return work(${b}, x) + 3; }`
    const options = `${X86_64} -O3 -fipa-cp-clone --param ipa-cp-eval-threshold=1 --param ipa-cp-unit-growth=1000`
    const clones = c.hashes(split(5, 9), options).get('work.constprop.*')
    expect(clones?.split(',')).toHaveLength(2)
    const swapped = c.changed(split(5, 9), split(5, 9).replace('work(9, x) + 3', 'work(5, x) + 3'), options)
    expect(swapped).toEqual(['k'])
  })

  it('sees a shared variable where there were two', () => {
    const two = `extern int out(int *); int f(void) { { static int n; out(&n); } { static int n; return out(&n); } }`
    const one = `extern int out(int *); int f(void) { static int n; out(&n); return out(&n); }`
    expect(c.changed(two, one)).toContain('f')
  })

  it('sees what only a table beside the code has: exceptions, jump labels, bugs; not its line number', () => {
    const source = (line: number, flags: number, fixup: string, key: string): string => `
      extern int ${key}; 
      int f(int *p)
      {
        int v;
        asm volatile("1: movl (%1), %0\\n2:\\n.section __ex_table,\\"a\\"\\n.long 1b - ., ${fixup} - ., 3\\n.previous"
          : "=r"(v) : "r"(p));
        asm volatile("1: ud2\\n.section __bug_table,\\"aw\\"\\n2: .long 1b - .\\n.word ${line}, ${flags}\\n.previous");
        asm goto("1: .byte 0x0f,0x1f,0x44,0x00,0x00\\n.section __jump_table,\\"aw\\"\\n"
          ".long 1b - ., %l[yes] - .\\n.quad ${key} - .\\n.previous" : : : : yes);
        return v;
      yes:
        return 5;
      }
      int g(int *p) { return *p; }`
    const one = source(10, 1, '2b', 'key_a')
    expect(c.changed(one, source(999, 1, '2b', 'key_a'))).toEqual([])
    expect(c.changed(one, source(10, 3, '2b', 'key_a'))).toEqual(['f'])
    expect(c.changed(one, source(10, 1, '1b', 'key_a'))).toEqual(['f'])
    expect(c.changed(one, source(10, 1, '2b', 'key_b'))).toEqual(['f'])
  })

  it('reads labels of assembly that have no size', () => {
    const source = (constant: string): string =>
      `asm(".text\\nstart: nop\\n ret\\n.globl second\\nsecond: mov $${constant}, %eax\\n jmp start\\n");`
    const hashes = c.hashes(source('5'))
    expect([...hashes.keys()].sort()).toEqual(['second', 'start'])
    expect(c.changed(source('5'), source('6'))).toEqual(['second'])
  })

  it('refuses what is no object', () => {
    const object = c.object(SOURCE)
    truncateSync(object, 1000)
    expect(() => symbolHashes(object)).toThrow(/cut off/)
  })
})
