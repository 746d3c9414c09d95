// SPDX-License-Identifier: GPL-2.0-only
import { printable } from '../lib/log.ts'
import type { Row } from './doctor.ts'

/** The doctor's table: what was found, what is needed, what for. Ends without a newline. */
export function doctorTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    MARK[row.state === 'ok' ? 'ok' : row.requirement.need],
    row.requirement.name,
    // A program's own words: kept from moving the cursor.
    printable(row.found ?? '-'),
    neededText(row),
    row.requirement.purpose,
  ])
  const all = [['', 'what', 'found', 'needed', 'for'], ...cells]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((line) => (line[column] ?? '').length)))
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const MARK = { ok: 'ok', required: 'MISSING', recommended: 'missing', optional: '(optional)' } as const

function neededText(row: Row): string {
  const { minimum, need } = row.requirement
  if (minimum !== undefined) return `>= ${minimum}`
  return need === 'optional' ? 'no' : 'any'
}
