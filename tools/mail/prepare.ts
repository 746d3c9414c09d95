// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../lib/errors.ts'
import type { Project } from '../lib/project.ts'
import type { Applied } from '../series/series.ts'
import { composeThread } from './compose.ts'
import { coverText } from './cover.ts'
import { parseCover, type CoverFile } from './cover-file.ts'
import { overallStat, patchParts } from './patch-parts.ts'
import { gitVersion, senderOf } from './sender.ts'
import { prefixesOf } from './subject.ts'
import type { Thread } from './thread.ts'

export interface MailChoice {
  readonly rfc?: boolean
  readonly resend?: boolean
  readonly prefixes?: readonly string[]
  /** Date of the cover; default now. */
  readonly date?: Date | undefined
  /** For tests: makes the Message-IDs predictable. */
  readonly seed?: string | undefined
}

/** A thread that could be sent, and what forbids it. */
export interface Prepared {
  readonly thread: Thread
  /** Reasons; empty when nothing does. */
  readonly forbidden: readonly string[]
}

/**
 * Makes the thread of an applied series: everything but the files.
 *
 * @throws UsageError or Finding when no mail can be made of it at all.
 */
export async function prepareMail(
  project: Project,
  applied: Applied,
  choice: MailChoice,
  signal: AbortSignal,
): Promise<Prepared> {
  const { series } = applied
  if (applied.commits.length === 0) throw new UsageError('there is no patch to mail')
  const file = readCover(project)
  const patches = await patchParts(applied, signal)
  const cover = coverText({
    file,
    evidence: '',
    patches,
    stat: await overallStat(applied, signal),
    baseCommit: undefined,
    baseSentence: '',
    changeId: series.changeId,
  })
  const thread = composeThread({
    changeId: series.changeId,
    version: series.version,
    prefixes: prefixesOf(undefined, choice),
    cover,
    patches,
    sender: await senderOf(project.root, signal),
    date: choice.date ?? new Date(),
    gitVersion: await gitVersion(signal),
    recipients: () => ({ to: file.to, cc: file.cc }),
    seed: choice.seed,
  })
  return { thread, forbidden: [] }
}

function readCover(project: Project): CoverFile {
  let text: string
  try {
    text = readFileSync(join(project.patches, 'cover.md'), 'utf8')
  } catch {
    throw new UsageError(
      'there is no patches/cover.md',
      'write what the series does; its first line is "# title"',
    )
  }
  return parseCover(text)
}
