// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'

/** Somebody who gets or sends mail. */
export interface Address {
  /** Decoded and unquoted; empty when there is none. */
  readonly name: string
  readonly email: string
}

/** dot-atom@dot-atom (RFC 5322 3.4.1), ASCII only: quoted local parts and literals are nobody's on a kernel list. */
const EMAIL =
  /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/

/** Longest name and address; RFC 5321 has 254 for the path, nobody's name comes near. */
const LONGEST = 254

/**
 * Checks an address that came from outside: what gets into a header must be one name and one mailbox.
 *
 * @param where what the message calls its origin: "patches/recipients.yaml".
 * @throws UsageError for control characters (a line end would begin a header of its own) and for what is no mailbox.
 */
export function checkAddress({ name, email }: Address, where: string): Address {
  const shown = JSON.stringify(name === '' ? email : `${name} <${email}>`)
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]/u.test(name) || name.length > LONGEST) {
    throw new UsageError(
      `${where}: ${shown} has no name that may stand in a mail`,
      'one line of plain text is wanted',
    )
  }
  if (!EMAIL.test(email) || email.length > LONGEST || email.includes('..')) {
    throw new UsageError(`${where}: ${shown} is no mail address`, 'write NAME <user@example.org>')
  }
  return { name: name.trim().replace(/\s+/g, ' '), email }
}

/**
 * One address as people write it: `Name <user@host>`, `"Name, B." <user@host>` or `user@host`.
 *
 * @throws UsageError when it is not exactly one.
 */
export function parseAddress(text: string, where: string): Address {
  const match = /^(?:("(?:[^"\\]|\\.)*"|[^<>"]*?)\s*<([^<>]*)>|([^<>\s]+))$/s.exec(text.trim())
  if (!match)
    throw new UsageError(
      `${where}: ${JSON.stringify(text)} is no mail address`,
      'write NAME <user@example.org>',
    )
  return checkAddress({ name: unquoteName(match[1] ?? ''), email: match[2] ?? match[3] ?? '' }, where)
}

/** A name without the quotes that a header needs around it. */
export function unquoteName(name: string): string {
  const inner = /^"(.*)"$/s.exec(name.trim())?.[1]
  return inner === undefined ? name.trim() : inner.replace(/\\(.)/gs, '$1')
}

/** For people: Name <user@host>. */
export function addressText({ name, email }: Address): string {
  return name === '' ? email : `${name} <${email}>`
}

/** Whether both reach the same mailbox: nobody's local part is case-sensitive in practice. */
export function addressKey({ email }: Address): string {
  return email.toLowerCase()
}

/** Each mailbox once, the first that has a name wins, in the order they came. */
export function uniqueAddresses(list: readonly Address[]): Address[] {
  const seen = new Map<string, Address>()
  for (const one of list) {
    const known = seen.get(addressKey(one))
    if (known === undefined || (known.name === '' && one.name !== '')) seen.set(addressKey(one), one)
  }
  return [...seen.values()]
}
