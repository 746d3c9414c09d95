// SPDX-License-Identifier: GPL-2.0-only
import { readConfig } from '../kernel/fragments.ts'
import { findToolchain } from '../kernel/toolchain.ts'
import { artefact, cachedArtefact } from '../lib/cache.ts'
import { Finding, LabError, messageOf } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import type { PatchProof, ProofStage } from '../result/proof-record.ts'
import type { Patch } from '../series/series.ts'
import { suiteInput } from '../suite/suite.ts'
import { deltaOf } from './delta.ts'
import { runCells } from './runs.ts'
import { countSmoke } from './smoke.ts'
import { lookAtTouched, touchedInputs } from './touched.ts'
import type { Points, Proving, Walk } from './walk.ts'

/** The case whose instructions every proof counts: the shortest way of a direct read through the block layer. */
export const SMOKE_CASE = 'nullblk/randread-4k-psync'

/** Raise it when a patch is proved in another way: stored proofs are then not used any more. */
const VERSION = 3

type Stored = Omit<PatchProof, 'number' | 'file' | 'subject' | 'cached' | 'seconds'>

/** What is known of a patch about which nothing was found out. */
export const NOTHING: Omit<Stored, 'outcome' | 'stage' | 'reasons'> = {
  warnings: 0,
  newWarnings: [],
  goneWarnings: [],
  sparse: { skipped: 'not looked at' },
  objects: 0,
  touched: [],
  uncompiled: [],
  nfc: { claimed: false, intended: false, changed: [] },
  layout: [],
  bytes: { text: 0, data: 0, bss: 0 },
  instructions: null,
  runs: [],
}

/**
 * Proves one patch at its place in the series: that the tree builds with it and without new warnings, that a claim of
 * no functional change holds, that it boots and passes the suites that are there at this point.
 *
 * A proof that passes is kept, by the trees before and after and everything that looked at them. A failure is found
 * again each time, because its finder wants to see it; a broken lab is the outcome `error`.
 */
export async function provePatch(
  proving: Proving,
  points: Points,
  walk: Walk,
  patch: Patch,
): Promise<PatchProof> {
  const start = performance.now()
  const about = { number: patch.number, file: patch.file, subject: patch.subject }
  const done = (stored: Stored, cached: boolean): PatchProof => ({
    ...about,
    ...stored,
    cached,
    seconds: cached ? 0 : Math.round((performance.now() - start) / 100) / 10,
  })
  try {
    const inputs = await inputsOf(proving, points, patch)
    const stored = proving.again ? undefined : cachedArtefact<Stored>('proof', inputs)
    if (stored) return done(stored.manifest, true)
    const found = await lookAt(proving, points, walk, patch)
    if (found.outcome !== 'pass' || proving.again) return done(found, false)
    return done((await artefact('proof', inputs, async () => found)).manifest, false)
  } catch (error) {
    if (proving.signal.aborted || !(error instanceof LabError)) throw error
    log.warn(`prove   patch ${patch.number}: ${messageOf(error)}`)
    const reasons = [messageOf(error), ...error.detail.slice(-5)]
    return done({ ...NOTHING, outcome: 'error', stage: 'lab', reasons }, false)
  }
}

async function inputsOf(proving: Proving, points: Points, patch: Patch): Promise<Record<string, unknown>> {
  const { project, kernel, cells, accel, qemu, series, signal } = proving
  const config = kernel.config ?? 'lab'
  return {
    version: VERSION,
    before: points.tree(patch.number - 1),
    after: points.tree(patch.number),
    // The changelog makes claims that are held against the code.
    text: patch.text,
    whole: patch.number === series.patches.length && series.group === undefined,
    config: readConfig(config, project.kernelConfig).text,
    arch: kernel.arch,
    toolchain: (await findToolchain({ signal })).identity,
    qemu: qemu.binary,
    accel: accel.used,
    cells: cells.map(({ machine, suite }) => ({ machine, suite: suiteInput(suite) })),
    smoke: SMOKE_CASE,
    touched: touchedInputs(proving.archs),
  }
}

async function lookAt(proving: Proving, points: Points, walk: Walk, patch: Patch): Promise<Stored> {
  const tree = points.tree(patch.number)
  const before = await walk.kernelAt(patch.number - 1)
  let after
  try {
    after = await walk.kernelAt(patch.number)
  } catch (error) {
    if (!(error instanceof Finding)) throw error
    const stage: ProofStage = error.stage === 'series' ? 'apply' : error.stage
    return { ...NOTHING, tree, outcome: 'fail', stage, reasons: [error.message, ...error.detail] }
  }
  const delta = deltaOf(patch, before.kernel, after.kernel)
  const faults: { stage: ProofStage; reasons: readonly string[] }[] = []
  if (delta.newWarnings.length > 0) faults.push({ stage: 'warnings', reasons: delta.newWarnings })
  const { faults: touchedFaults, warnings, ...touched } = await lookAtTouched(proving, patch)
  faults.push(...touchedFaults)
  // A touched object of this config may say the same as under another.
  const newWarnings = [...new Set([...delta.newWarnings, ...warnings])]
  const { nfc } = delta
  if (nfc.claimed && !nfc.intended && nfc.changed.length > 0) {
    const what = 'the changelog says that there is no functional change, and these symbols differ'
    faults.push({ stage: 'nfc', reasons: [`${what}: ${nfc.changed.slice(0, 20).join('; ')}`] })
  }
  const ran = await runCells(proving, after)
  if (ran.failed) faults.push(ran.failed)
  const stands = ran.failed?.stage !== 'boot'
  return {
    ...NOTHING,
    ...delta,
    ...touched,
    tree,
    warnings: newWarnings.length,
    newWarnings,
    allocatedHash: after.kernel.record.allocatedHash,
    runs: ran.runs,
    instructions: stands ? await countSmoke(proving, SMOKE_CASE, before, after) : null,
    outcome: faults.length === 0 ? 'pass' : 'fail',
    stage: faults[0]?.stage ?? 'done',
    reasons: faults.flatMap((fault) => fault.reasons),
  }
}
