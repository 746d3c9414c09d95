// SPDX-License-Identifier: GPL-2.0-only
import type { BaseWord } from './base-public.ts'
import type { CoverFile } from './cover-file.ts'
import type { CoverText } from './compose.ts'
import type { PatchParts } from './patch-parts.ts'

export interface CoverInput {
  readonly file: CoverFile
  /** The evidence block, plain text; empty for none. */
  readonly evidence: string
  readonly patches: readonly PatchParts[]
  readonly stat: string
  readonly base: BaseWord
  readonly changeId: string
}

/** The cover letter as b4 lays it out: text, ---, changelog, ---, shortlog, diffstat, ---, base and change-id. */
export function coverText(input: CoverInput): CoverText {
  const { file, evidence, changeId } = input
  const blurb = [file.blurb, evidence, input.base.sentence].filter((part) => part !== '').join('\n\n')
  const tail = tailLines(input.base.commit, changeId, file.prerequisites)
  const sections = [file.changes, `${shortlog(input.patches)}\n\n${input.stat}`, tail].filter(
    (part) => part !== '',
  )
  return {
    subject: file.subject,
    body: `${blurb}\n\n---\n${sections.join('\n\n---\n')}\n\n`,
    folded: `${[blurb, file.changes].filter((part) => part !== '').join('\n\n---\n')}\n\n---\n`,
    tail: `\n---\n${tail}\n`,
  }
}

/** Below the last ---, in the order that b4 and git format-patch --base have. */
function tailLines(base: string | undefined, changeId: string, prerequisites: readonly string[]): string {
  const kinds = ['change-id', 'message-id', 'patch-id']
  const sorted = kinds.flatMap((kind) =>
    prerequisites.filter((line) => line.toLowerCase().startsWith(`prerequisite-${kind}:`)),
  )
  return [...(base === undefined ? [] : [`base-commit: ${base}`]), `change-id: ${changeId}`, ...sorted].join(
    '\n',
  )
}

/** Patches by author, as git shortlog has them: authors by name, each author's patches in order. */
export function shortlog(patches: readonly Pick<PatchParts, 'author' | 'subject'>[]): string {
  const byAuthor = new Map<string, string[]>()
  for (const { author, subject } of patches) {
    const name = author.name || author.email
    const known = byAuthor.get(name)
    if (known) known.push(subject)
    else byAuthor.set(name, [subject])
  }
  return [...byAuthor]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, subjects]) => `${name} (${subjects.length}):\n${subjects.map((s) => `      ${s}`).join('\n')}`,
    )
    .join('\n\n')
}
