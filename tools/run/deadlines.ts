// SPDX-License-Identifier: GPL-2.0-only
import type { BootRequest } from '../machine/boot.ts'
import type { Machine } from '../machine/machine.ts'

/**
 * How long a boot may take, seconds. On an idle two-core host under TCG the lab kernel says its first word after
 * 0.3 s and reaches init after 1.2 s; the deadlines are far above, since the host may be busy and a deadline that
 * passes is a verdict on the series.
 *
 * The debug config (KASAN, lockdep) boots about 10 times slower and runs 10 to 20 times slower,
 * measured with QEMU 7.2 under TCG.
 *
 * @param seconds the suite's own time from init to the end.
 * @param clockSeconds what the suite does for a time that is fixed, and no machine does it in more or less.
 */
export function deadlinesOf(
  machine: Machine,
  config: string,
  seconds: number,
  clockSeconds = 0,
): BootRequest['deadlines'] {
  const debug = config.startsWith('debug')
  const slow = machine.slow * (debug ? 4 : 1)
  return {
    firstByte: 20 * slow,
    banner: 30 * slow,
    init: 60 * slow,
    total: (60 + seconds * (debug ? 3 : 1)) * slow + clockSeconds,
  }
}
