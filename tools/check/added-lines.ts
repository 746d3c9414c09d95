// SPDX-License-Identifier: GPL-2.0-only
import { gitOk } from '../base/repo.ts'
import { unquote } from '../series/diff-scan.ts'
import type { Point } from './point.ts'

export interface AddedLine {
  readonly path: string
  /** In the file after the patch, from 1. */
  readonly line: number
  readonly text: string
}

/** The lines that a patch adds. Binary files have none. */
export async function addedLines(point: Point): Promise<AddedLine[]> {
  const args = [
    'diff',
    '-U0',
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    '--src-prefix=a/',
  ]
  const diff = await gitOk(point.repo, [...args, '--dst-prefix=b/', point.before, point.after], {
    env: point.env,
  })
  return parseAdded(diff)
}

/** Added lines of a diff without context, as git writes it. */
export function parseAdded(diff: string): AddedLine[] {
  const added: AddedLine[] = []
  let path = ''
  let line = 0
  let left = { old: 0, new: 0 }
  for (const text of diff.split('\n')) {
    if (left.old > 0 && text.startsWith('-')) left.old--
    else if (left.new > 0 && text.startsWith('+')) {
      added.push({ path, line, text: text.slice(1) })
      line++
      left.new--
    } else if (text.startsWith('+++ ')) {
      path = unquote(text.slice(4).replace(/\t$/, '')).replace(/^b\//, '')
    } else {
      const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text)
      if (!hunk) continue
      left = { old: Number(hunk[1] ?? 1), new: Number(hunk[3] ?? 1) }
      line = Number(hunk[2])
    }
  }
  return added
}
