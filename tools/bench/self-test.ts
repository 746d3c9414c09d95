// SPDX-License-Identifier: GPL-2.0-only
import { gitOk } from '../base/repo.ts'
import { log } from '../lib/log.ts'
import type { Figures } from '../result/bench-record.ts'
import { changeOf } from '../result/figures.ts'
import { countFigures, countSamples, functionsBetween } from './cases-of.ts'
import { countPoints } from './count-points.ts'
import { countingOf, pointAt, type Bench } from './execute.ts'
import { PLANTED, plantedSeries } from './plant.ts'
import { pointOf } from './points.ts'
import { median } from '../result/statistics.ts'

/** The cost that is planted, as a share of the operation's. */
const SHARE = 0.01

/** What the bench made of the two patches of which it is known what they do, for one case. */
export interface SelfTestCase {
  readonly name: string
  /** Instructions that were put into the submit path. */
  readonly planted: number
  readonly idle: Figures
  readonly costly: Figures
  /** The function that grew most. */
  readonly named: string | null
  /** What the bench should have said and did not; empty when it is to be trusted. */
  readonly faults: readonly string[]
}

/**
 * Measures what is known: a patch that only moves code, and one that costs 1 % more instructions in the submit path,
 * both on top of the point that the choice ends with. The cases have to go through submit_bio_noacct() once an
 * operation.
 */
export async function selfTest(bench: Bench): Promise<SelfTestCase[]> {
  const { base, cases } = bench
  const after = pointOf(bench.series, bench.choice.to)
  const first = await pointAt(bench, after)
  const counting = await countingOf(bench, first)
  const source = await gitOk(base.repo, ['show', `${first.treeId}:${PLANTED.file}`])
  const results: SelfTestCase[] = []
  for (const one of cases) {
    const alone = { ...counting, cases: [one] }
    const plain = (await countPoints([first], alone)).get(first)!
    const cost = median(countSamples(one, plain.measurements))
    const planted = Math.round(cost * SHARE)
    const series = plantedSeries(bench.series, after, source, planted)
    const idle = await pointAt({ ...bench, series }, after + 1)
    const costly = await pointAt({ ...bench, series }, after + 2)
    log.info(`plant   ${one.name}: ${planted} of ${cost.toFixed(1)} instructions in ${PLANTED.function}()`)
    const counted = await countPoints([idle, costly], alone)
    const boots = { plain, idle: counted.get(idle)!, costly: counted.get(costly)! }
    const functions = functionsBetween(one, [boots.idle.measurements, boots.costly.measurements])
    const figures = {
      idle: countFigures(one, [boots.plain.measurements, boots.idle.measurements]),
      costly: countFigures(one, [boots.idle.measurements, boots.costly.measurements]),
    }
    const named = functions.find((f) => f.series > f.base)?.name ?? null
    results.push({
      name: one.name,
      planted,
      ...figures,
      named,
      faults: faultsOf(cost, planted, { ...figures, named }),
    })
  }
  return results
}

/** What is wrong with the bench's answer, given what was planted. */
export function faultsOf(
  cost: number,
  planted: number,
  said: { readonly idle: Figures; readonly costly: Figures; readonly named: string | null },
): string[] {
  const faults: string[] = []
  const { idle, costly, named } = said
  if (!idle.resolvable) faults.push(`the patch that does nothing is not resolvable: ${idle.why ?? ''}`)
  else if (idle.ratio!.toFixed(3) !== '1.000' || changeOf(idle) !== 'same')
    faults.push(`the patch that does nothing has a ratio of ${idle.ratio!.toFixed(4)}`)
  const expected = (cost + planted) / cost
  if (!costly.resolvable) faults.push(`the planted cost is not resolvable: ${costly.why ?? ''}`)
  else if (changeOf(costly) !== 'more') faults.push('the planted cost was not found')
  else if (Math.abs(costly.ratio! - expected) > 0.001)
    faults.push(`the planted cost is ${expected.toFixed(4)} and was measured as ${costly.ratio!.toFixed(4)}`)
  if (named !== PLANTED.function) faults.push(`the cost was put down to ${named ?? 'no function'}`)
  return faults
}
