// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'

/** What the subjects of a thread have in common. */
export interface SubjectParts {
  readonly version: number
  /** "RFC", "RESEND", "net-next": beside PATCH, in this order. */
  readonly prefixes: readonly string[]
  /** Number of patches. */
  readonly count: number
}

/** `[PATCH RFC v2 03/12] subject`: numbers padded so that mails sort; a single patch has no number. */
export function bracketed(
  subject: string,
  number: number,
  { version, prefixes, count }: SubjectParts,
): string {
  const counter =
    count > 1 || number === 0 ? `${String(number).padStart(String(count).length, '0')}/${count}` : ''
  const words = ['PATCH', ...prefixes, version > 1 ? `v${version}` : '', counter]
  return `[${words.filter(Boolean).join(' ')}] ${subject}`
}

/**
 * The prefixes of a thread: those of series.json ("RFC PATCH"), those that were asked for, RFC and RESEND first, each
 * once.
 *
 * @throws UsageError for one that cannot stand in a subject's bracket.
 */
export function prefixesOf(
  stored: string | undefined,
  asked: { readonly rfc?: boolean; readonly resend?: boolean; readonly prefixes?: readonly string[] },
): string[] {
  const words = [
    ...(stored ?? '').split(/\s+/),
    ...(asked.prefixes ?? []).flatMap((text) => text.split(/\s+/)),
  ]
  const named = words.filter((word) => word !== '' && word.toUpperCase() !== 'PATCH')
  for (const word of named) {
    if (!/^[A-Za-z][\w./+-]{0,39}$/.test(word) || /^v\d+$/i.test(word)) {
      throw new UsageError(
        `${JSON.stringify(word)} is no prefix for a subject`,
        'give one like RFC or net-next',
      )
    }
  }
  const upper = new Set(named.map((word) => word.toUpperCase()))
  return [
    ...(asked.resend || upper.has('RESEND') ? ['RESEND'] : []),
    ...(asked.rfc || upper.has('RFC') ? ['RFC'] : []),
    ...new Set(named.filter((word) => !['RFC', 'RESEND'].includes(word.toUpperCase()))),
  ]
}
