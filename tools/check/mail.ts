// SPDX-License-Identifier: GPL-2.0-only
import { decodeHeader } from '../series/mail-header.ts'
import { patchSubject } from '../series/patch.ts'

/** One header field of a patch mail, as it stands there. */
export interface RawField {
  /** As written. */
  readonly name: string
  /** Unfolded, not decoded. */
  readonly value: string
  /** Line in the mail, from 1. */
  readonly line: number
}

/** One line of a patch mail with its place in it. */
export interface MailLine {
  readonly text: string
  /** Line in the mail, from 1. */
  readonly line: number
}

/** A trailer of the commit message: `Name: value`. */
export interface Trailer extends MailLine {
  readonly name: string
  readonly value: string
}

/** A patch mail, taken apart as git am does it. */
export interface PatchMail {
  readonly fields: readonly RawField[]
  /** Lines of the head that are no field. */
  readonly strays: readonly MailLine[]
  /** Subject without its brackets, decoded. */
  readonly subject: string
  /** The commit message below the subject, without leading and trailing blank lines. */
  readonly body: readonly MailLine[]
  /** The trailers at the end of the body. */
  readonly trailers: readonly Trailer[]
  /** Body without its trailers. */
  readonly prose: readonly MailLine[]
  /** Whether a line `---` ends the message. */
  readonly hasCut: boolean
}

/** Takes a git-format patch mail apart. Nothing is refused here: what is odd is for the rules to say. */
export function readMail(text: string): PatchMail {
  const lines = text.split('\n').map((line, i) => ({ text: line, line: i + 1 }))
  const blank = lines.findIndex((line) => line.text.replace(/\r$/, '') === '')
  const head = blank < 0 ? lines : lines.slice(0, blank)
  const rest = blank < 0 ? [] : lines.slice(blank + 1)
  const { fields, strays } = readHead(head)
  const cut = rest.findIndex((line) => /^---\s*$/.test(line.text))
  const diff = rest.findIndex((line) => line.text.startsWith('diff --git '))
  const end = cut >= 0 && (diff < 0 || cut < diff) ? cut : diff >= 0 ? diff : rest.length
  const body = withoutInBody(trimmed(rest.slice(0, end)))
  const count = trailerLines(body)
  const prose = trimmed(body.slice(0, body.length - count))
  const subject = fields.find((field) => field.name.toLowerCase() === 'subject')?.value ?? ''
  return {
    fields,
    strays,
    subject: patchSubject(subject),
    body,
    prose,
    trailers: readTrailers(body.slice(body.length - count)),
    hasCut: end === cut && cut >= 0,
  }
}

/** A header field's text, decoded. */
export function decoded(field: RawField): string {
  return decodeHeader(field.value)
}

function readHead(head: readonly MailLine[]): { fields: RawField[]; strays: MailLine[] } {
  const fields: { name: string; value: string; line: number }[] = []
  const strays: MailLine[] = []
  for (const [i, line] of head.entries()) {
    if (i === 0 && line.text.startsWith('From ')) continue
    const last = fields.at(-1)
    if (/^[ \t]/.test(line.text) && last) {
      last.value += ` ${line.text.trim()}`
      continue
    }
    const field = /^([!-9;-~]+):[ \t]*(.*)$/s.exec(line.text)
    if (field) fields.push({ name: field[1] ?? '', value: field[2] ?? '', line: line.line })
    else strays.push(line)
  }
  return { fields, strays }
}

const TRAILER = /^([A-Za-z][A-Za-z0-9-]*):(?:\s+(.*)|)$/

/**
 * How many lines of the body, from its end, are trailers: the last paragraph, when every line of it is one, goes on
 * with one (a line that begins with a blank), or is a maintainer's note `[who: what]`.
 */
function trailerLines(body: readonly MailLine[]): number {
  const blank = body.findLastIndex((line) => line.text.trim() === '')
  const last = body.slice(blank + 1)
  const fits = last.every(({ text }, i) => TRAILER.test(text) || (i > 0 && /^(?:\s+\S|\[.*\]$)/.test(text)))
  return fits && last.length > 0 && TRAILER.test(last[0]?.text ?? '') ? last.length : 0
}

function readTrailers(lines: readonly MailLine[]): Trailer[] {
  return lines.flatMap(({ text, line }) => {
    const [, name, value = ''] = TRAILER.exec(text) ?? []
    return name === undefined ? [] : [{ text, line, name, value: value.trim() }]
  })
}

/** Without the `From: author` and the like that git am reads at the top of a body; b4 and git send-email put it there. */
function withoutInBody(body: readonly MailLine[]): MailLine[] {
  const first = body.findIndex(({ text }) => !/^(?:From|Subject|Date): \S/.test(text))
  return first > 0 && body[first]?.text.trim() === '' ? trimmed(body.slice(first)) : [...body]
}

function trimmed(lines: readonly MailLine[]): MailLine[] {
  const first = lines.findIndex((line) => line.text.trim() !== '')
  const last = lines.findLastIndex((line) => line.text.trim() !== '')
  return first < 0 ? [] : lines.slice(first, last + 1)
}
