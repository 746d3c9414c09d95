// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto'
import { UsageError } from '../lib/errors.ts'
import { sha256 } from '../lib/hash.ts'

export interface MessageIdParts {
  /** The series' change-id: YYYYMMDD-slug-<12 hex>. */
  readonly changeId: string
  readonly version: number
  readonly date: Date
  /** What follows the @ of the sender's address. */
  readonly domain: string
  /** Makes the tail predictable; for tests only. */
  readonly seed?: string | undefined
}

/**
 * The Message-IDs of a thread as b4 makes them: `<YYYYMMDD-slug-vN-K-<12 hex>@domain>`, K the number of the mail, one
 * tail for all. The tail is random: who can guess an id can put a mail of his own into the thread before it is sent.
 */
export function messageIds(parts: MessageIdParts): (number: number) => string {
  const slug = slugOf(parts.changeId)
  const day = parts.date.toISOString().slice(0, 10).replaceAll('-', '')
  const tail = parts.seed === undefined ? randomBytes(6).toString('hex') : sha256(parts.seed).slice(0, 12)
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(parts.domain)) {
    throw new UsageError(
      `${JSON.stringify(parts.domain)} is no domain for Message-IDs`,
      'set git config user.email',
    )
  }
  return (number) => `<${day}-${slug}-v${parts.version}-${number}-${tail}@${parts.domain}>`
}

/** The words in a change-id's middle. */
export function slugOf(changeId: string): string {
  return changeId.replace(/^\d{8}-/, '').replace(/-[0-9a-f]{12}$/, '') || 'series'
}
