// SPDX-License-Identifier: GPL-2.0-only
import type { Kernel } from '../kernel/kernel.ts'
import type { Accelerator } from '../machine/boot.ts'
import type { Machine } from '../machine/machine.ts'
import { fioSections, parseFio } from '../suite/fio.ts'
import type { Case } from './case.ts'
import { bootGuest, type Guest } from './guest.ts'
import { parseGuestLines } from './lines.ts'
import type { Measurement } from './measurement.ts'
import { timingPlan } from './script.ts'

export interface ClockRequest {
  readonly kernel: Kernel
  readonly machine: Machine
  readonly cases: readonly Case[]
  readonly benchDir: string
  readonly guest: Guest
  readonly accel: Accelerator
  readonly signal: AbortSignal
}

/**
 * Measures the time of some cases in one boot, nanoseconds of the guest's clock an operation. Never cached: it is of
 * this host at this moment, and only good beside what was measured in the same minutes.
 *
 * @throws LabError when the guest does not come to its end.
 */
export async function timeCases(request: ClockRequest): Promise<Measurement> {
  const { kernel, machine, cases, guest, accel } = request
  const plan = timingPlan(cases, request.benchDir)
  const name = `${machine.name}-${kernel.key}-${process.pid}`
  const boot = await bootGuest(guest, { kernel, machine, accel, plan, name, signal: request.signal })
  const lines = parseGuestLines(boot.results)
  const times = new Map<string, number | string>(
    cases.map((one) => [one.name, 'the guest gave no time of it']),
  )
  for (const { text, status } of fioSections(boot.results)) {
    const output = parseFio(text)
    for (const [id, one] of plan.jobs) {
      const result = output.results.find((job) => job.job === id)
      if (!result) continue
      times.set(one.name, result.error !== 0 ? `fio: error ${result.error}` : timeOf(result.iops, status))
    }
  }
  for (const { case: name_, operations, ns } of lines.times) times.set(name_, ns / operations)
  for (const one of cases) {
    const reason = lines.failed.get(one.name) ?? lines.skipped.get(one.name)
    if (reason !== undefined) times.set(one.name, reason)
    if (one.boot) times.set(one.name, (boot.outcome.ms.init ?? boot.outcome.ms.total) * 1e6)
  }
  return {
    costs: {},
    times: Object.fromEntries(times),
    counts: {},
    seconds: boot.outcome.ms.total / 1000,
    ...(boot.fio === undefined ? {} : { fio: boot.fio }),
    notes: [...boot.notes],
  }
}

function timeOf(iops: number, status: number | undefined): number | string {
  if (status !== 0) return `fio ended with status ${status ?? 'unknown'}`
  return iops > 0 ? 1e9 / iops : 'fio did no I/O'
}
