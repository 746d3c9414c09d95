// SPDX-License-Identifier: GPL-2.0-only
import type { CheckFinding } from './check-record.ts'
import { imperativeOf } from './imperative.ts'
import { decoded, type MailLine, type PatchMail } from './mail.ts'

/** Columns of a subject (without its brackets) and of the message's lines: process/submitting-patches.rst. */
export const MESSAGE_COLUMNS = 75

type Level = CheckFinding['level']

/** A finding of the rules about messages. */
export function said(level: Level, message: string, line?: number): CheckFinding {
  return { tool: 'message', level, message, ...(line === undefined ? {} : { line }) }
}

/** Fields that a mail has once (RFC 5322, 3.6). */
const SINGLE = /^(?:from|sender|reply-to|to|cc|bcc|subject|date|message-id|mime-version|content-.*)$/

/**
 * What is wrong with the head of a patch mail: fields that do not belong there, and what could be smuggled in.
 *
 * @param stored a patch of the series; a mail on its way has recipients.
 */
export function headRules(mail: PatchMail, stored = true): CheckFinding[] {
  const findings = mail.strays.map((stray) =>
    said('error', `the head has a line that is no header field: ${shown(stray.text)}`, stray.line),
  )
  const seen = new Set<string>()
  for (const field of mail.fields) {
    const name = field.name.toLowerCase()
    if (seen.has(name) && SINGLE.test(name))
      findings.push(said('error', `a second ${field.name} in the head`, field.line))
    seen.add(name)
    if (hasControl(field.value) || hasControl(decoded(field))) {
      findings.push(
        said('error', `control characters in ${field.name}: ${shown(decoded(field))}`, field.line),
      )
    }
    if (stored && /^(?:to|cc|bcc|reply-to|sender|return-path)$/.test(name)) {
      findings.push(said('warning', `${field.name} in a patch of the series: nothing reads it`, field.line))
    }
  }
  const from = mail.fields.find((field) => field.name.toLowerCase() === 'from')
  if (!from) findings.push(said('error', 'no From: a patch has an author'))
  else if (!isAddress(decoded(from))) {
    findings.push(said('error', `From is no address: ${shown(decoded(from))}`, from.line))
  }
  return findings
}

/** Form, length and wording of the subject. */
export function subjectRules(mail: PatchMail): CheckFinding[] {
  const line = mail.fields.find((field) => field.name.toLowerCase() === 'subject')?.line
  const { subject } = mail
  if (subject === '') return [said('error', 'no subject', line)]
  const findings: CheckFinding[] = []
  const bad = (message: string, level: Level = 'warning'): unknown =>
    findings.push(said(level, message, line))
  const [, prefix = '', summary = ''] = /^((?:[^\s:][^:]{0,50}:\s+)*)(.*)$/s.exec(subject) ?? []
  const columns = Array.from(subject).length
  if (columns > MESSAGE_COLUMNS) bad(`the subject has ${columns} columns, more than ${MESSAGE_COLUMNS}`)
  if (prefix === '' && !/^(?:Revert "|Linux \d)/.test(subject))
    bad('the subject names no subsystem ("subsystem: summary")')
  if (summary === '') bad('the subject has a prefix and no summary', 'error')
  if (/[.,;:]$/.test(subject)) bad(`the subject ends with "${subject.at(-1)}"`)
  if (/(?:^|[\s:/])[\w.+-]+\.(?:[chS]|cpp|rs|py|sh|pl|rst|yaml|dtsi?):\s/.test(prefix))
    bad('a file name as prefix: name the subsystem')
  if (
    /^(?:update|change|modify|edit|fix|cleanup|clean up)?\s*[\w./-]+\.(?:[chS]|rs|rst|py|sh)$/i.test(summary)
  )
    bad('a file name is no summary: say what changes')
  const first = /^[A-Za-z]+/.exec(summary)?.[0] ?? ''
  const verb = imperativeOf(first)
  if (verb !== undefined) bad(`not imperative: "${verb} ..." rather than "${first} ..."`, 'note')
  return findings
}

/** Whether there is a description, and what in it would not survive the mail. */
export function bodyRules(mail: PatchMail): CheckFinding[] {
  const findings: CheckFinding[] = []
  if (mail.prose.length === 0) {
    findings.push(said('error', 'no description: the message has a subject and at most trailers'))
  }
  if (!mail.hasCut) findings.push(said('error', 'no line "---" between the message and the diff'))
  for (const { text, line } of mail.body) {
    if (hasControl(text)) findings.push(said('error', `control characters: ${shown(text)}`, line))
    // git mailinfo takes the patch to begin at any of these.
    if (/^(?:diff -|Index: |--- \S)/.test(text))
      findings.push(said('error', `git am would end the message at ${shown(text)}`, line))
    if (text.startsWith('From '))
      findings.push(said('error', 'a line that begins with "From " begins a new mail in an mbox', line))
    if (/^(?:SUBJECT|BLURB) HERE\b|\bEDITME\b/.test(text))
      findings.push(said('error', `a placeholder is left: ${shown(text)}`, line))
  }
  for (const { text, line } of mail.prose) {
    if (/^(?:changes (?:in|since) v\d|v\d+\s*(?:->|:))/i.test(text))
      findings.push(said('warning', 'the history of versions belongs below the line "---"', line))
    if (/^\s*(?:this|the) (?:patch|commit|change) (?!series\b)\w+s\b/i.test(text))
      findings.push(
        said('note', `imperative mood: say what to do, not what "this patch" does: ${shown(text)}`, line),
      )
  }
  findings.push(...longLines(mail))
  return findings
}

/** Lines of more than 75 columns, with the exceptions of checkpatch's COMMIT_LOG_LONG_LINE, and quoted lines. */
function longLines(mail: PatchMail): CheckFinding[] {
  let dump = false
  const findings: CheckFinding[] = []
  const inTrailers = new Set(mail.trailers.map((trailer) => trailer.line))
  for (const line of mail.body) {
    const { text } = line
    if (text.trim() === '') dump = false
    else if (STACK_DUMP.test(text)) dump = true
    const columns = Array.from(text).length
    if (columns <= MESSAGE_COLUMNS || dump || inTrailers.has(line.line) || mayBeLong(line)) continue
    findings.push(said('warning', `${columns} columns, more than ${MESSAGE_COLUMNS}`, line.line))
  }
  return findings
}

const STACK_DUMP =
  /^\s*(?:WARNING:|BUG:)|^\s*\[\s*\d+\.\d{6}\s*\]|^\s*\[<[0-9a-fA-F]{8,}>\]|^(?:\s+\w+:\s+[0-9a-fA-F]+){3}|^\s*#\d+\s*\[[0-9a-fA-F]+\]\s*\w+ at [0-9a-fA-F]+/

function mayBeLong({ text }: MailLine): boolean {
  return (
    /^\s*[a-zA-Z0-9_/.]+\s+\|\s+\d+/.test(text) || // a diffstat
    /^\s*(?:[\w.+-]*\/)+[\w.+-]+:/.test(text) || // a file name, as a compiler prints it
    /^\s*(?:Fixes:|https?:|(?:Link|Closes|BugLink):|[A-Z][a-z-]+-by:|Cc:)/i.test(text) ||
    /^\s*\[\d+\]:?\s+https?:/.test(text) ||
    /^\s*\S*https?:\S+$/.test(text) ||
    /^[>|]/.test(text) || // quoted
    /^\s*[-+@]{1,3}[^ ]|^\s*[-+] {2,}\S/.test(text) // a piece of a diff
  )
}

/** `Name <user@host>` or `user@host`: what a mail program and checkpatch both take for one address. */
export function isAddress(text: string): boolean {
  const [, name = '', address] = /^(?:(.*?)\s*<([^<>]*)>|\S+@\S+)$/s.exec(text) ?? [undefined, '', '']
  const mailbox = address ?? text
  if (!/^[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(mailbox)) return false
  if (mailbox.includes('..')) return false
  // Outside quotation marks these have a meaning in a list of addresses (RFC 5322, 3.2.3).
  return /^"(?:[^"\\]|\\.)*"$/.test(name) || !/[<>@,;:"\\[\]]/.test(name)
}

/** Control characters but for tab: NUL, ESC, line breaks and the like never belong into a line of a mail. */
function hasControl(text: string): boolean {
  return /[\x00-\x08\x0a-\x1f\x7f-\x9f]/.test(text)
}

/** Untrusted text for a finding: cut, control characters made visible. */
export function shown(text: string): string {
  const cut = text.length > 100 ? `${text.slice(0, 97)}...` : text
  return JSON.stringify(cut)
}
