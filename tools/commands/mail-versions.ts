// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import { EXIT, UsageError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import type { Project } from '../lib/project.ts'
import { sendDirectory } from '../mail/send-dir.ts'
import { readThread } from '../mail/read-thread.ts'
import { reroll } from '../mail/reroll.ts'
import { markSent, parseMessageId } from '../mail/sent.ts'
import { SCHEMA } from '../result/result.ts'
import type { Applied } from '../series/series.ts'
import { setGroupVersion, type GroupSeries } from '../split/group-series.ts'

/** `phyr mail --sent MESSAGE-ID`: what is here was sent, by somebody, as that. */
export function tellSent(
  project: Project,
  { series }: Applied,
  part: GroupSeries | undefined,
  args: { readonly sent: string; readonly output: string | undefined; readonly json: boolean },
): number {
  const messageId = parseMessageId(args.sent)
  const thread = args.output === undefined ? undefined : readThread(args.output)
  if (thread) {
    const planned = parseMessageId(thread.plan.messages[0]!.messageId)
    if (planned !== messageId)
      throw new UsageError(
        `the mails in ${thread.dir} are <${planned}>`,
        'give that Message-ID, or other mails',
      )
    if (thread.plan.series.hash !== series.hash)
      throw new UsageError(`the mails in ${thread.dir} are of other patches than those here`)
  }
  const date = thread ? new Date(thread.plan.date) : new Date()
  const how = 'told by --sent'
  const kept = markSent(
    project.patches,
    series,
    { messageId, date, how, thread: thread?.dir },
    part?.group.name,
  )
  say(args.json, { version: series.version, messageId, kept: kept.dir, known: kept.known }, [
    `version ${series.version} is kept in ${kept.dir}`,
  ])
  return EXIT.pass
}

/** `phyr mail --reroll`: the next version begins. */
export function beginNext(
  project: Project,
  { series }: Applied,
  part: GroupSeries | undefined,
  json: boolean,
): number {
  const { patches } = project
  const kept = part && {
    cover: join(patches, part.coverFile),
    setVersion: (version: number) => setGroupVersion(patches, part.group.name, version),
  }
  const { version, changed } = reroll(patches, series, kept)
  say(json, { version, changed }, [
    changed
      ? `version ${version}: say in its cover letter, under "Changes in v${version}", what changed`
      : `version ${version} has begun already`,
  ])
  return EXIT.pass
}

/** `phyr mail --send git -o DIR`. */
export async function sendAnswer(
  project: Project,
  applied: Applied,
  forbidden: readonly string[],
  args: {
    readonly output: string | undefined
    readonly yes: string | undefined
    readonly json: boolean
    readonly group: string | undefined
  },
  signal: AbortSignal,
): Promise<number> {
  if (args.output === undefined) throw new UsageError('phyr mail --send what?', 'give -o DIR with the mails')
  const ask = !args.json && process.stdin.isTTY && process.stderr.isTTY
  const { output: dir, yes, group } = args
  const answer = await sendDirectory(project, applied, { forbidden }, { dir, yes, ask, group }, signal)
  const lines = {
    forbidden: ['nothing was sent'],
    shown: [
      `nothing was sent: that was a dry run of ${answer.mails} mails`,
      `to send them: phyr mail --send git -o ${dir} --yes-send ${answer.mails}-messages`,
    ],
    sent: [`${answer.mails} mails were sent${answer.kept === null ? '' : `; kept in ${answer.kept}`}`],
  }
  for (const reason of answer.forbidden) log.warn(`not to be mailed: ${reason}`)
  say(args.json, answer, lines[answer.outcome])
  return answer.outcome === 'forbidden' ? EXIT.fail : EXIT.pass
}

function say(json: boolean, answer: object, lines: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify({ schema: SCHEMA, ...answer })}\n` : `${lines.join('\n')}\n`)
}
