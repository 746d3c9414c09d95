// SPDX-License-Identifier: GPL-2.0-only
// The real preprocessor and the real sparse on a saved command, as kbuild leaves it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { which } from '../../../tools/lib/which.ts'
import { readCmdFile } from '../../../tools/touched/cmd-file.ts'
import { codeLines, compiledLines } from '../../../tools/touched/code-lines.ts'
import { type Place, preprocessedLines } from '../../../tools/touched/preprocess.ts'
import { sparseOf } from '../../../tools/touched/sparse.ts'

const HEADER = `#define CHECK(a, b) ((a) + \\
	(b))
#ifdef CONFIG_NOBODY
static inline int never(void)
{
	return 1;
}
#else
static inline int always(int x)
{
	return CHECK(x,
		     2);
}
#endif
`
const SOURCE = `#include "h.h"
typedef unsigned int __attribute__((bitwise)) be32;
int f(be32 x);
int f(be32 x)
{
	__typeof_unqual__(x) copy = x;
#if 0
	return 0;
#endif
	return always(copy + 1);
}
`
let dir: string
let place: Place
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-real-'))
  // The command names tree "old"; what is read is tree "new".
  for (const sub of ['O/lib', 'new/lib', 'old']) mkdirSync(join(dir, sub), { recursive: true })
  writeFileSync(join(dir, 'new/lib/h.h'), HEADER)
  writeFileSync(join(dir, 'new/lib/f.c'), SOURCE)
  const source = join(dir, 'old')
  writeFileSync(
    join(dir, 'O/lib/.f.o.cmd'),
    `savedcmd_lib/f.o := ccache gcc -Wp,-MMD,lib/.f.o.d -I${source}/lib -O2 -c -o lib/f.o ${source}/lib/f.c\n`,
  )
  place = { object: join(dir, 'O'), from: source, to: join(dir, 'new') }
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('what the preprocessor leaves out is found, in the source and in the header', async () => {
  const cmd = readCmdFile(place.object, 'lib/f.o', place.from)!
  const seen = await preprocessedLines(cmd, place, new Set(['lib/h.h', 'lib/f.c']))
  const lost = (file: string, text: string): string[] => {
    const code = codeLines(text)
    const live = compiledLines(code, seen?.get(file) ?? new Set())
    return code.filter((c) => !live.has(c.line)).map((c) => c.text)
  }
  expect(lost('lib/h.h', HEADER)).toEqual(['static inline int never(void)', 'return 1;'])
  expect(lost('lib/f.c', SOURCE)).toEqual(['return 0;'])
})

test('a source that cannot be preprocessed has no lines, rather than all of them', async () => {
  rmSync(join(dir, 'new/lib/h.h'))
  const cmd = readCmdFile(place.object, 'lib/f.o', place.from)!
  expect(await preprocessedLines(cmd, place, new Set(['lib/f.c']))).toBeUndefined()
})

test.skipIf(which('sparse') === undefined)(
  'sparse reads through __typeof_unqual__ and finds the type',
  async () => {
    const cmd = readCmdFile(place.object, 'lib/f.o', place.from)!
    expect(await sparseOf(cmd, place)).toEqual([
      expect.stringMatching(/^lib\/f\.c:10:\d+: warning: restricted be32 degrades to integer/),
    ])
  },
)

test.skipIf(which('sparse') === undefined)(
  'a source that sparse cannot open is not one without warnings',
  async () => {
    const cmd = readCmdFile(place.object, 'lib/f.o', place.from)!
    rmSync(join(dir, 'new/lib/f.c'))
    expect(await sparseOf(cmd, place)).toBeUndefined()
  },
)
