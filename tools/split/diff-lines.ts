// SPDX-License-Identifier: GPL-2.0-only
import { unquote } from '../series/diff-scan.ts'

/** One line that a patch adds or removes. */
export interface ChangedLine {
  readonly text: string
  /** Line number, from 1: in the new file for an added line, in the old one for a removed line. */
  readonly line: number
}

/** What a patch does to one file. */
export interface FileLines {
  /** Path after the change; of a deleted file, before it. */
  readonly path: string
  readonly oldPath: string
  readonly isNew: boolean
  readonly isGone: boolean
  readonly added: readonly ChangedLine[]
  readonly removed: readonly ChangedLine[]
}

/**
 * The lines that a git-format patch adds and removes, by file. The patch has been through parsePatch(), so it is
 * whole; what is between its hunks (mail headers, signature) is left out by the hunks' own line counts.
 */
export function changedLines(text: string): FileLines[] {
  const files: Draft[] = []
  let file: Draft | undefined
  let left = { old: 0, new: 0 }
  let at = { old: 0, new: 0 }
  const lines = text.split('\n')
  for (const [i, line] of lines.entries()) {
    if (left.old > 0 || left.new > 0) {
      const kind = line[0] ?? ' '
      if (kind === '\\') continue
      if (kind === '+') file?.added.push({ text: line.slice(1), line: at.new })
      if (kind === '-') file?.removed.push({ text: line.slice(1), line: at.old })
      if (kind !== '+') {
        left.old--
        at.old++
      }
      if (kind !== '-') {
        left.new--
        at.new++
      }
      continue
    }
    if (line.startsWith('diff --git ')) {
      file = { path: '', oldPath: '', isNew: false, isGone: false, added: [], removed: [] }
      files.push(file)
      continue
    }
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line)
    if (hunk && file) {
      left = { old: Number(hunk[2] ?? 1), new: Number(hunk[4] ?? 1) }
      at = { old: Number(hunk[1]), new: Number(hunk[3]) }
      continue
    }
    if (!file) continue
    const next = lines[i + 1] ?? ''
    if (line.startsWith('--- ') && next.startsWith('+++ ')) {
      name(file, pathOf(line), pathOf(next))
      continue
    }
    const moved = /^(rename|copy) (from|to) (.*)$/.exec(line)
    if (moved?.[2] === 'from') file.oldPath = unquote(moved[3] ?? '')
    if (moved?.[2] === 'to') file.path = unquote(moved[3] ?? '')
    if (line.startsWith('new file mode ')) file.isNew = true
    if (line.startsWith('deleted file mode ')) file.isGone = true
  }
  return files.filter((one) => one.path !== '')
}

interface Draft {
  path: string
  oldPath: string
  isNew: boolean
  isGone: boolean
  added: ChangedLine[]
  removed: ChangedLine[]
}

function name(file: Draft, from: string | undefined, to: string | undefined): void {
  file.path = to ?? from ?? ''
  file.oldPath = from ?? to ?? ''
}

/** The path of a `---` or `+++` line without its a/ or b/; undefined for /dev/null. */
function pathOf(line: string): string | undefined {
  const raw = line.slice(4)
  const path = unquote(raw.startsWith('"') ? raw : raw.replace(/\t.*$/, ''))
  return path === '/dev/null' ? undefined : path.slice(path.indexOf('/') + 1)
}
