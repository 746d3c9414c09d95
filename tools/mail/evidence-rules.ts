// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence } from './evidence.ts'

/** Why a series must not be mailed as far as its evidence goes; empty when nothing stands against it. */
export function evidenceReasons({ gaps, runs }: Evidence): string[] {
  const failed = runs.filter((run) => run.outcome === 'fail')
  return [
    ...gaps,
    ...failed.map(
      ({ config, machine, suite, reasons }) =>
        `${suite} on ${machine} (config ${config}) failed when it was run last: ${reasons?.[0] ?? 'no reason recorded'}`,
    ),
  ]
}
