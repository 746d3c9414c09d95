// SPDX-License-Identifier: GPL-2.0-only
// phyr bench, on costs of which it is known what they are: one that is planted, and none.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PLANTED, plantedSeries } from '../../tools/bench/plant.ts'
import { toolRoot } from '../../tools/lib/paths.ts'
import { benchOutputSchema } from '../../tools/result/bench-record.ts'
import { listBench } from '../../tools/result/bench-store.ts'
import { readSeries } from '../../tools/series/read.ts'
import { labKernel, labTree, phyr } from './lab.ts'

const CASE = 'nullblk/randread-4k-psync'
const series = readSeries(join(toolRoot, 'patches'))
const whole = series.patches.length

let planted = 0
let source = ''
const dir = mkdtempSync(join(tmpdir(), 'phyr-bench-'))
// The user's history is not for what the tests measured.
const records = (): string[] => listBench().records.map((record) => record.file)
const known = new Set(records())
afterAll(() => {
  rmSync(dir, { recursive: true, force: true })
  for (const file of records()) if (!known.has(file)) rmSync(file)
})

beforeAll(async () => {
  await labKernel()
  source = readFileSync(join(await labTree(), PLANTED.file), 'utf8')
})

test('the self-test finds a planted cost of 1 %, and none in a patch that only moves code', async () => {
  const { code, stdout, stderr } = await phyr(['bench', '--self-test', '--repeats', '2', '--json'])
  expect(code, stderr).toBe(0)
  const [result] = (JSON.parse(stdout) as { cases: Record<string, unknown>[] }).cases
  expect(result).toMatchObject({ name: CASE, named: PLANTED.function, faults: [] })
  const { idle, costly } = result as unknown as Record<'idle' | 'costly', { ratio: number }>
  expect(idle.ratio.toFixed(3)).toBe('1.000')
  expect(costly.ratio).toBeGreaterThan(1.009)
  expect(costly.ratio).toBeLessThan(1.011)
  planted = (result as { planted: number }).planted
}, 1_200_000)

test('one point against itself is 1 to the instruction, on every machine, and the record holds to its schema', async () => {
  const cases = [
    CASE,
    'nvme/randread-4k-psync',
    'virtio/randread-4k-psync',
    'loop/randread-4k-psync',
    'gup/fast-4k-32',
    'uring/register-4k',
    'boot',
  ]
  const { code, stdout, stderr } = await phyr([
    'bench',
    ...cases,
    '--from',
    'series',
    '--repeats',
    '2',
    '--json',
  ])
  expect(code, stderr).toBe(0)
  const output = benchOutputSchema.parse(JSON.parse(stdout))
  expect(output).toMatchObject({ schema: 1, mode: 'both', accel: { deterministic: { used: 'tcg' } } })
  expect(output.fio).toMatch(/^fio-\d/)
  expect(output.qemu).toMatch(/^QEMU \d+\.\d+/)
  expect(output.points.base.kernel).toBe(output.points.series.kernel)
  expect(output.cases.map((one) => one.name).toSorted()).toEqual(
    [...cases.slice(0, -1), 'boot/init'].toSorted(),
  )
  for (const one of output.cases) {
    expect(one.base, `${one.name}: ${one.why}`).toBeGreaterThan(0)
    expect(one.ratio).toBe(1)
    expect(one.functions ?? []).toEqual([])
    expect(one.repeats).toBe(2)
    expect(one.user?.base).toBe(one.user?.series)
    if (one.name !== 'boot/init') expect(one.resolvable, `${one.name}: ${one.why}`).toBe(true)
    // Two repeats are too few for a clock, and it says so.
    expect(one.wall).toMatchObject({ resolvable: false, repeats: 2 })
    expect(one.wall!.base).toBeGreaterThan(0)
  }
}, 1_200_000)

test('the gate fails on the planted patch, and names it and its function', async () => {
  const copy = plantedSeries(series, whole, source, planted)
  const patches = join(dir, 'patches')
  mkdirSync(patches)
  for (const patch of copy.patches) writeFileSync(join(patches, patch.file), patch.text)
  writeFileSync(join(patches, 'series'), copy.patches.map((patch) => `${patch.file}\n`).join(''))
  // Under a name of its own: its record lies in the same history as those of the series.
  const meta = JSON.parse(readFileSync(join(toolRoot, 'patches/series.json'), 'utf8')) as object
  writeFileSync(join(patches, 'series.json'), JSON.stringify({ ...meta, name: 'planted' }))
  const args = [
    'bench',
    '-C',
    dir,
    CASE,
    '--from',
    String(whole),
    '--mode',
    'deterministic',
    '--repeats',
    '2',
  ]
  const folded = join(dir, 'folded')
  const { code, stdout, stderr } = await phyr([...args, '--gate', '--folded', folded, '--json'])
  expect(code, stderr).toBe(1)
  const output = benchOutputSchema.parse(JSON.parse(stdout))
  const file = copy.patches.at(-1)!.file
  expect(output.gate).toEqual([
    expect.objectContaining({ case: CASE, outcome: 'fail', patch: file, function: PLANTED.function }),
  ])
  expect(output.walk?.steps.map((step) => step.number)).toEqual([whole, whole + 1, whole + 2])
  expect(output.walk?.costly).toEqual([expect.objectContaining({ number: whole + 2, file })])
  const text = readFileSync(join(folded, 'nullblk.randread-4k-psync.diff.folded'), 'utf8')
  const line = text.split('\n').find((row) => /;submit_bio_noacct \d+ \d+$/.test(row))
  const [before = 0, after = 0] = (line ?? '').split(' ').slice(-2).map(Number)
  expect(after - before).toBe(planted * 1000)
}, 1_200_000)
