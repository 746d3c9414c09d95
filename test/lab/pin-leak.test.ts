// SPDX-License-Identifier: GPL-2.0-only
// S1: the pin leak of direct I/O. Without the series' fix the selftest must fail, and say by how much; with it, it
// passes on every machine (run.test.ts).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { toolRoot } from '../../tools/lib/paths.ts'
import { runOutputSchema } from '../../tools/result/record.ts'
import { loadResult } from '../../tools/result/store.ts'
import { readSeries } from '../../tools/series/read.ts'
import { labKernel, phyr } from './lab.ts'

const cases = [
  'vector shortened',
  'vector dropped',
  'vectors dropped and shortened',
  'vector shortened before a fault',
]

// The whole series' kernel first: then leaving one patch out compiles one file, not all.
beforeAll(async () => {
  await labKernel()
})

test('without the fix the selftest fails in every case that cuts pinned pages off', async () => {
  // The fix is the first of them; what follows changes the lines that it adds, and does not apply without it.
  const changes = readSeries(join(toolRoot, 'patches')).patches.filter((p) => p.paths.includes('block/bio.c'))
  const fix = changes[0]!
  const without = changes.flatMap((patch) => ['--without', patch.file])
  const { code, stdout, stderr } = await phyr(['test', 'kselftest', ...without, '--json'])
  expect(code, stderr).toBe(1)
  const output = runOutputSchema.parse(JSON.parse(stdout))
  expect(output.series.list?.find((p) => p.file === fix.file)?.commit).toBeUndefined()
  expect(output.runs).toHaveLength(1)
  const run = output.runs[0]!
  expect(run).toMatchObject({ machine: 'virtio', suite: 'kselftest', outcome: 'fail', failed: cases.length })
  // The kernel itself does not notice: that is what makes it a leak.
  expect(run).toMatchObject({ splats: [], end: 'done' })
  const result = loadResult(run.key!) as { results: string }
  const text = readFileSync(result.results, 'utf8')
  for (const name of cases) expect(text).toMatch(new RegExp(`not ok \\d+ .*${name}`))
  expect(text).toMatch(/ok \d+ .*nothing cut off/)
}, 1_200_000)
