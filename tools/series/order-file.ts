// SPDX-License-Identifier: GPL-2.0-only
import { listedPatches } from './read.ts'

/**
 * The text of an order file that lists `files`. Comments stay: one above a patch goes where the patch goes, one above
 * a removed patch goes with it, those above the first blank line are the file's own and stay at the top. Unchanged
 * order, unchanged bytes.
 */
export function orderFile(old: string, files: readonly string[]): string {
  const listed = listedPatches(old)
  if (listed.length === files.length && listed.every((name, i) => name === files[i])) return old
  const head: string[] = []
  const lines = old.replace(/^\s+/, '').split('\n')
  const blank = lines.findIndex((line) => line.trim() === '')
  const firstPatch = lines.findIndex((line) => listedPatches(line).length > 0)
  if (blank > 0 && (firstPatch < 0 || blank < firstPatch)) head.push(...lines.splice(0, blank + 1))
  const blocks = new Map<string, string[]>()
  let above: string[] = []
  for (const line of lines) {
    const [name] = listedPatches(line)
    above.push(line)
    if (name === undefined) continue
    blocks.set(name, above)
    above = []
  }
  const tail = above.filter((line) => line !== '')
  const body = files.flatMap((file) => blocks.get(file) ?? [file])
  return `${[...head, ...body, ...tail].join('\n')}\n`
}
