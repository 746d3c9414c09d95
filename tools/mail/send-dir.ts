// SPDX-License-Identifier: GPL-2.0-only
import { createInterface } from 'node:readline/promises'
import { UsageError } from '../lib/errors.ts'
import { log, printable } from '../lib/log.ts'
import type { Project } from '../lib/project.ts'
import type { Applied } from '../series/series.ts'
import type { MailPlan } from './plan.ts'
import { readThread, type WrittenThread } from './read-thread.ts'
import { markSent } from './sent.ts'
import { dryRunSend, sendThread, wasShown, whyNotSend } from './send.ts'
import { signerOf } from './sign-off.ts'

/** What came of `phyr mail --send`. */
export interface SendAnswer {
  readonly outcome: 'forbidden' | 'shown' | 'sent'
  readonly mails: number
  /** Why nothing was sent. */
  readonly forbidden: readonly string[]
  /** Where what was sent is kept. */
  readonly kept: string | null
}

export interface SendChoice {
  /** The directory that holds the thread. */
  readonly dir: string
  /** `--yes-send N`. */
  readonly yes: string | undefined
  /** Whether somebody can be asked. */
  readonly ask: boolean
  /** Name of the group that is sent, where it is one. */
  readonly group: string | undefined
}

/**
 * Sends a thread that lies in a directory, in two steps: the first lets git send-email say what it would do and sends
 * nothing; the second, which has to name the number of mails, sends these very mails. Afterwards what was sent is kept
 * under patches/sent/.
 *
 * @param applied what the thread is of, as it is now.
 * @param fresh the plan that phyr mail makes of it now.
 * @throws UsageError for a second step without the first, or with another number.
 */
export async function sendDirectory(
  project: Project,
  applied: Applied,
  fresh: Pick<MailPlan, 'forbidden'>,
  choice: SendChoice,
  signal: AbortSignal,
): Promise<SendAnswer> {
  const thread = readThread(choice.dir)
  const mails = thread.files.length
  const signer = await signerOf(project.root, signal)
  const { series, base } = applied
  const forbidden = whyNotSend(thread, signer, {
    forbidden: fresh.forbidden,
    hash: series.hash,
    version: series.version,
    baseTree: base.identity.tree,
  })
  if (forbidden.length > 0) return { outcome: 'forbidden', mails, forbidden, kept: null }
  const yes = choice.yes === undefined ? undefined : countOf(choice.yes)
  if (yes === undefined) {
    const { output } = await dryRunSend(project.root, thread, signal)
    log.info(printable(output.trimEnd()))
    const go = choice.ask && (await asked(mails))
    if (!go) return { outcome: 'shown', mails, forbidden: [], kept: null }
  } else {
    if (yes !== mails) throw new UsageError(`--yes-send ${choice.yes}: the thread has ${mails} mails`)
    if (!wasShown(thread))
      throw new UsageError('no dry run of these very mails was shown', 'phyr mail --send git -o DIR shows it')
  }
  await sendThread(project.root, thread, signal)
  return { outcome: 'sent', mails, forbidden: [], kept: keep(project, applied, thread, choice.group) }
}

function keep(
  project: Project,
  { series }: Applied,
  thread: WrittenThread,
  group: string | undefined,
): string | null {
  const { messages, date, prefixes } = thread.plan
  // The same version once more: its first sending is what others link to.
  if (prefixes.includes('RESEND')) return null
  const { dir } = markSent(
    project.patches,
    series,
    { messageId: messages[0]!.messageId, date: new Date(date), how: 'git send-email', thread: thread.dir },
    group,
  )
  return dir
}

/** "40", "40-mails", "40-messages". */
function countOf(text: string): number {
  const count = /^(\d{1,4})(?:-(?:mails?|messages?))?$/.exec(text)?.[1]
  if (count === undefined)
    throw new UsageError(`--yes-send takes the number of mails, not ${JSON.stringify(text)}`)
  return Number(count)
}

async function asked(mails: number): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const said = await terminal.question(
      `These ${mails} mails will go out and cannot be taken back. Type ${mails} to send them: `,
    )
    return said.trim() === `${mails}`
  } finally {
    terminal.close()
  }
}
