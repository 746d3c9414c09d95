// SPDX-License-Identifier: GPL-2.0-only
import { availableParallelism } from 'node:os'
import { log } from '../lib/log.ts'
import { loadMachine } from '../machine/machine.ts'
import type { Case } from './case.ts'
import { countCases } from './count.ts'
import type { Guest } from './guest.ts'
import type { Measurement } from './measurement.ts'
import type { Plugin } from './plugin.ts'
import type { Point } from './points.ts'

/** What measuring needs beside the points. */
export interface Measuring {
  readonly cases: readonly Case[]
  readonly benchDir: string
  readonly machinesDir: string
  readonly guest: Guest
  /** Boots of each point. */
  readonly repeats: number
  readonly signal: AbortSignal
}

export interface Counting extends Measuring {
  readonly plugin: Plugin
}

/** The counts of a point: one measurement a boot, repeats times machines of them. */
export interface Counted {
  readonly measurements: readonly Measurement[]
  /** Boots that were not made, because the image had been measured before. */
  readonly cached: number
}

/**
 * Counts the cases at every point. Several guests run at once, one a processor: a count does not depend on how busy
 * the host is.
 */
export async function countPoints<P extends Pick<Point, 'kernel' | 'label'>>(
  points: readonly P[],
  counting: Counting,
): Promise<Map<P, Counted>> {
  const { cases, repeats, signal } = counting
  const names = [...new Set(cases.map((one) => one.place.machine))]
  // Repeats first: when a guest cannot run a case at all it shows after the first boots.
  const boots = Array.from({ length: repeats }, (_, repeat) =>
    names.flatMap((name) => points.map((point) => ({ point, name, repeat }))),
  ).flat()
  const results: { point: P; measurement: Measurement; cached: boolean }[] = []
  let next = 0
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const worker = async (): Promise<void> => {
    for (;;) {
      const boot = boots[next++]
      if (!boot || either.aborted) return
      const { point, name, repeat } = boot
      log.progress(`count   [${Math.min(next, boots.length)}/${boots.length}] ${point.label} on ${name}`)
      const counted = await countCases({
        ...counting,
        kernel: point.kernel,
        machine: loadMachine(name, counting.machinesDir),
        cases: cases.filter((one) => one.place.machine === name),
        repeat,
        signal: either,
      })
      results.push({ point, ...counted })
    }
  }
  const workers = Array.from({ length: Math.min(availableParallelism(), boots.length) }, worker)
  try {
    await Promise.all(workers)
  } catch (error) {
    // The others' guests end, too, and only then the reason is told.
    stop.abort()
    await Promise.allSettled(workers)
    throw error
  } finally {
    log.progressDone()
  }
  return new Map(
    points.map((point) => {
      const own = results.filter((result) => result.point === point)
      return [
        point,
        {
          measurements: own.map((result) => result.measurement),
          cached: own.filter((result) => result.cached).length,
        },
      ]
    }),
  )
}
