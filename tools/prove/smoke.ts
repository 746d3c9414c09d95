// SPDX-License-Identifier: GPL-2.0-only
import { loadCases, selectCases } from '../bench/case.ts'
import { countSamples } from '../bench/cases-of.ts'
import { countPoints } from '../bench/count-points.ts'
import { countingOf } from '../bench/execute.ts'
import type { PatchProof } from '../result/proof-record.ts'
import { median } from '../result/statistics.ts'
import type { BuiltKernel } from '../run/kernel.ts'
import type { Proving } from './walk.ts'

/** One of them moves the guest's memory, so that what only the addresses cost does not look like the patch. */
const REPEATS = 2

/**
 * Counts one case before and after a patch. Kernels with the same code and data are counted once.
 *
 * @param name of a case of phyr bench.
 * @returns null when the case could not be run at one of the points.
 * @throws UsageError for an unknown case; LabError when the guest or the plugin does not work.
 */
export async function countSmoke(
  proving: Proving,
  name: string,
  before: BuiltKernel,
  after: BuiltKernel,
): Promise<PatchProof['instructions']> {
  const { project, base, series, signal } = proving
  const [one] = selectCases(loadCases(project.bench), [name])
  const choice = {
    cases: [name],
    mode: 'deterministic',
    repeats: REPEATS,
    from: '0',
    to: '0',
    linux: undefined,
    baseVersion: undefined,
    config: proving.kernel.config,
    jobs: proving.kernel.jobs,
    accel: undefined,
  } as const
  const bench = { project, choice, cases: [one!], targets: [], base, series, signal }
  const points = [
    { ...before, label: 'before' },
    { ...after, label: 'after' },
  ]
  const counted = await countPoints(points, await countingOf(bench, after))
  const [was, is] = points.map((point) => countSamples(one!, counted.get(point)!.measurements))
  if (was!.length < REPEATS || is!.length < REPEATS) return null
  const figures = { before: median(was!), after: median(is!) }
  return {
    case: name,
    unit: `instructions/${one!.operation}`,
    ...figures,
    ratio: figures.after / figures.before,
  }
}
