// SPDX-License-Identifier: GPL-2.0-only
// Mappings by physical ranges, used by a device that copies: data arrives, and one wrong offset does not get past them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runOutputSchema, type RunOutput } from '../../tools/result/record.ts'
import { labKernel, phyr } from './lab.ts'
import { plantedSeries } from './planted.ts'

/** Ranges behind an IOMMU, and a peer's memory there, too: what the usual machines do not have. */
const MACHINE = 'p2pdma-iommu'

/** Every range of a mapping at the start of the IOMMU's addresses for it. */
const PLANT = {
  file: 'kernel/dma/phyr.c',
  from: '\t\tret = dma_iova_link(dev, &map->state, addr, mapped, len,\n',
  to: '\t\tret = dma_iova_link(dev, &map->state, addr, 0 * mapped, len,\n',
} as const

const dir = mkdtempSync(join(tmpdir(), 'phyr-dma-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

// The whole series' kernel first: then the planted patch compiles one file, not all.
beforeAll(async () => {
  await labKernel()
})

const tested = async (
  args: readonly string[],
): Promise<{ code: number | null; stderr: string; output: RunOutput }> => {
  const { code, stdout, stderr } = await phyr(['test', 'dma', ...args, '-m', MACHINE, '--json'])
  return { code, stderr, output: runOutputSchema.parse(JSON.parse(stdout)) }
}

test('phyr test dma passes behind an IOMMU, with peers', async () => {
  const { code, stderr, output } = await tested([])
  expect(code, `${stderr}\n${JSON.stringify(output.runs.map((run) => run.reasons))}`).toBe(0)
  expect(output.runs).toHaveLength(1)
  const run = output.runs[0]!
  expect(run).toMatchObject({ machine: MACHINE, suite: 'dma', outcome: 'pass', failed: 0, splats: [] })
  // Twice, with 64 and with 28 bits of an address; no allocation fails there without config debug.
  expect(run.passed).toBeGreaterThan(130)
  expect(run.skipped).toBeLessThanOrEqual(2)
}, 1_200_000)

test('a range that is linked at a wrong offset is caught', async () => {
  await plantedSeries(dir, PLANT)
  const { code, stderr, output } = await tested(['-C', dir])
  expect(code, stderr).toBe(1)
  // By its tests, and not by a kernel that does not build or boot.
  expect(output.finding).toBeUndefined()
  expect(output.runs).toHaveLength(1)
  expect(output.runs[0]!.outcome).toBe('fail')
  expect(output.runs[0]!.failed).toBeGreaterThan(0)
  expect(output.runs[0]!.passed).toBeGreaterThan(0)
}, 1_200_000)
