// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { asLayout, type Layout, readLayout, writeLayout } from '../../../tools/kernel/layout.ts'
import { structsOf } from '../../../tools/kernel/layout-btf.ts'
import { blamedLines, canProbe, probeLayout } from '../../../tools/kernel/layout-probe.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'phyr-layout-'))
  mkdirSync(join(root, 'tree/include/linux'), { recursive: true })
  mkdirSync(join(root, 'tree/drivers'), { recursive: true })
  mkdirSync(join(root, 'object/block'), { recursive: true })
  command(`ccache gcc -I${root}/tree/include -D__KERNEL__ -O2 -Wall`)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true, force: true })
})

function command(gcc: string): void {
  const text = `savedcmd_block/bio.o := ${gcc} -g -femit-struct-debug-baseonly -c -o block/bio.o x.c\n`
  writeFileSync(join(root, 'object/block/.bio.o.cmd'), text)
}

function header(path: string, text: string): void {
  writeFileSync(join(root, 'tree', path), text)
}

const probe = (headers: readonly string[], bits: 32 | 64 = 64): Promise<Layout> =>
  probeLayout({
    source: join(root, 'tree'),
    object: join(root, 'object'),
    scratch: join(root, 'scratch'),
    bits,
    headers,
  })

const SAMPLE = `
#ifndef __KERNEL__
#error the options of the object are not used
#endif
typedef unsigned long long u64;
enum dir { TO, FROM };
struct inner { char c; };
struct sample {
	char first;
	/* 3 bytes */
	int second;
	struct sample *next;
	union {
		struct { short s0, s1; };
		int both;
	};
	struct { char x; int y; } u;
	unsigned int a:3, b:13;
	unsigned char :0;
	const volatile void *const *pointer;
	int (*call)(struct sample *, int);
	enum dir dir;
	struct inner inner;
	u64 grid[2][3];
	unsigned char more:1;
	char tail[];
};
union both { long l; int i; };
struct gone_if_unused { int x; };
`

describe.skipIf(!canProbe())('probeLayout, which needs pahole', () => {
  test('offsets, sizes, bit fields, types and holes are those that gcc made', async () => {
    header('include/linux/sample.h', SAMPLE)
    const layout = await probe(['include/linux/sample.h'])
    expect(layout.leftOut).toEqual([])
    expect(layout.structs['struct sample']).toEqual({
      bytes: 112,
      // behind first, u.x, b, inner, and at the end
      holes: 3 + 3 + 2 + 3 + 7,
      cachelines: 2,
      members: [
        { name: 'first', offset: 0, size: 1, type: 'char' },
        { name: 'second', offset: 4, size: 4, type: 'int' },
        { name: 'next', offset: 8, size: 8, type: 'struct sample *' },
        { name: 's0', offset: 16, size: 2, type: 'short int' },
        { name: 's1', offset: 18, size: 2, type: 'short int' },
        { name: 'both', offset: 16, size: 4, type: 'int' },
        { name: 'u.x', offset: 20, size: 1, type: 'char' },
        { name: 'u.y', offset: 24, size: 4, type: 'int' },
        { name: 'a', offset: 28, size: 1, bits: { width: 3, first: 0 }, type: 'unsigned int' },
        { name: 'b', offset: 28, size: 2, bits: { width: 13, first: 3 }, type: 'unsigned int' },
        { name: 'pointer', offset: 32, size: 8, type: 'volatile const void * const *' },
        { name: 'call', offset: 40, size: 8, type: 'function *' },
        { name: 'dir', offset: 48, size: 4, type: 'enum dir' },
        { name: 'inner', offset: 52, size: 1, type: 'struct inner' },
        { name: 'grid', offset: 56, size: 48, type: 'u64[6]' },
        { name: 'more', offset: 104, size: 1, bits: { width: 1, first: 0 }, type: 'unsigned char' },
        { name: 'tail', offset: 105, size: 0, type: 'char[0]' },
      ],
    })
    expect(layout.structs['union both']).toMatchObject({ bytes: 8, holes: 0 })
    expect(layout.structs['struct gone_if_unused']).toMatchObject({ bytes: 4 })
    expect(existsSync(join(root, 'scratch'))).toBe(false)
    expect(readdirSync(join(root, 'object/block'))).toEqual(['.bio.o.cmd'])
  })

  test('the options of the object decide: -m32, packing', async () => {
    header('include/linux/p.h', 'struct p { char c; void *p; long long l; };\n')
    command(`gcc -m32 -I${root}/tree/include`)
    expect((await probe(['include/linux/p.h'], 32)).structs['struct p']).toEqual({
      bytes: 16,
      holes: 3,
      cachelines: 1,
      members: [
        { name: 'c', offset: 0, size: 1, type: 'char' },
        { name: 'p', offset: 4, size: 4, type: 'void *' },
        { name: 'l', offset: 8, size: 8, type: 'long long int' },
      ],
    })
    command(`gcc -fpack-struct=1 -I${root}/tree/include`)
    expect((await probe(['include/linux/p.h'])).structs['struct p']).toMatchObject({ bytes: 17, holes: 0 })
  })

  test('a header that is missing or broken is left out and said; the others are read', async () => {
    header('include/linux/one.h', 'struct one { int a; };\n')
    header('include/linux/bad.h', 'struct bad {\n\tstruct nowhere n;\n\tint x[UNKNOWN];\n};\n')
    header('include/linux/uses.h', '#include "inner.h"\nstruct uses { struct one o; };\n')
    header('include/linux/inner.h', '#error not with this configuration\n')
    header('drivers/private.h', 'struct private { struct one o[3]; };\n')
    const layout = await probe([
      'include/linux/one.h',
      'include/linux/missing.h',
      'include/linux/bad.h',
      'include/linux/uses.h',
      'drivers/private.h',
    ])
    expect(layout.absent).toBeUndefined()
    expect(layout.leftOut).toEqual([
      { header: 'include/linux/missing.h', kind: 'absent', why: 'this tree has no such file' },
      {
        header: 'include/linux/bad.h',
        kind: 'broken',
        why: expect.stringMatching(/^include\/linux\/bad\.h:2:\d+: error: field ‘n’ has incomplete type$/),
      },
      {
        header: 'include/linux/uses.h',
        kind: 'broken',
        why: expect.stringMatching(/^include\/linux\/inner\.h:1:\d+: error: #error not with this/),
      },
    ])
    expect(Object.keys(layout.structs)).toEqual(['struct one', 'struct private'])
    expect(layout.structs['struct private']).toMatchObject({ bytes: 12 })
  })

  test('nothing that the tree holds ends the build or reaches a shell', async () => {
    header('include/linux/one.h', 'struct one { int a; };\n')
    const marker = join(root, 'ran')
    command(`gcc -DA=$(touch ${marker})`)
    expect(await probe(['include/linux/one.h'])).toMatchObject({
      absent: 'block/.bio.o.cmd: its command needs a shell',
      structs: {},
    })
    command(`gcc '-DA=$$(touch ${marker}); touch ${marker} \`touch ${marker}\`' -I${root}/tree/include`)
    expect((await probe(['include/linux/one.h'])).structs['struct one']).toMatchObject({ bytes: 4 })
    expect(existsSync(marker)).toBe(false)
    command('gcc -mno-such-option')
    expect((await probe(['include/linux/one.h'])).absent).toMatch(/^gcc: .*no-such-option/)
    command(`gcc -I${root}/tree/include`)
    expect((await probe(['include/linux/missing.h'])).absent).toBe('no header compiles')
    rmSync(join(root, 'object/block/.bio.o.cmd'))
    expect((await probe(['include/linux/one.h'])).absent).toContain('the build left none of block/.bio.o.cmd')
    expect(existsSync(join(root, 'scratch'))).toBe(false)
  })

  test('pahole that fails, or writes rubbish, is a reason and no error', async () => {
    header('include/linux/one.h', 'struct one { int a; };\n')
    mkdirSync(join(root, 'bin'))
    vi.stubEnv('PATH', `${join(root, 'bin')}:${process.env['PATH']}`)
    const pahole = (script: string): void =>
      writeFileSync(join(root, 'bin/pahole'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    pahole('echo "pahole: no DWARF" >&2; exit 1')
    expect((await probe(['include/linux/one.h'])).absent).toBe('pahole: pahole: no DWARF')
    pahole('echo rubbish > "${1#*=}"')
    expect((await probe(['include/linux/one.h'])).absent).toBe("pahole's output: it is no little-endian BTF")
  })

  test('damaged BTF is an error, whatever byte is damaged; never a loop', () => {
    const source = join(root, 'a.c')
    writeFileSync(source, SAMPLE)
    execFileSync('gcc', [
      '-g',
      '-fno-eliminate-unused-debug-types',
      '-D__KERNEL__',
      '-c',
      '-o',
      join(root, 'a.o'),
      source,
    ])
    execFileSync('pahole', [`--btf_encode_detached=${join(root, 'a.btf')}`, join(root, 'a.o')])
    const btf = execFileSync('cat', [join(root, 'a.btf')])
    expect(structsOf(btf, 8).get('struct inner')).toMatchObject({ bytes: 1 })
    for (let length = 0; length < btf.length; length += 7) {
      expect(() => structsOf(btf.subarray(0, length), 8)).toThrow(/BTF|out of range|outside buffer/)
    }
    for (let at = 0; at < btf.length; at++) {
      const broken = Buffer.from(btf)
      broken[at] = broken[at]! ^ 1
      try {
        structsOf(broken, 8)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }
  })
})

test('without pahole there is no layout, and the reason', async () => {
  vi.stubEnv('PATH', '/nonexistent')
  expect(await probe(['include/linux/one.h'])).toEqual({
    version: 1,
    absent: 'pahole is not installed',
    leftOut: [],
    structs: {},
  })
})

test('an error belongs to the line of the probe whose header it is in, a note does not', () => {
  const stderr = `In file included from /x/probe.c:3:
/src/a.h:4:2: error: first
    4 | x
/src/a.h:9:2: error: second
In file included from /src/deep.h:1,
                 from /x/probe.c:7:
/src/b.h:1:1: note: declared here
In file included from /src/b.h:2,
                 from /x/probe.c:8:
/src/c.h:1:1: error: third
/x/probe.c:12:10: fatal error: no.h: No such file or directory
compilation terminated.
`
  expect([...blamedLines(stderr, '/x/probe.c')]).toEqual([
    [3, '/src/a.h:4:2: error: first'],
    [8, '/src/c.h:1:1: error: third'],
    [12, 'fatal error: no.h: No such file or directory'],
  ])
  expect(blamedLines('gcc: error: unrecognized option', '/x/probe.c').size).toBe(0)
})

test('a layout comes back as it was written; without one, or with another version, there is none', () => {
  const layout = asLayout(
    new Map([
      ['struct b', { bytes: 1, holes: 1, cachelines: 1, members: [] }],
      ['struct a', { bytes: 0, holes: 0, cachelines: 0, members: [] }],
    ]),
    [{ header: 'x.h', kind: 'absent', why: 'y' }],
  )
  expect(readLayout({ dir: root })).toBeUndefined()
  writeLayout(root, layout)
  expect(readLayout({ dir: root })).toEqual(layout)
  expect(Object.keys(layout.structs)).toEqual(['struct a', 'struct b'])
  for (const text of ['{', 'null', '{"version":0,"structs":{}}', '{"version":1}']) {
    writeFileSync(join(root, 'layout.json'), text)
    expect(readLayout({ dir: root })).toBeUndefined()
  }
})
