// SPDX-License-Identifier: GPL-2.0-only
import { unquote } from '../series/diff-scan.ts'

/** The numbers of the lines that a patch adds, by file, as the file has them after the patch. */
export function addedLines(patch: string): ReadonlyMap<string, readonly number[]> {
  const out = new Map<string, number[]>()
  let file: string | undefined
  let at = 0
  let left = { old: 0, new: 0 }
  for (const line of patch.split('\n')) {
    if (left.old > 0 || left.new > 0) {
      const kind = line[0] ?? ' '
      if (kind === '\\') continue
      if (kind === '+' && file !== undefined) push(out, file, at)
      if (kind !== '-') {
        at++
        left.new--
      }
      if (kind !== '+') left.old--
      continue
    }
    const named = /^\+\+\+ (.*?)(?:\t.*)?$/.exec(line)
    if (named) {
      const path = unquote(named[1] ?? '')
      file = path === '/dev/null' ? undefined : path.slice(path.indexOf('/') + 1)
      continue
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line)
    if (!hunk) continue
    at = Number(hunk[2])
    left = { old: Number(hunk[1] ?? 1), new: Number(hunk[3] ?? 1) }
  }
  return out
}

function push(map: Map<string, number[]>, file: string, line: number): void {
  const list = map.get(file)
  if (list) list.push(line)
  else map.set(file, [line])
}
