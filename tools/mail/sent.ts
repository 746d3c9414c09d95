// SPDX-License-Identifier: GPL-2.0-only
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../lib/errors.ts'
import { SCHEMA } from '../result/result.ts'
import { readSeries } from '../series/read.ts'
import type { Series } from '../series/series.ts'

const SentFile = z.strictObject({
  schema: z.literal(SCHEMA),
  version: z.int().min(1),
  changeId: z.string(),
  /** Hash of the patches. */
  series: z.string(),
  /** Of the cover letter, or of the only patch; without brackets. */
  messageId: z.string(),
  date: z.iso.datetime(),
  /** What sent it: "git send-email", or that somebody said so. */
  how: z.string(),
})

/** A version that was sent. */
export interface Sent extends z.infer<typeof SentFile> {
  /** Directory with mail/ and patches/. */
  readonly dir: string
}

/** Names of the files of a series that are kept beside its patches. */
const KEPT = ['series', 'series.json', 'cover.md', 'groups.yaml']

/**
 * A Message-ID without its brackets.
 *
 * @throws UsageError when it is none.
 */
export function parseMessageId(text: string): string {
  const id = /^<?([^<>\s@]+@[\w.-]+)>?$/.exec(text.trim())?.[1]
  if (id === undefined)
    throw new UsageError(
      `${JSON.stringify(text)} is no Message-ID`,
      'it looks like <20261121-x-v1-0-...@host>',
    )
  return id
}

/** Where a message can be read, by the archive of all kernel lists. */
export function linkOf(messageId: string): string {
  return `https://lore.kernel.org/r/${messageId}`
}

/**
 * The versions that were sent, oldest first. Only those of this series: groups are kept apart by their change-id.
 *
 * @throws UsageError when one of them is damaged.
 */
export function sentVersions(patches: string, changeId: string): readonly Sent[] {
  const dir = join(patches, 'sent')
  if (!existsSync(dir)) return []
  return readdirSync(dir)
    .filter((name) => /^(?:[a-z][a-z0-9-]*-)?v\d+$/.test(name))
    .map((name) => readSent(join(dir, name)))
    .filter((sent) => sent.changeId === changeId)
    .toSorted((a, b) => a.version - b.version)
}

function readSent(dir: string): Sent {
  try {
    return { dir, ...SentFile.parse(JSON.parse(readFileSync(join(dir, 'sent.json'), 'utf8'))) }
  } catch {
    throw new UsageError(`${dir}/sent.json is damaged`, 'get it back from git')
  }
}

/** The patches of a version as they were sent. */
export function sentSeries(sent: Sent): Series {
  return readSeries(join(sent.dir, 'patches'))
}

/** The history as b4 keeps it: {"v1": ["...@..."]}. */
export function historyOf(sent: readonly Sent[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(sent.map(({ version, messageId }) => [`v${version}`, [messageId]]))
}

/**
 * Keeps what was sent under patches/sent/vN: the thread, the patches with series.json and cover letter, and who it is.
 * It appears whole or not at all. The same once more changes nothing.
 *
 * @param thread directory of the mails; undefined when they are not at hand.
 * @throws UsageError when another thing was sent as that version.
 */
export function markSent(
  patches: string,
  series: Series,
  sent: {
    readonly messageId: string
    readonly date: Date
    readonly how: string
    readonly thread: string | undefined
  },
  group?: string,
): { readonly dir: string; readonly known: boolean } {
  const { version, changeId, hash } = series
  const messageId = parseMessageId(sent.messageId)
  const dir = join(patches, 'sent', `${group === undefined ? '' : `${group}-`}v${version}`)
  const [known] = sentVersions(patches, changeId).filter((one) => one.version === version)
  if (known) {
    if (known.messageId === messageId && known.series === hash) return { dir: known.dir, known: true }
    throw new UsageError(
      `version ${version} was sent already, as <${known.messageId}>`,
      known.series === hash
        ? 'give that Message-ID'
        : 'what is here differs from it: phyr mail --reroll makes the next version',
    )
  }
  mkdirSync(join(patches, 'sent'), { recursive: true })
  const tmp = mkdtempSync(join(patches, 'sent', '.tmp-'))
  try {
    mkdirSync(join(tmp, 'patches'))
    for (const name of KEPT)
      if (existsSync(join(series.dir, name))) cpSync(join(series.dir, name), join(tmp, 'patches', name))
    // In a group the order file is the group's, not that of all patches.
    writeFileSync(join(tmp, 'patches/series'), series.patches.map(({ file }) => `${file}\n`).join(''))
    for (const { file, text } of series.patches) writeFileSync(join(tmp, 'patches', file), text)
    if (sent.thread !== undefined) cpSync(sent.thread, join(tmp, 'mail'), { recursive: true })
    const record = {
      schema: SCHEMA,
      version,
      changeId,
      series: hash,
      messageId,
      date: sent.date.toISOString(),
      how: sent.how,
    }
    writeFileSync(join(tmp, 'sent.json'), `${JSON.stringify(SentFile.parse(record), null, 2)}\n`)
    renameSync(tmp, dir)
  } finally {
    rmSync(tmp, { recursive: true, force: true })
  }
  return { dir, known: false }
}
