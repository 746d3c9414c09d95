// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Kernel } from '../kernel/kernel.ts'
import { artefact } from '../lib/cache.ts'
import { LabError } from '../lib/errors.ts'
import { keyOf } from '../lib/hash.ts'
import type { Machine } from '../machine/machine.ts'
import type { Case } from './case.ts'
import { parseCounts, type Region } from './counts.ts'
import { costOf, type Measured } from './estimate.ts'
import { bootGuest, type Guest } from './guest.ts'
import { parseGuestLines, type GuestLines } from './lines.ts'
import { measurementSchema, type Measurement } from './measurement.ts'
import type { Plugin } from './plugin.ts'
import { countingPlan } from './script.ts'

/** Raise it when the same boot would give another measurement. */
const VERSION = 1

/**
 * Bytes by which each repeat moves the guest's memory: not a multiple of any page or slab size, so that what an
 * operation costs by the luck of its addresses shows as spread between the repeats of one image. A patch that does
 * nothing moves memory as well.
 */
const SHIFT = 17 * 4096

export interface CountRequest {
  readonly kernel: Kernel
  readonly machine: Machine
  readonly cases: readonly Case[]
  readonly benchDir: string
  readonly guest: Guest
  readonly plugin: Plugin
  /** From 0; each boots with its memory moved a little. */
  readonly repeat: number
  readonly signal: AbortSignal
}

/**
 * Counts the instructions of some cases in one boot, or takes the count from the cache: there it lies by the kernel's
 * image, so two points of a series with the same code are measured once.
 *
 * @throws LabError when the guest does not come to its end: a kernel that cannot run a benchmark is for `phyr run`.
 */
export async function countCases(
  request: CountRequest,
): Promise<{ measurement: Measurement; cached: boolean }> {
  const { kernel, machine, cases, guest, plugin, repeat } = request
  const plan = countingPlan(cases, request.benchDir)
  const made = await artefact(
    'count',
    {
      version: VERSION,
      image: kernel.record.allocatedHash,
      machine,
      script: plan.script,
      files: plan.files,
      steps: cases.map((one) => one.steps ?? null),
      initramfs: guest.initramfs.key,
      plugin: plugin.key,
      qemu: guest.qemu,
      repeat,
    },
    async (dir) => {
      const out = join(dir, 'counts.txt')
      const shift = Buffer.alloc(repeat * SHIFT)
      const at = new Set(cases.flatMap((one) => (one.steps && one.steps.at !== 'mark' ? [one.steps.at] : [])))
      const boot = await bootGuest(guest, {
        kernel,
        machine,
        accel: { used: 'tcg', reason: 'instructions are counted by a TCG plugin' },
        plan: { ...plan, files: [...plan.files, { path: '/phyr/shift', mode: 0o400, data: shift }] },
        plugin: {
          library: plugin.library,
          arguments: [`out=${out}`, `syms=${kernel.systemMap}`, ...[...at].map((symbol) => `at=${symbol}`)],
        },
        name: `${machine.name}-${keyOf({ kernel: kernel.key, repeat, dir }).slice(0, 8)}`,
        signal: request.signal,
      })
      const regions = parseCounts(readFileSync(out, 'utf8'))
      rmSync(out)
      return measurementSchema.parse({
        ...measured(cases, regions, parseGuestLines(boot.results)),
        seconds: boot.outcome.ms.total / 1000,
        fio: boot.fio,
        notes: boot.notes,
        times: {},
      })
    },
  )
  return { measurement: made.manifest, cached: made.cached }
}

function measured(
  cases: readonly Case[],
  regions: readonly Region[],
  lines: GuestLines,
): Pick<Measurement, 'costs' | 'counts' | 'slab'> {
  const begun = regions.filter((region) => region.number > 0)
  if (begun.length !== lines.regions.length) {
    throw new LabError({
      what: 'cannot tell which count is of which case',
      why: `the guest named ${lines.regions.length} regions, and the plugin saw ${begun.length}`,
      fix: "look at the guest's programs: each names its region once, right before its mark",
    })
  }
  const boot = regions.find((region) => region.number === 0)
  const costs = cases.map((one): [string, Measurement['costs'][string]] => {
    const reason = lines.failed.get(one.name) ?? lines.skipped.get(one.name)
    if (reason !== undefined) return [one.name, reason]
    const own: Measured[] = one.boot
      ? boot
        ? [{ region: boot, operations: 1 }]
        : []
      : lines.regions.flatMap((line, i) =>
          line.case === one.name ? [{ region: begun[i]!, operations: line.operations }] : [],
        )
    const cost = costOf(one, own)
    if (typeof cost === 'string') return [one.name, cost]
    const { kernel, user, functions } = cost
    return [one.name, { kernel, user, functions: Object.fromEntries(functions) }]
  })
  const slab = lines.counts.find((count) => count.case === 'slab')?.value
  return {
    costs: Object.fromEntries(costs),
    counts: Object.fromEntries(
      lines.counts
        .filter((count) => count.case !== 'slab')
        .map((count) => [`${count.case} ${count.name}`, count.value]),
    ),
    ...(slab === undefined ? {} : { slab }),
  }
}
