// SPDX-License-Identifier: GPL-2.0-only
import { gitOk } from '../base/repo.ts'
import { LabError } from '../lib/errors.ts'
import { notesOf } from '../series/format.ts'
import type { Applied, Patch } from '../series/series.ts'
import type { Address } from './address.ts'

/** One patch, taken apart for its mail. */
export interface PatchParts {
  readonly patch: Patch
  /** The commit that it is on the base. */
  readonly commit: string
  readonly author: Address
  readonly subject: string
  /** Commit message below the subject, without blank lines at either end; may be empty. */
  readonly message: string
  /** What the author wrote between --- and the diffstat; empty or ends in \n. */
  readonly notes: string
  /** Diffstat and summary of new and gone files, as `git format-patch --stat=70` has them. */
  readonly stat: string
  /** From the first "diff --git" on: the very bytes of the stored patch. */
  readonly diff: string
}

/** Columns of a diffstat in a mail, submitting-patches.rst: `diffstat -p 1 -w 70`. */
const STAT = ['--stat=70', '--summary', '--no-renames']

/**
 * Takes the patches of an applied series apart. Author, subject and message are those of the commits, which git itself
 * read from the stored mails; so a mail says what was applied, whatever the stored file looked like.
 */
export async function patchParts(applied: Applied, signal?: AbortSignal): Promise<PatchParts[]> {
  const { repo } = applied.base
  const options = signal ? { signal } : {}
  let parent = applied.base.commit
  const parts: PatchParts[] = []
  for (const { patch, commit } of applied.commits) {
    const said = await gitOk(repo, ['log', '-1', '--format=%an%x00%ae%x00%s%x00%b', commit], options)
    const [name = '', email = '', subject = '', message = ''] = said.split('\0')
    const stat = await gitOk(repo, ['diff', ...STAT, parent, commit], options)
    parts.push({
      patch,
      commit,
      author: { name, email },
      subject,
      message: message.replace(/^\n+|\s+$/g, ''),
      notes: notesOf(patch.text),
      stat: `${stat}\n`,
      diff: diffOf(patch),
    })
    parent = commit
  }
  return parts
}

/** Diffstat of the whole series. */
export async function overallStat(applied: Applied, signal?: AbortSignal): Promise<string> {
  const range = [applied.base.commit, applied.commit]
  return gitOk(applied.base.repo, ['diff', ...STAT, ...range], signal ? { signal } : {})
}

/** The diff of a stored patch, without the signature that git format-patch may have put below. */
function diffOf(patch: Patch): string {
  const below = Math.max(patch.text.indexOf('\n---\n'), 0)
  const start = patch.text.indexOf('\ndiff --git ', below)
  if (start < 0) {
    throw new LabError({
      what: `${patch.file} has no diff`,
      why: 'a patch that git applied has one: this is a bug of phyr',
      fix: 'report it',
    })
  }
  const lines = patch.text
    .slice(start + 1)
    .replace(/\n*$/, '')
    .split('\n')
  // "-- " is a removed "- " inside a hunk and the signature behind the last one: only counting tells.
  let left = { old: 0, new: 0 }
  for (const [i, line] of lines.entries()) {
    if (left.old > 0 || left.new > 0) {
      if (line.startsWith('\\')) continue
      if (!line.startsWith('+')) left.old--
      if (!line.startsWith('-')) left.new--
      continue
    }
    if (line === '-- ') return `${lines.slice(0, i).join('\n')}\n`
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line)
    if (hunk) left = { old: Number(hunk[1] ?? 1), new: Number(hunk[2] ?? 1) }
  }
  return `${lines.join('\n')}\n`
}
