// SPDX-License-Identifier: GPL-2.0-only
import type { BenchOutput, GateVerdict, Walk } from '../result/bench-record.ts'
import { judgeGate, loadLimits } from '../result/gate.ts'
import { pointOf } from './points.ts'
import type { Bench } from './execute.ts'
import { walkSeries } from './walk.ts'

/**
 * Holds a record against the limits. The first case that fails by its instructions is walked, so that the verdict
 * names the patch; a walk that is there already is not done again.
 *
 * @param limits a file of limits; undefined: ci/bench-limits.yaml.
 */
export async function judged(
  bench: Bench,
  output: BenchOutput,
  limits: string | undefined,
): Promise<BenchOutput> {
  const wanted = loadLimits(limits)
  const gate = judgeGate(output, wanted)
  const failed = gate.find((verdict) => verdict.outcome === 'fail')
  const walk = output.walk ?? (failed && (await walkOf(bench, failed)))
  if (!walk || output.mode === 'wall-clock') return { ...output, gate }
  const whole = { ...output, walk }
  return { ...whole, gate: judgeGate(whole, wanted) }
}

async function walkOf(bench: Bench, failed: GateVerdict): Promise<Walk | undefined> {
  const one = bench.cases.find((candidate) => candidate.name === failed.case)
  const range = [pointOf(bench.series, bench.choice.from), pointOf(bench.series, bench.choice.to)] as const
  return one && range[0] < range[1] ? walkSeries(bench, one, range) : undefined
}
