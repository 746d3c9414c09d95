// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeAtomic } from '../lib/cache.ts'
import { UsageError } from '../lib/errors.ts'
import type { Series } from '../series/series.ts'
import { linkOf, sentVersions } from './sent.ts'

/**
 * Begins the next version of a series that was sent: a section "Changes in vN" in cover.md with the link to what was
 * sent, for a human to fill in, and the new number in series.json. What was sent is under patches/sent/ since it was
 * marked. Interrupted, it can be done again; done twice, it does nothing.
 *
 * @throws UsageError when the version at hand was not sent.
 */
export function reroll(
  patches: string,
  series: Pick<Series, 'version' | 'changeId'>,
  kept: {
    /** The cover letter's file. */
    readonly cover: string
    /** Writes the new number down. */
    readonly setVersion: (version: number) => void
  } = {
    cover: join(patches, 'cover.md'),
    setVersion: (version) => setVersion(join(patches, 'series.json'), version),
  },
): { readonly version: number; readonly changed: boolean } {
  const sent = sentVersions(patches, series.changeId)
  const last = sent.at(-1)
  if (last === undefined || (last.version < series.version && last.version + 1 !== series.version)) {
    throw new UsageError(
      `version ${series.version} was not sent: there is nothing to make another version of`,
      'after it was: phyr mail --sent MESSAGE-ID',
    )
  }
  const next = last.version + 1
  // First the letter, then the number: the other way round an interruption would leave a version without a changelog.
  const cover = addSection(kept.cover, next, last)
  if (series.version >= next) return { version: series.version, changed: cover }
  kept.setVersion(next)
  return { version: next, changed: true }
}

function addSection(
  file: string,
  version: number,
  before: { readonly version: number; readonly messageId: string },
): boolean {
  const text = readFileSync(file, 'utf8')
  if (new RegExp(`^#{2,6} +Changes in v${version}:? *#*$`, 'im').test(text)) return false
  const section = [
    `## Changes in v${version}`,
    '',
    '- EDITME: each patch that changed, by its number, and why',
    `- Link to v${before.version}: ${linkOf(before.messageId)}`,
    '',
  ].join('\n')
  const older = /^#{2,6} +Changes in v\d+:? *#*$/im.exec(text)
  if (older) {
    writeAtomic(file, `${text.slice(0, older.index)}${section}\n${text.slice(older.index)}`)
    return true
  }
  // To:, Cc: and prerequisites are the end of the file.
  const lines = text.trimEnd().split('\n')
  let end = lines.length
  while (end > 0 && /^(?:(?:To|Cc|prerequisite-[\w-]+): \S.*)?$/i.test(lines[end - 1] ?? '')) end--
  const trailers = lines.slice(end).filter((line) => line !== '')
  const tail = trailers.length > 0 ? `\n${trailers.join('\n')}\n` : ''
  writeAtomic(file, `${lines.slice(0, end).join('\n')}\n\n${section}${tail}`)
  return true
}

/** Changes the one number and leaves every other byte of series.json. */
function setVersion(file: string, version: number): void {
  const text = readFileSync(file, 'utf8')
  const meta = JSON.parse(text) as Record<string, unknown>
  const next = text.replace(/("version"\s*:\s*)\d+/, `$1${version}`)
  const same = JSON.stringify(JSON.parse(next)) === JSON.stringify({ ...meta, version })
  writeAtomic(file, same ? next : `${JSON.stringify({ ...meta, version }, null, 2)}\n`)
}
