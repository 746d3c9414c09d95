// SPDX-License-Identifier: GPL-2.0-only
import { isOpen, type CheckFinding } from '../check/check-record.ts'
import { plural } from '../result/format.ts'
import type { Evidence } from './evidence.ts'

/** Why a series must not be mailed as far as its evidence goes; empty when nothing stands against it. */
export function evidenceReasons({ gaps, runs, check }: Evidence): string[] {
  const failed = runs.filter((run) => run.outcome === 'fail')
  return [
    ...gaps,
    ...failed.map(
      ({ config, machine, suite, reasons }) =>
        `${suite} on ${machine} (config ${config}) failed when it was run last: ${reasons?.[0] ?? 'no reason recorded'}`,
    ),
    ...(check?.patches ?? []).flatMap(({ file, findings }) => openReason(file, findings)),
    ...openReason('cover.md', check?.cover ?? []),
    ...openReason('checks.yaml', check?.justifications ?? []),
  ]
}

function openReason(file: string, findings: readonly CheckFinding[]): string[] {
  const open = findings.filter(isOpen)
  const [first] = open
  if (first === undefined) return []
  const more = open.length > 1 ? ` (and ${plural(open.length - 1, 'more finding')})` : ''
  return [`${file}: ${first.tool}: ${first.message}${more}`]
}
