// SPDX-License-Identifier: GPL-2.0-only
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { log } from '../lib/log.ts'
import type { BootOutcome, BootRequest } from '../machine/boot.ts'
import { boot } from '../machine/launch.ts'

export interface SteadyBoot {
  readonly outcome: BootOutcome
  /** What a reader should know and is no fault: that it took two boots. */
  readonly notes: readonly string[]
}

/**
 * boot(), and once more when the first one stopped silently before init under TCG.
 *
 * QEMU 7.2 with two TCG processors does that: seen twice in about 190 boots on a loaded two-core host, in the middle of
 * the kernel's initcalls; once the clock's watchdog said that processor 1 had stopped answering. A kernel that really hangs there hangs again, and fails; the first console is
 * kept beside the second as console-first.log. Under KVM, with a complaint of the kernel, or once init runs, a hang
 * is a hang.
 */
export async function bootSteadily(request: BootRequest): Promise<SteadyBoot> {
  const first = await boot(request)
  if (request.accel.used !== 'tcg' || !stoppedSilently(first)) return { outcome: first, notes: [] }
  copyFileSync(first.consoleFile, join(request.workDir, 'console-first.log'))
  const note = `the first boot stopped silently before init (after: ${first.tail.at(-1) ?? 'nothing'}); booted again`
  log.info(`boot    ${request.machine.name}: ${note}`)
  return { outcome: await boot(request), notes: [note] }
}

function stoppedSilently(outcome: BootOutcome): boolean {
  const early = outcome.deadline !== undefined && outcome.deadline !== 'total'
  return outcome.end === 'hang' && early && outcome.splats.length === 0
}
