// SPDX-License-Identifier: GPL-2.0-only
// Objects that a patch touches, compiled where the lab's config does not: a patch behind the series breaks 32-bit,
// has lines that nobody compiles, and gives sparse something to say. No kernel is built; the first run configures
// allmodconfig of i386.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findProject } from '../../tools/lib/project.ts'
import { getApplied } from '../../tools/run/sources.ts'
import type { Applied } from '../../tools/series/series.ts'
import { touchedBuilds } from '../../tools/touched/builds.ts'
import { sparseDelta } from '../../tools/touched/sparse.ts'
import { plantedSeries } from './planted.ts'

const FILE = 'kernel/dma/phyr.c'
const INCLUDE = '#include "direct.h"\n'

let dir: string
let applied: Applied
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-touched-'))
  const code = `
unsigned long phyr_planted(unsigned long addr, __be32 big);
unsigned long phyr_planted(unsigned long addr, __be32 big)
{
	return (addr >> 32) + big;
}

#ifdef CONFIG_NOBODY_SETS_THIS
static int phyr_never;
#endif
`
  await plantedSeries(dir, { file: FILE, from: INCLUDE, to: `${INCLUDE}${code}` })
  applied = await getApplied(findProject(dir), {}, new AbortController().signal)
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('a shift that only 32-bit complains about, and a line that nobody compiles, are named', async () => {
  const patchNumber = applied.commits.length
  const builds = await touchedBuilds({ applied, patchNumber, archs: ['i386'], jobs: 2 })
  const [pae, noPae, ...more] = builds.touched
  expect(more).toEqual([])
  for (const row of [pae, noPae]) {
    expect(row, JSON.stringify(builds)).toMatchObject({ file: FILE, arch: 'i386', outcome: 'fail' })
    expect(row?.why).toMatch(/^kernel\/dma\/phyr\.c:\d+:\d+: warning: right shift count >= width of type/)
  }
  expect(builds.uncompiled).toEqual([
    { file: FILE, line: expect.any(Number) as number, text: 'static int phyr_never;' },
  ])
  const again = await touchedBuilds({ applied, patchNumber, archs: ['i386'] })
  expect(again).toEqual({ ...builds, cached: true })
}, 600_000)

test('sparse: arithmetic with a big-endian number is new with the patch', async () => {
  const delta = await sparseDelta({ applied, patchNumber: applied.commits.length })
  if ('skipped' in delta) return expect(delta.skipped).toMatch(/not installed|no build has/)
  expect(delta.removed).toEqual([])
  expect(delta.added).toEqual([
    expect.stringMatching(/^kernel\/dma\/phyr\.c:\d+:\d+: warning: restricted __be32 degrades to integer/),
  ])
}, 600_000)
