// SPDX-License-Identifier: GPL-2.0-only
import { log } from '../lib/log.ts'
import type { ProofRun } from '../result/proof-record.ts'
import type { RunResult } from '../result/result.ts'
import type { BuiltKernel } from '../run/kernel.ts'
import { runOne, unfit } from '../run/one.ts'
import type { Proving } from './walk.ts'

/** Splats that end or endanger the guest: the kernel does not stand, whatever its tests say. */
const BROKEN: ReadonlySet<RunResult['splats'][number]['kind']> = new Set([
  'panic',
  'oops',
  'bug',
  'hung-task',
  'rcu-stall',
  'soft-lockup',
])

export interface Ran {
  readonly runs: readonly ProofRun[]
  /** Undefined when everything passed or was skipped. */
  readonly failed: { readonly stage: 'boot' | 'test'; readonly reasons: readonly string[] } | undefined
}

/** Boots a kernel on every machine with every suite that was asked for. */
export async function runCells(proving: Proving, built: BuiltKernel): Promise<Ran> {
  const runs: ProofRun[] = []
  const failures: { stage: 'boot' | 'test'; reasons: string[] }[] = []
  for (const cell of proving.cells) {
    const names = { machine: cell.machine.name, suite: cell.suite.name }
    const where = `${names.machine} ${names.suite}`
    const why = unfit(cell.suite, built.kernel)
    if (why !== undefined) {
      runs.push({
        ...names,
        outcome: 'skip',
        passed: 0,
        failed: 0,
        skipped: 0,
        reused: false,
        reasons: [why],
      })
      continue
    }
    log.progress(`prove   ${where}`)
    const { accel, again, signal } = proving
    const { result, cached } = await runOne({ ...cell, ...built, accel, again, signal })
    const { outcome, passed, failed, skipped, key } = result
    const reused = cached && result.kernel.key !== built.kernel.key
    runs.push({ ...names, outcome, passed, failed, skipped, key, reused, reasons: [...result.reasons] })
    if (outcome !== 'fail') continue
    const stands = result.end === 'done' && !result.splats.some((splat) => BROKEN.has(splat.kind))
    failures.push({
      stage: stands ? 'test' : 'boot',
      reasons: result.reasons.map((reason) => `${where}: ${reason}`),
    })
  }
  log.progressDone()
  const boot = failures.some((failure) => failure.stage === 'boot')
  return {
    runs,
    failed:
      failures.length === 0
        ? undefined
        : { stage: boot ? 'boot' : 'test', reasons: failures.flatMap((failure) => failure.reasons) },
  }
}
