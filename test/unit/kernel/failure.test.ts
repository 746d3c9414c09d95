// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest'
import { findFailure, findLabFault, findWarnings } from '../../../tools/kernel/failure.ts'

/** What gcc 12.2 and make 4.3 wrote for a header and a source with an error each, two jobs. */
const GCC = `In file included from /src/block/bio.c:1:
/src/include/linux/phyr.h: In function ‘phyr_len’:
/src/include/linux/phyr.h:2:54: error: ‘struct phyr’ has no member named ‘len’
    2 | static inline int phyr_len(struct phyr *p) { return p->len; }
      |                                                      ^~
/src/block/bio.c: In function ‘f’:
/src/block/bio.c:6:16: warning: implicit declaration of function ‘q’ [-Wimplicit-function-declaration]
    6 |         return q(p) + missing;
      |                ^
/src/block/bio.c:6:23: error: ‘missing’ undeclared (first use in this function)
    6 |         return q(p) + missing;
      |                       ^~~~~~~
/src/block/bio.c:6:23: note: each undeclared identifier is reported only once for each function it appears in
/src/block/bio.c:5:13: warning: unused variable ‘unused’ [-Wunused-variable]
    5 |         int unused;
      |             ^~~~~~
make[3]: *** [/src/scripts/Makefile.build:289: block/bio.o] Error 1
make[2]: *** [/src/scripts/Makefile.build:548: block] Error 2
make[2]: *** Waiting for unfinished jobs....
make[1]: *** [/src/Makefile:2120: .] Error 2
make: *** [Makefile:248: __sub-make] Error 2
`

describe('findFailure', () => {
  test('gives the compiler’s first error with what belongs to it, and not what follows', () => {
    const failure = findFailure(GCC, '/src')
    expect(failure).toMatchObject({
      file: 'include/linux/phyr.h',
      line: 2,
      message: 'include/linux/phyr.h:2:54: error: ‘struct phyr’ has no member named ‘len’',
      related: ['include/linux/phyr.h', 'block/bio.c'],
    })
    expect(failure.excerpt).toEqual([
      'In file included from block/bio.c:1:',
      'include/linux/phyr.h: In function ‘phyr_len’:',
      'include/linux/phyr.h:2:54: error: ‘struct phyr’ has no member named ‘len’',
      '    2 | static inline int phyr_len(struct phyr *p) { return p->len; }',
      '      |                                                      ^~',
    ])
  })

  test('keeps the notes of an error', () => {
    const failure = findFailure(GCC.split('\n').slice(5).join('\n'), '/src')
    expect(failure).toMatchObject({ file: 'block/bio.c', line: 6 })
    expect(failure.excerpt.at(-1)).toContain('note: each undeclared identifier')
  })

  test.each([
    [
      // ld 2.40, object with debug information
      "ld: m.o: in function `main':\n/src/block/m.c:1: undefined reference to `nothere'\n",
      { file: 'block/m.c', line: 1 },
    ],
    [
      // ld 2.40, object without
      "ld: block/m.o: in function `main':\nm.c:(.text+0x5): undefined reference to `nothere'\n",
      { message: "m.c:(.text+0x5): undefined reference to `nothere'" },
    ],
    [
      "make[4]: *** No rule to make target 'lib/phyr.o', needed by 'lib/built-in.a'.  Stop.\nmake: *** [Makefile:248: __sub-make] Error 2\n",
      { file: 'lib/phyr.o', line: undefined },
    ],
    [
      '/src/lib/Makefile:7: *** missing separator.  Stop.\nmake: *** [x] Error 2\n',
      { file: 'lib/Makefile', line: 7 },
    ],
    [
      // ccache has the compiler see the tree from the O= directory
      "../../trees/f82a-build/kernel/dma/phyr.c:458:14: error: 'nosuch' undeclared\n",
      {
        file: 'kernel/dma/phyr.c',
        line: 458,
        message: "kernel/dma/phyr.c:458:14: error: 'nosuch' undeclared",
      },
    ],
    ['ERROR: modpost: "phyr_x" [drivers/x.ko] undefined!\nmake: *** [x] Error 1\n', { file: undefined }],
    [
      '/tmp/ccX.s: Assembler messages:\n/src/arch/x86/a.S:5: Error: no such instruction: `foo`\n',
      { file: 'arch/x86/a.S', line: 5 },
    ],
  ])('understands %j', (stderr, expected) => {
    expect(findFailure(stderr, stderr.includes('trees/') ? '/cache/trees/f82a-build' : '/src')).toMatchObject(
      expected,
    )
  })

  test('a file outside the tree is nobody’s: it is named, and not looked up', () => {
    const failure = findFailure('/usr/include/stdio.h:3:1: error: bad\n', '/src')
    expect(failure).toMatchObject({ file: undefined, message: '/usr/include/stdio.h:3:1: error: bad' })
  })

  test('with nothing to go by, the last line', () => {
    expect(findFailure('strange\nstranger\n', '/src').message).toBe('stranger')
    expect(findFailure('', '/src').message).toBe('make failed and said nothing')
  })
})

test('findWarnings: each once, paths relative, at most the limit', () => {
  const warnings = findWarnings(GCC + GCC, '/src')
  expect(warnings).toEqual([
    'block/bio.c:6:16: warning: implicit declaration of function ‘q’ [-Wimplicit-function-declaration]',
    'block/bio.c:5:13: warning: unused variable ‘unused’ [-Wunused-variable]',
  ])
  expect(findWarnings(GCC, '/src', 1)).toHaveLength(1)
})

test('findLabFault: a full disk and a killed compiler are not the patch’s fault', () => {
  expect(findLabFault(GCC)).toBeUndefined()
  expect(
    findLabFault('fs/x.c:1:1: fatal error: error writing to /tmp/cc.s: No space left on device')?.why,
  ).toBe('the disk is full')
  expect(findLabFault('gcc: fatal error: Killed signal terminated program cc1')?.why).toMatch(/memory/)
})
