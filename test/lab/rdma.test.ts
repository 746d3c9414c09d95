// SPDX-License-Identifier: GPL-2.0-only
// Memory regions on phyrs by verbs programs: they pass, and data from behind an entry's end does not get past them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runOutputSchema, type RunOutput } from '../../tools/result/record.ts'
import { labKernel, phyr } from './lab.ts'
import { plantedSeries } from './planted.ts'

/** As short as in phyr run, which has it on virtio; this is the machine with huge pages. */
const SHORT = { rounds: 2, kills: 2, messages: 100 } as const

/** rxe takes what it reads as contiguous beyond the end of an entry. What it writes stays inside: the guest lives. */
const PLANT = {
  file: 'drivers/infiniband/sw/rxe/rxe_mr.c',
  from: '\t\tunsigned int bytes = min_t(size_t, length, p->len - skip);\n',
  to:
    '\t\tunsigned int bytes = dir == RXE_FROM_MR_OBJ ? length :\n' +
    '\t\t\t\tmin_t(size_t, length, p->len - skip);\n',
} as const

const dir = mkdtempSync(join(tmpdir(), 'phyr-rdma-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

// The whole series' kernel first: then the planted patch compiles one file, not all.
beforeAll(async () => {
  await labKernel()
})

const tested = async (
  args: readonly string[],
): Promise<{ code: number | null; stderr: string; output: RunOutput }> => {
  const set = Object.entries(SHORT).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const { code, stdout, stderr } = await phyr(['test', 'rdma', ...set, ...args, '--json'])
  return { code, stderr, output: runOutputSchema.parse(JSON.parse(stdout)) }
}

test('phyr test rdma passes with huge pages, regions of 4 GiB among it', async () => {
  const { code, stderr, output } = await tested(['-m', 'rdma'])
  expect(code, `${stderr}\n${JSON.stringify(output.runs.map((run) => run.reasons))}`).toBe(0)
  expect(output.runs).toHaveLength(1)
  const run = output.runs[0]!
  expect(run).toMatchObject({ machine: 'rdma', suite: 'rdma', outcome: 'pass', failed: 0, splats: [] })
  expect(run.variables).toMatchObject({ ...SHORT, seed: 1 })
  expect(run.passed).toBeGreaterThan(150)
  // What is not tested is what a driver does not have: eight kinds of atomics, two of addresses, one program.
  expect(run.skipped).toBeLessThanOrEqual(12)
}, 1_200_000)

test('data from behind the end of an entry is caught', async () => {
  await plantedSeries(dir, PLANT)
  const { code, stderr, output } = await tested(['-C', dir, '-m', 'virtio'])
  expect(code, stderr).toBe(1)
  // By its tests, and not by a kernel that does not build or boot.
  expect(output.finding).toBeUndefined()
  expect(output.runs).toHaveLength(1)
  expect(output.runs[0]).toMatchObject({ outcome: 'fail', end: 'done' })
  expect(output.runs[0]!.failed).toBeGreaterThan(0)
  expect(output.runs[0]!.passed).toBeGreaterThan(0)
}, 1_200_000)
