// SPDX-License-Identifier: GPL-2.0-only
import { patchFileName } from '../series/format.ts'
import { addressKey, type Address } from './address.ts'
import { checkBody, isEightBit } from './body.ts'
import { addressHeader, bodyFrom, mailDate, plainHeader, subjectHeader } from './headers.ts'
import { messageIds } from './message-id.ts'
import type { PatchParts } from './patch-parts.ts'
import type { Recipients } from './recipients.ts'
import { bracketed } from './subject.ts'
import type { Header, Message, Thread } from './thread.ts'
import { trackingHeader } from './tracking.ts'

/** The cover letter's text, made by cover.ts. */
export interface CoverText {
  readonly subject: string
  /** Body of mail 0, with what stands below --- and without the signature. */
  readonly body: string
  /** What goes below the --- of the only patch of a series of one: no shortlog, no diffstat. */
  readonly folded: string
  /** What goes behind its diff: base and change-id. */
  readonly tail: string
}

export interface ComposeInput {
  readonly changeId: string
  readonly version: number
  readonly prefixes: readonly string[]
  readonly cover: CoverText
  readonly patches: readonly PatchParts[]
  readonly sender: Address
  readonly date: Date
  /** git's version, for the signature. */
  readonly gitVersion: string
  /** Who gets what; 0 is the cover. */
  readonly recipients: (number: number) => Recipients
  /** Covers of earlier versions, for X-B4-Tracking. */
  readonly history?: Readonly<Record<string, readonly string[]>> | undefined
  readonly seed?: string | undefined
}

/**
 * Makes the mails of a series: the cover letter and the patches as replies to it. A single patch has the cover below
 * its --- (as b4 does it).
 *
 * @throws Finding or UsageError for what cannot stand in a mail.
 */
export function composeThread(input: ComposeInput): Thread {
  const { version, changeId, prefixes, sender, date, patches } = input
  const id = messageIds({ changeId, version, date, domain: domainOf(sender), seed: input.seed })
  const counts = { version, prefixes, count: patches.length }
  const alone = patches.length === 1
  const thread = { reply: alone ? undefined : id(0), input }
  const tracking = trackingHeader({
    series: {
      revision: version,
      'change-id': changeId,
      prefixes,
      // b4 has no history either before the first version was sent.
      ...(input.history && Object.keys(input.history).length > 0 ? { history: input.history } : {}),
    },
  })
  const root = [tracking, plainHeader('X-Change-ID', changeId)]
  const messages: Message[] = []
  if (!alone) {
    messages.push(
      message(thread, {
        number: 0,
        file: '0000-cover-letter.patch',
        subject: bracketed(input.cover.subject, 0, counts),
        messageId: id(0),
        commit: '0'.repeat(40),
        body: `${input.cover.body}${signature(input.gitVersion)}`,
        extra: root,
      }),
    )
  }
  const taken = new Set<string>()
  for (const [i, parts] of patches.entries()) {
    const file = patchFileName(i + 1, parts.subject, taken)
    taken.add(file)
    messages.push(
      message(thread, {
        number: i + 1,
        file,
        subject: bracketed(parts.subject, i + 1, counts),
        messageId: id(i + 1),
        commit: parts.commit,
        patch: parts.patch.file,
        body: patchBody(parts, sender, alone ? input.cover : { folded: '', tail: '' }, input.gitVersion),
        extra: alone ? root : [plainHeader('X-Change-ID', changeId)],
      }),
    )
  }
  return { version, changeId, prefixes, sender, date, messages }
}

/** Message, ---, what is no part of the commit, diffstat, diff, signature: git format-patch's layout. */
function patchBody(
  parts: PatchParts,
  sender: Address,
  { folded, tail }: Pick<CoverText, 'folded' | 'tail'>,
  gitVersion: string,
): string {
  const { author, message: text, notes, stat, diff } = parts
  // The mail is the sender's, the patch its author's: git am takes a first line "From:" for the author.
  const from = addressKey(author) === addressKey(sender) ? '' : `${bodyFrom(author)}\n\n`
  const said = text === '' ? '' : `${text}\n`
  const below = `${notes === '' ? '' : `${notes}\n`}${folded}`
  return `${from}${said}---\n${below}${stat}\n${diff}${tail}${signature(gitVersion)}`
}

function signature(gitVersion: string): string {
  return `-- \n${gitVersion}\n\n`
}

function message(
  { reply, input }: { readonly reply: string | undefined; readonly input: ComposeInput },
  mail: Omit<Message, 'headers' | 'to' | 'cc'> & { readonly extra: readonly Header[] },
): Message {
  const { extra, ...parts } = mail
  checkBody(parts.body, parts.patch ?? 'the cover letter')
  const { to, cc } = input.recipients(parts.number)
  // A second for each, so that readers that sort by date show them in order.
  const date = new Date(input.date.getTime() + parts.number * 1000)
  const inReply = parts.number === 0 || reply === undefined ? [] : [reply]
  const headers = [
    addressHeader('From', [input.sender]),
    plainHeader('Date', mailDate(date)),
    subjectHeader(parts.subject),
    ...(isEightBit(parts.body) ? MIME : []),
    plainHeader('Message-ID', parts.messageId),
    ...inReply.flatMap((id) => [plainHeader('In-Reply-To', id), plainHeader('References', id)]),
    ...extra,
    ...(to.length > 0 ? [addressHeader('To', to)] : []),
    ...(cc.length > 0 ? [addressHeader('Cc', cc)] : []),
  ]
  return { ...parts, to, cc, headers }
}

/** Only for bodies that need it: plain ASCII needs none, and lists like mails without MIME. */
const MIME: readonly Header[] = [
  plainHeader('MIME-Version', '1.0'),
  plainHeader('Content-Type', 'text/plain; charset=UTF-8'),
  plainHeader('Content-Transfer-Encoding', '8bit'),
]

function domainOf({ email }: Address): string {
  return email.slice(email.lastIndexOf('@') + 1)
}
