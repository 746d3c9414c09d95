// SPDX-License-Identifier: GPL-2.0-only
import { log } from '../lib/log.ts'
import type { Accelerator } from '../machine/boot.ts'
import { loadMachine } from '../machine/machine.ts'
import type { Case } from './case.ts'
import { timeCases } from './clock.ts'
import type { Guest } from './guest.ts'
import type { Measurement } from './measurement.ts'
import type { Point } from './points.ts'

/** The machine that everything is timed on. */
const MACHINE = 'clock'

/**
 * Times the cases at two points, one guest after the other, in rounds of A B B A: a host that gets slower or faster
 * during a round does so for both.
 *
 * @param timing.repeats boots of each point, at least; a round has two.
 * @returns as many measurements of the one as of the other, in the order they were made.
 */
export async function timePoints(
  points: readonly [Point, Point],
  timing: {
    readonly cases: readonly Case[]
    readonly benchDir: string
    readonly machinesDir: string
    readonly guest: Guest
    readonly accel: Accelerator
    readonly repeats: number
    readonly signal: AbortSignal
  },
): Promise<[Measurement[], Measurement[]]> {
  const cases = timing.cases.filter((one) => one.clock)
  const machine = loadMachine(MACHINE, timing.machinesDir)
  const rounds = Math.ceil(timing.repeats / 2)
  const order = Array.from({ length: rounds }, () => [0, 1, 1, 0] as const).flat()
  const times: [Measurement[], Measurement[]] = [[], []]
  for (const [i, which] of order.entries()) {
    const point = points[which]
    log.progress(`time    [${i + 1}/${order.length}] ${point.label} on ${machine.name}`)
    times[which].push(await timeCases({ ...timing, cases, kernel: point.kernel, machine }))
  }
  log.progressDone()
  return times
}
