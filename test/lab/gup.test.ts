// SPDX-License-Identifier: GPL-2.0-only
// pin_user_phyrs() by its own selftests: they pass, and one entry too many in a batch does not get past them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runOutputSchema, type RunOutput } from '../../tools/result/record.ts'
import { labKernel, phyr } from './lab.ts'
import { plantedSeries } from './planted.ts'

/** CI's minute of stress is shared by the machines that phyr run does not have; on virtio it runs the short form. */
const MACHINES = ['hugepages', 'movable'] as const
const STRESS = 60 / MACHINES.length

/** GUP-fast's batch takes the first entry that does not belong to it as well. */
const PLANT = {
  file: 'mm/gup.c',
  from: '\t\t    pte_write(pte) != writable)\n\t\t\tbreak;\n',
  to: '\t\t    pte_write(pte) != writable) {\n\t\t\tnr++;\n\t\t\tbreak;\n\t\t}\n',
} as const

const dir = mkdtempSync(join(tmpdir(), 'phyr-gup-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

// The whole series' kernel first: then the planted patch compiles one file, not all.
beforeAll(async () => {
  await labKernel()
})

const tested = async (
  args: readonly string[],
): Promise<{ code: number | null; stderr: string; output: RunOutput }> => {
  const { code, stdout, stderr } = await phyr(['test', 'gup', ...args, '--json'])
  return { code, stderr, output: runOutputSchema.parse(JSON.parse(stdout)) }
}

test('phyr test gup in CI form passes: 1000 random cases a machine, and a minute of stress', async () => {
  const machines = MACHINES.flatMap((machine) => ['-m', machine])
  const { code, stderr, output } = await tested([...machines, '--set', `stress=${STRESS}`])
  expect(code, `${stderr}\n${JSON.stringify(output.runs.map((run) => run.reasons))}`).toBe(0)
  expect(output.runs.map((run) => run.machine).toSorted()).toEqual(MACHINES.toSorted())
  for (const run of output.runs) {
    expect(run, run.machine).toMatchObject({ suite: 'gup', outcome: 'pass', failed: 0, splats: [] })
    expect(run.variables).toEqual({ cases: 1000, seed: 1, stress: STRESS })
    expect(run.passed).toBeGreaterThan(10)
    expect(run.seconds).toBeGreaterThan(STRESS)
  }
}, 1_200_000)

test('a batch that takes one entry too many is caught', async () => {
  await plantedSeries(dir, PLANT)
  const { code, stderr, output } = await tested(['-C', dir, '-m', 'virtio', '--set', 'stress=0'])
  expect(code, stderr).toBe(1)
  // By its tests, and not by a kernel that does not build or boot.
  expect(output.finding).toBeUndefined()
  expect(output.runs).toHaveLength(1)
  expect(output.runs[0]).toMatchObject({ outcome: 'fail', end: 'done' })
  expect(output.runs[0]!.failed).toBeGreaterThan(0)
  expect(output.runs[0]!.passed).toBeGreaterThan(0)
}, 1_200_000)
