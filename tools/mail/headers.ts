// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'
import type { Address } from './address.ts'
import type { Header } from './thread.ts'

/** Columns of a header line: RFC 5322 asks for 78, git folds there as well. */
const WIDTH = 78

/**
 * From and Subject stay in one line, however long (RFC 5322 demands no more than 998): `b4 am -m` of b4 0.12 ends with
 * a Python error on folded ones, and git send-email writes them in one line as well.
 */
const ONE_LINE = 990

/** Longest encoded word, RFC 2047 section 2. */
const WORD = 75

/**
 * The Subject, in encoded words where it is not plain ASCII.
 *
 * @throws UsageError for control characters: a line end in a subject would begin a header of its own.
 */
export function subjectHeader(text: string): Header {
  const name = 'Subject'
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]/u.test(text)) {
    throw new UsageError(
      `${name}: ${JSON.stringify(text)} has control characters`,
      'one line of plain text is wanted',
    )
  }
  const lines = new Folder(name, ONE_LINE)
  // What looks like an encoded word would be decoded by the reader: it has to be encoded itself.
  const odd = (word: string): boolean => /[^\x20-\x7e]|=\?/.test(word)
  const words = text.trim().split(/\s+/)
  const first = words.findIndex(odd)
  const last = words.findLastIndex(odd)
  for (const [i, word] of words.entries()) {
    if (i < first || i > last) lines.add(word)
    // From the first to the last such word it is one run: blanks between encoded words are not shown by readers.
    else if (i === first) lines.encoded(words.slice(first, last + 1).join(' '), false)
  }
  return { name, value: lines.text() }
}

/** A header with addresses, one after the other with commas. */
export function addressHeader(name: 'From' | 'To' | 'Cc', list: readonly Address[]): Header {
  const lines = new Folder(name, name === 'From' ? ONE_LINE : WIDTH)
  for (const [i, one] of list.entries()) {
    const comma = i + 1 < list.length ? ',' : ''
    if (one.name === '') lines.add(`${one.email}${comma}`)
    else if (/[^\x20-\x7e]|=\?/.test(one.name)) {
      lines.encoded(one.name, true)
      lines.add(`<${one.email}>${comma}`)
    } else for (const part of `${phrase(one.name)} <${one.email}>${comma}`.split(' ')) lines.add(part)
  }
  return { name, value: lines.text() }
}

/**
 * A header whose value is ASCII already: ids, dates, MIME.
 *
 * @throws UsageError when it is not.
 */
export function plainHeader(name: string, value: string): Header {
  if (!/^[\x20-\x7e]*(?:\n [\x20-\x7e]+)*$/.test(value)) {
    throw new UsageError(`${name}: ${JSON.stringify(value)} cannot stand in a mail's header`)
  }
  return { name, value }
}

/** A date as mail has it, in UTC: "Sat, 21 Nov 2026 13:05:00 +0000". */
export function mailDate(date: Date): string {
  return date.toUTCString().replace(/GMT$/, '+0000')
}

/** The name in front of an address: as it is, or a quoted string where it has characters that mean something. */
function phrase(name: string): string {
  return /[()<>[\]:;@\\,."]/.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : name
}

/** The first line of a body that names the patch's author, as git reads it there: in one line, UTF-8. */
export function bodyFrom({ name, email }: Address): string {
  return `From: ${name === '' ? '' : `${phrase(name)} `}<${email}>`
}

/** Makes the lines of one header. */
class Folder {
  readonly #done: string[] = []
  readonly #width: number
  #line: string

  constructor(name: string, width: number = WIDTH) {
    this.#line = `${name}:`
    this.#width = width
  }

  add(word: string): void {
    const onward = `${this.#line} ${word}`
    // The field's name never stands alone in its line: some readers take that for an empty header.
    if (onward.length <= this.#width || this.#bare()) this.#line = onward
    else this.#break(word)
  }

  /** Encoded words of a text: none longer than allowed, no character cut in two. */
  encoded(text: string, inPhrase: boolean): void {
    let word = ''
    for (const char of text) {
      const piece = [...Buffer.from(char)].map((byte) => qEncoded(byte, inPhrase)).join('')
      const room = Math.min(WORD, this.#width - this.#line.length - 1)
      if (word !== '' && `=?UTF-8?q?${word}${piece}?=`.length > room) {
        this.#put(word)
        word = ''
      }
      if (word === '' && !this.#bare() && this.#width - this.#line.length < 32) this.#break()
      word += piece
    }
    if (word !== '') this.#put(word)
  }

  text(): string {
    const all = [...this.#done, this.#line].join('\n')
    return all.slice(all.indexOf(':') + 1).replace(/^ /, '')
  }

  #put(word: string): void {
    this.add(`=?UTF-8?q?${word}?=`)
  }

  #bare(): boolean {
    return this.#done.length === 0 && this.#line.endsWith(':') && !this.#line.includes(' ')
  }

  #break(word?: string): void {
    this.#done.push(this.#line)
    this.#line = word === undefined ? '' : ` ${word}`
  }
}

/** RFC 2047 section 5 (3): in front of an address only letters, digits and !*+-/ may stand as they are. */
function qEncoded(byte: number, inPhrase: boolean): string {
  const char = String.fromCharCode(byte)
  const plain = inPhrase ? /[A-Za-z0-9!*+/-]/ : /[!-<>@-^`-~]/
  if (char === ' ') return '=20'
  return plain.test(char) ? char : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
}
