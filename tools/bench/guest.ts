// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { withToken, type Initramfs } from '../guest/initramfs.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { LabError } from '../lib/errors.ts'
import { cacheRoot } from '../lib/paths.ts'
import type { Accelerator, BootOutcome, BootRequest } from '../machine/boot.ts'
import type { Machine } from '../machine/machine.ts'
import type { QemuBinary } from '../machine/qemu-probe.ts'
import { bootSteadily } from '../run/boot-steadily.ts'
import { deadlinesOf } from '../run/deadlines.ts'
import type { Plan } from './script.ts'

/** What every boot of a comparison has in common. */
export interface Guest {
  /** One for both kernels: it must not be the guest's programs that differ. */
  readonly initramfs: Initramfs
  /** QEMU's program: part of what a measurement depends on. */
  readonly qemu: QemuBinary & { readonly version: string }
}

export interface GuestBoot {
  readonly kernel: Kernel
  readonly machine: Machine
  readonly accel: Accelerator
  readonly plan: Plan
  readonly plugin?: NonNullable<BootRequest['plugin']>
  /** Of its directory in the cache. */
  readonly name: string
  readonly signal: AbortSignal
}

/** The guest's own time, seconds: counting is slow, and a loaded host slower still. */
const SECONDS = 600

/**
 * Boots a guest that measures, and returns what it wrote.
 *
 * @throws LabError when it did not come to its own end, or the kernel complained: such figures are of no use.
 */
export async function bootGuest(
  guest: Guest,
  boot: GuestBoot,
): Promise<{ results: string; outcome: BootOutcome; notes: readonly string[]; fio: string | undefined }> {
  const { kernel, machine, plan } = boot
  const workDir = join(cacheRoot(), 'runs', `bench-${boot.name}`)
  rmSync(workDir, { recursive: true, force: true })
  mkdirSync(workDir, { recursive: true })
  const sealed = await withToken(guest.initramfs, plan.script, workDir, plan.files)
  try {
    const { outcome, notes } = await bootSteadily({
      arch: kernel.arch,
      image: kernel.image,
      initramfs: sealed.initramfs,
      cmdline: ['kunit.enable=0'],
      token: sealed.token,
      machine,
      accel: boot.accel,
      ...(boot.plugin ? { plugin: boot.plugin } : {}),
      workDir,
      deadlines: deadlinesOf(machine, kernel.config, SECONDS),
      signal: boot.signal,
    })
    const results = existsSync(outcome.resultsFile) ? readFileSync(outcome.resultsFile, 'utf8') : ''
    const problem =
      outcome.splats[0]?.title ??
      (outcome.end === 'done' ? undefined : `the boot ended by ${outcome.end}`) ??
      (outcome.status === 0 ? undefined : `the guest's script ended with status ${outcome.status}`)
    if (problem !== undefined) {
      throw new LabError({
        what: `the guest that measures ${kernel.release} on ${machine.name} did not come to its end`,
        why: problem,
        fix: `look at ${outcome.consoleFile}; ./phyr run tells whether the series is at fault`,
        detail: [...outcome.tail.slice(-10), ...results.trimEnd().split('\n').slice(-5)],
      })
    }
    rmSync(workDir, { recursive: true, force: true })
    return { results, outcome, notes, fio: /^phyr: fio version (fio-[\w.-]{1,40})$/m.exec(results)?.[1] }
  } finally {
    rmSync(sealed.initramfs, { force: true })
  }
}
