// SPDX-License-Identifier: GPL-2.0-only
import type { CheckFinding } from './check-record.ts'

/** What a tool says about a place. */
export interface Remark {
  readonly file: string
  readonly line: number
  readonly message: string
}

/**
 * Remarks that are there after a patch and were not before, as findings. Lines move, so a remark is told by its file
 * and text; two of the same text where there was one before are one new one, the last.
 */
export function newOnes(tool: string, before: readonly Remark[], after: readonly Remark[]): CheckFinding[] {
  const old = new Map<string, number>()
  for (const remark of before) old.set(keyOf(remark), (old.get(keyOf(remark)) ?? 0) + 1)
  const left = after.filter((remark) => {
    const count = old.get(keyOf(remark)) ?? 0
    if (count > 0) old.set(keyOf(remark), count - 1)
    return count === 0
  })
  return left.map(({ file, line, message }) => ({
    tool,
    level: 'warning',
    file,
    ...(line > 0 ? { line } : {}),
    message,
  }))
}

/** Line numbers inside a text move as well. */
function keyOf({ file, message }: Remark): string {
  return `${file}\0${message.replace(/\bline \d+/g, 'line')}`
}
