// SPDX-License-Identifier: GPL-2.0-only
import { gitOk } from '../base/repo.ts'

/**
 * One commit as a git-format patch, normalised so that the same commit gives the same bytes everywhere: zeros for
 * the commit, no patch number, no git version, a fixed date, 12 digits of blob hash (git's own choice grows with the
 * repository), readable headers.
 *
 * @param notes text for between `---` and the diffstat (a patch's changelog), from notesOf().
 */
export async function commitToPatch(gitDir: string, commit: string, notes: string): Promise<string> {
  const text = await gitOk(gitDir, [
    '-c',
    'format.encodeEmailHeaders=false',
    'format-patch',
    '-1',
    '--stdout',
    '--zero-commit',
    '--no-signature',
    '--no-numbered',
    '--no-attach',
    '--no-thread',
    '--no-base',
    '--binary',
    '--abbrev=12',
    '--stat=72',
    '--diff-algorithm=myers',
    commit,
  ])
  const dated = text.replace(/^Date: .*$/m, `Date: ${PATCH_DATE}`).replace(/\n*$/, '\n')
  if (notes === '') return dated
  const cut = dated.indexOf('\n---\n')
  return `${dated.slice(0, cut + '\n---\n'.length)}${notes}\n${dated.slice(cut + '\n---\n'.length)}`
}

/** The date of every normalised patch; git am and phyr's own apply read no meaning into it. */
export const PATCH_DATE = 'Thu, 1 Jan 2026 00:00:00 +0000'

/** What the author wrote between `---` and the diffstat of a patch; empty when nothing. */
export function notesOf(text: string): string {
  const cut = text.indexOf('\n---\n')
  if (cut < 0) return ''
  const lines = text.slice(cut + '\n---\n'.length).split('\n')
  const end = lines.findIndex((line) => / \| +(?:\d+|Bin\b)|^ \d+ files? changed|^diff --git /.test(line))
  const notes = end <= 0 ? '' : lines.slice(0, end).join('\n').trim()
  return notes === '' ? '' : `${notes}\n`
}

/** A new patch's file name, as format-patch makes it: number and subject; never one of `taken`. */
export function patchFileName(number: number, subject: string, taken: ReadonlySet<string>): string {
  const slug =
    subject
      .replace(/[^A-Za-z0-9._]+/g, '-')
      .replace(/\.\.+/g, '.')
      .replace(/^[-.]+/, '')
      .slice(0, 52)
      .replace(/[-.]+$/, '') || 'patch'
  const name = (tail: string): string => `${String(number).padStart(4, '0')}-${slug}${tail}.patch`
  for (let i = 1; ; i++) {
    const file = name(i === 1 ? '' : `-${i}`)
    if (!taken.has(file)) return file
  }
}
