// SPDX-License-Identifier: GPL-2.0-only
import { EXIT, UsageError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import { findProject } from '../lib/project.ts'
import { prepareMail } from '../mail/prepare.ts'
import { planText } from '../mail/plan.ts'
import { signerOf } from '../mail/sign-off.ts'
import { writeThread } from '../mail/write.ts'
import { plural } from '../result/format.ts'
import { getApplied } from '../run/sources.ts'
import { groupSeries } from '../split/group-series.ts'
import { choiceOf } from './choice.ts'
import { defineVerb } from './define.ts'
import { beginNext, sendAnswer, tellSent } from './mail-versions.ts'
import { sourceOptions } from './options.ts'

export default defineVerb({
  options: {
    output: { type: 'string', alias: 'o', describe: 'write the mails and plan.json into this directory' },
    plan: {
      type: 'boolean',
      default: false,
      describe: 'print who gets what, and which files nobody maintains',
    },
    rfc: { type: 'boolean', default: false, describe: '[PATCH RFC ...]' },
    resend: { type: 'boolean', default: false, describe: '[PATCH RESEND ...]: the same version once more' },
    prefix: { type: 'string', array: true, describe: '[PATCH net-next ...]; may be given again' },
    group: { type: 'string', describe: 'only this group of patches/groups.yaml, as a series of its own' },
    'sign-off': {
      type: 'boolean',
      default: false,
      describe: "add your Signed-off-by (git's user.name and user.email) to the mails, not to patches/",
    },
    send: {
      choices: ['git'],
      describe:
        'send what lies in -o DIR: first a dry run of git send-email, then, with --yes-send, for good',
    },
    'yes-send': { type: 'string', describe: 'N-messages: the number of mails of the dry run you have seen' },
    sent: { type: 'string', describe: 'MESSAGE-ID: this version was sent as that, keep it in patches/sent/' },
    reroll: { type: 'boolean', default: false, describe: 'begin the next version, after one was sent' },
    date: { type: 'string', describe: 'date of the cover letter; default: now' },
    seed: { type: 'string', describe: 'for tests: Message-IDs that can be foreseen' },
    check: {
      type: 'boolean',
      default: true,
      describe: 'ask phyr check; --no-check: only look at the mails, which then must not be sent',
    },
    linux: sourceOptions.linux,
    base: sourceOptions.base,
  },
  examples: [
    ['phyr mail -o outgoing', 'the thread as files, for git send-email, b4 and git am'],
    ['phyr mail --plan', 'who gets what'],
    ['phyr mail -o outgoing --sign-off', 'the same with your Signed-off-by'],
    ['phyr mail --send git -o outgoing', 'what git send-email would do; sends nothing yet'],
    ['phyr mail --reroll', 'the next version; what was sent is in patches/sent/'],
  ],
  async run(args, signal) {
    if (args.output === undefined && !args.plan && !args.reroll && args.sent === undefined) {
      throw new UsageError(
        'phyr mail what?',
        'give -o DIR to write the mails, or --plan to see who would get them',
      )
    }
    const project = findProject(args.C)
    const whole = await getApplied(project, choiceOf(args), signal)
    const part =
      args.group === undefined ? undefined : await groupSeries(project.patches, whole, args.group, signal)
    const applied = part?.applied ?? whole
    const { json, output, group } = args
    if (args.sent !== undefined) return tellSent(project, applied, part, { sent: args.sent, output, json })
    if (args.reroll) return beginNext(project, applied, part, json)
    const { thread, plan } = await prepareMail(
      project,
      applied,
      {
        rfc: args.rfc,
        resend: args.resend,
        prefixes: args.prefix ?? [],
        date: args.date === undefined ? undefined : dateOf(args.date),
        seed: args.seed,
        linux: args.linux,
        signer: args['sign-off'] ? await signerOf(project.root, signal) : undefined,
        part: part && { ...part, whole },
        check: args.check && args.output !== undefined,
      },
      signal,
    )
    if (args.send !== undefined) {
      const yes = args['yes-send']
      return sendAnswer(project, applied, plan.forbidden, { output, yes, json, group }, signal)
    }
    if (args.output !== undefined) {
      const dir = writeThread(args.output, thread, plan)
      log.info(`mail    ${plural(thread.messages.length, 'mail')} in ${dir}`)
    }
    if (args.json) process.stdout.write(`${JSON.stringify(plan)}\n`)
    else if (args.plan) process.stdout.write(planText(plan))
    for (const warning of plan.warnings) log.warn(`mail: ${warning}`)
    // Looking at who would get it is no attempt to mail.
    if (args.output !== undefined) {
      for (const reason of plan.forbidden) log.warn(`not to be mailed: ${reason}`)
    }
    return args.output !== undefined && plan.forbidden.length > 0 ? EXIT.fail : EXIT.pass
  },
})

function dateOf(text: string): Date {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw new UsageError(`--date: ${JSON.stringify(text)} is no date`)
  return date
}
