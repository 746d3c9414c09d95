// SPDX-License-Identifier: GPL-2.0-only
import { printable } from '../lib/log.ts'

/** What a guest said of its measurements, on the results port. */
export interface GuestLines {
  /** In the order in which they were begun: the plugin numbers them so, from 1. */
  readonly regions: readonly { readonly case: string; readonly operations: number }[]
  readonly times: readonly { readonly case: string; readonly operations: number; readonly ns: number }[]
  /** Other numbers, by case (or "slab") and name. */
  readonly counts: readonly { readonly case: string; readonly name: string; readonly value: number }[]
  /** Why a case has no measurement. */
  readonly skipped: ReadonlyMap<string, string>
  readonly failed: ReadonlyMap<string, string>
}

/**
 * Reads the lines that guest programs and scripts print, each after "phyr: ":
 * `region CASE OPERATIONS [PER_STEP]`, `time CASE OPERATIONS NS`, `count CASE NAME VALUE`, `skip CASE why`,
 * `fail CASE why`. Every other line is somebody else's.
 */
export function parseGuestLines(text: string): GuestLines {
  const lines = {
    regions: [] as { case: string; operations: number }[],
    times: [] as { case: string; operations: number; ns: number }[],
    counts: [] as { case: string; name: string; value: number }[],
    skipped: new Map<string, string>(),
    failed: new Map<string, string>(),
  }
  for (const line of text.split('\n')) {
    const words = /^phyr: (region|time|count|skip|fail) (\S+) (.+)$/.exec(line.trimEnd())
    if (!words) continue
    const [, kind, name = '', rest = ''] = words
    const numbers = rest.split(' ').map(Number)
    const [first = Number.NaN, second = Number.NaN] = numbers
    if (kind === 'skip') lines.skipped.set(name, printable(rest))
    else if (kind === 'fail') lines.failed.set(name, printable(rest))
    else if (kind === 'count') {
      const [what = '', value = ''] = rest.split(' ')
      if (/^\d{1,15}$/.test(value))
        lines.counts.push({ case: name, name: printable(what), value: Number(value) })
    } else if (!Number.isSafeInteger(first) || first < 1) continue
    else if (kind === 'region') lines.regions.push({ case: name, operations: first })
    else if (Number.isSafeInteger(second) && second > 0)
      lines.times.push({ case: name, operations: first, ns: second })
  }
  return lines
}
