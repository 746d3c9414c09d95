// SPDX-License-Identifier: GPL-2.0-only
// phyr prove names the patch and what is wrong with it: four faults are planted behind the series.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { proofSchema, type Proof } from '../../tools/result/proof-record.ts'
import { readSeries } from '../../tools/series/read.ts'
import { toolRoot } from '../../tools/lib/paths.ts'
import { labKernel, phyr } from './lab.ts'
import { plantedSeries, type Plant } from './planted.ts'

const PHYR_C = 'kernel/dma/phyr.c'
const LINE = '\tdirect = dma_map_direct(dev, get_dma_ops(dev));\n'

/** Changes neither code nor data: what stands behind a fault and is not to blame. */
const HARMLESS: Plant = {
  file: 'kernel/dma/dummy.c',
  from: '#include <linux/dma-map-ops.h>\n',
  to: '#include <linux/dma-map-ops.h>\n/* A comment. */\n',
}

const dirs: string[] = []
const project = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'phyr-prove-'))
  dirs.push(dir)
  return dir
}
afterAll(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })))

/** The number of the first planted patch. */
const planted = readSeries(join(toolRoot, 'patches')).patches.length + 1

// The whole series' kernel first: then a planted patch compiles what it changes, not all.
beforeAll(async () => {
  await labKernel()
})

const proved = async (
  ...plants: readonly Plant[]
): Promise<{ code: number | null; stderr: string; proof: Proof }> => {
  const dir = project()
  await plantedSeries(dir, ...plants)
  const { code, stdout, stderr } = await phyr([
    'prove',
    `${planted}-`,
    '-C',
    dir,
    '-s',
    'kunit',
    '--objects',
    'none',
    '--json',
  ])
  return { code, stderr, proof: proofSchema.parse(JSON.parse(stdout)) }
}

test('a patch that does not compile', async () => {
  const { code, stderr, proof } = await proved(
    { file: PHYR_C, from: LINE, to: `${LINE}\tnr = nosuch;\n` },
    HARMLESS,
  )
  expect(code, stderr).toBe(1)
  // The harmless one behind it cannot be looked at, and is not blamed.
  expect(proof.patches).toHaveLength(1)
  expect(proof.patches[0]).toMatchObject({ number: planted, outcome: 'fail', stage: 'build', runs: [] })
  expect(proof.patches[0]!.reasons[0]).toMatch(/^kernel\/dma\/phyr\.c:\d+:\d+: error: .nosuch. undeclared/)
}, 1_200_000)

test('a new warning, and the harmless patch behind it passes without a boot', async () => {
  const unused: Plant = {
    file: PHYR_C,
    from: '#include "direct.h"\n',
    to: '#include "direct.h"\n\nstatic void phyr_unused(void)\n{\n}\n',
  }
  const { code, stderr, proof } = await proved(unused, HARMLESS)
  expect(code, stderr).toBe(1)
  const [first, second, ...more] = proof.patches
  expect(more).toEqual([])
  expect(first).toMatchObject({ number: planted, outcome: 'fail', stage: 'warnings' })
  expect(first!.newWarnings).toContainEqual(
    expect.stringMatching(/^kernel\/dma\/phyr\.c:\d+:\d+: warning: .phyr_unused. defined but not used/),
  )
  // It boots and passes all the same: that is told, too.
  expect(first!.runs).toMatchObject([{ suite: 'kunit', outcome: 'pass' }])
  expect(second, JSON.stringify(second?.reasons)).toMatchObject({
    number: planted + 1,
    outcome: 'pass',
    stage: 'done',
  })
  expect(second!.runs).toMatchObject([{ suite: 'kunit', outcome: 'pass', reused: true }])
  expect(second!.instructions?.ratio).toBe(1)
}, 1_200_000)

test('it boots no further than an oops', async () => {
  const { code, stderr, proof } = await proved({
    file: 'init/main.c',
    from: '\trcu_end_inkernel_boot();\n',
    to: '\trcu_end_inkernel_boot();\n\tBUG();\n',
  })
  expect(code, stderr).toBe(1)
  expect(proof.patches).toMatchObject([{ number: planted, outcome: 'fail', stage: 'boot' }])
}, 1_200_000)

test('its tests fail', async () => {
  const { code, stderr, proof } = await proved(
    { file: 'include/linux/phyr.h', from: '\tlast->len += next->len;\n', to: '\tlast->len = next->len;\n' },
    HARMLESS,
  )
  expect(code, stderr).toBe(1)
  expect(proof.patches).toHaveLength(1)
  expect(proof.patches[0]).toMatchObject({ number: planted, outcome: 'fail', stage: 'test' })
  expect(proof.patches[0]!.runs[0]!.failed).toBeGreaterThan(0)
}, 1_200_000)
