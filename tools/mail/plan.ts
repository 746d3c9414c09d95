// SPDX-License-Identifier: GPL-2.0-only
import { sha256 } from '../lib/hash.ts'
import { plural } from '../result/format.ts'
import { visible } from '../result/format.ts'
import { SCHEMA } from '../result/result.ts'
import type { Series } from '../series/series.ts'
import { addressText } from './address.ts'
import type { RecipientsPlan } from './recipients.ts'
import { messageBytes, type Thread } from './thread.ts'

/** What stands in plan.json, and what --json prints. */
export interface MailPlan {
  readonly schema: number
  readonly outcome: 'pass' | 'fail'
  readonly series: {
    readonly name: string
    readonly changeId: string
    readonly version: number
    readonly hash: string
    readonly patches: number
  }
  readonly prefixes: readonly string[]
  readonly sender: string
  readonly date: string
  readonly base: { readonly version: string; readonly tree: string; readonly commit: string | null }
  readonly messages: readonly {
    readonly number: number
    readonly file: string
    /** The patch file that it carries; null for the cover. */
    readonly patch: string | null
    readonly subject: string
    readonly messageId: string
    readonly to: readonly string[]
    readonly cc: readonly string[]
    readonly sha256: string
    /** Files that nobody maintains. */
    readonly unmaintained: readonly string[]
  }[]
  readonly warnings: readonly string[]
  /** Whether phyr check was asked: with --plan alone it is not, and `forbidden` may lack its reasons. */
  readonly checked: boolean
  /** Why this must not be mailed; empty when nothing forbids it. */
  readonly forbidden: readonly string[]
}

/** The plan of a thread. */
export function mailPlan(
  thread: Thread,
  series: Pick<Series, 'name' | 'hash'>,
  base: MailPlan['base'],
  recipients: Pick<RecipientsPlan, 'unmaintained' | 'warnings'>,
  { checked, forbidden }: Pick<MailPlan, 'checked' | 'forbidden'>,
): MailPlan {
  const patches = thread.messages.filter((message) => message.patch !== undefined).length
  return {
    schema: SCHEMA,
    outcome: forbidden.length > 0 ? 'fail' : 'pass',
    series: {
      name: series.name,
      changeId: thread.changeId,
      version: thread.version,
      hash: series.hash,
      patches,
    },
    prefixes: thread.prefixes,
    sender: addressText(thread.sender),
    date: thread.date.toISOString(),
    base,
    messages: thread.messages.map((message) => ({
      number: message.number,
      file: message.file,
      patch: message.patch ?? null,
      subject: message.subject,
      messageId: message.messageId,
      to: message.to.map(addressText),
      cc: message.cc.map(addressText),
      sha256: sha256(messageBytes(message)),
      unmaintained: recipients.unmaintained.get(message.number) ?? [],
    })),
    warnings: recipients.warnings,
    checked,
    forbidden,
  }
}

/**
 * Who gets what, for people: everyone once with the numbers of the mails they get, then the files that nobody maintains.
 * Ends with a newline.
 */
export function planText(plan: MailPlan): string {
  const rows = new Map<string, { to: number[]; cc: number[] }>()
  for (const { number, to, cc } of plan.messages) {
    for (const [kind, list] of [['to', to] as const, ['cc', cc] as const]) {
      for (const one of list) {
        const row = rows.get(one) ?? { to: [], cc: [] }
        row[kind].push(number)
        rows.set(one, row)
      }
    }
  }
  const width = Math.max(0, ...[...rows.keys()].map((one) => visible(one).length))
  const people = [...rows]
    .toSorted(([a, x], [b, y]) => y.to.length + y.cc.length - (x.to.length + x.cc.length) || (a < b ? -1 : 1))
    .map(([one, { to, cc }]) => {
      const mails = [
        ...(to.length > 0 ? [`To ${ranges(to)}`] : []),
        ...(cc.length > 0 ? [`Cc ${ranges(cc)}`] : []),
      ]
      return `${visible(one).padEnd(width)}  ${mails.join('  ')}`
    })
  const alone = plan.messages.flatMap(({ number, unmaintained }) =>
    unmaintained.map((file) => `  ${visible(file)} (patch ${number})`),
  )
  const cover = plan.messages[0]
  return [
    `${plural(plan.messages.length, 'mail')} by ${visible(plan.sender)}, ${plural(rows.size, 'recipient')}` +
      ` (the first mail: ${cover?.to.length ?? 0} To, ${cover?.cc.length ?? 0} Cc):`,
    '',
    ...people,
    ...(alone.length > 0 ? ['', 'Nobody maintains:', ...alone] : []),
    '',
  ].join('\n')
}

/** "0-3, 7": which mails. */
export function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = []
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = parts.at(-1)
    if (last && last[1] === number - 1) last[1] = number
    else parts.push([number, number])
  }
  return parts.map(([a, b]) => (a === b ? `${a}` : `${a}-${b}`)).join(', ')
}
