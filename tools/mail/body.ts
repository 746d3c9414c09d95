// SPDX-License-Identifier: GPL-2.0-only
import { Finding } from '../lib/errors.ts'
import { printable } from '../lib/log.ts'

/** Longest line of a mail, RFC 5322 2.1.1, in bytes without its end. */
const LONGEST = 998

/**
 * Refuses a body that would not come out of a mail as it went in.
 *
 * @param what whose body it is, for the message: a file's name.
 * @throws Finding of stage `series` with the line: longer than 998 bytes, a NUL, a carriage return, or "From " at its
 *   beginning, which every program that keeps mail in an mbox takes for the next mail.
 */
export function checkBody(body: string, what: string): void {
  for (const [i, line] of body.split('\n').entries()) {
    const bad = badLine(line)
    if (bad === undefined) continue
    const { why, advice } = bad
    throw new Finding({
      stage: 'series',
      message: `${printable(what)} cannot be mailed: line ${i + 1} of its body ${why}`,
      blame: what,
      detail: [printable(line.length > 72 ? `${line.slice(0, 72)}...` : line), advice],
    })
  }
}

function badLine(line: string): { why: string; advice: string } | undefined {
  const bytes = Buffer.byteLength(line)
  if (bytes > LONGEST) {
    return {
      why: `has ${bytes} bytes, and a mail's lines have at most ${LONGEST}`,
      advice: 'break the line, or split what makes it so long out of the patch',
    }
  }
  if (line.includes('\0')) return { why: 'has a NUL', advice: 'git diff --binary makes text of such a file' }
  if (line.includes('\r')) {
    return { why: 'has a carriage return, which no mail keeps', advice: 'use plain line ends' }
  }
  if (line.startsWith('From ')) {
    return {
      why: 'begins with "From ", as mails in an mbox do',
      advice: 'break the paragraph at another place',
    }
  }
  return undefined
}

/** Whether a body needs the MIME headers. */
export function isEightBit(body: string): boolean {
  return /[^\x00-\x7f]/.test(body)
}
