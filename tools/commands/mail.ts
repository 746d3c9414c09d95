// SPDX-License-Identifier: GPL-2.0-only
import { EXIT, UsageError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import { findProject } from '../lib/project.ts'
import { prepareMail } from '../mail/prepare.ts'
import { planText } from '../mail/plan.ts'
import { writeThread } from '../mail/write.ts'
import { plural } from '../result/format.ts'
import { getApplied } from '../run/sources.ts'
import { choiceOf } from './choice.ts'
import { defineVerb } from './define.ts'
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
    date: { type: 'string', describe: 'date of the cover letter; default: now' },
    seed: { type: 'string', describe: 'for tests: Message-IDs that can be foreseen' },
    linux: sourceOptions.linux,
    base: sourceOptions.base,
  },
  examples: [
    ['phyr mail -o outgoing', 'the thread as files, for git send-email, b4 and git am'],
    ['phyr mail --plan', 'who gets what'],
  ],
  async run(args, signal) {
    if (args.output === undefined && !args.plan) {
      throw new UsageError(
        'phyr mail what?',
        'give -o DIR to write the mails, or --plan to see who would get them',
      )
    }
    const project = findProject(args.C)
    const applied = await getApplied(project, choiceOf(args), signal)
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
      },
      signal,
    )
    if (args.output !== undefined) {
      const dir = writeThread(args.output, thread, plan)
      log.info(`mail    ${plural(thread.messages.length, 'mail')} in ${dir}`)
    }
    if (args.json) process.stdout.write(`${JSON.stringify(plan)}\n`)
    else if (args.plan) process.stdout.write(planText(plan))
    for (const warning of plan.warnings) log.warn(`mail: ${warning}`)
    for (const reason of plan.forbidden) log.warn(`not to be mailed: ${reason}`)
    // Looking at who would get it is no attempt to mail.
    return args.output !== undefined && plan.forbidden.length > 0 ? EXIT.fail : EXIT.pass
  },
})

function dateOf(text: string): Date {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw new UsageError(`--date: ${JSON.stringify(text)} is no date`)
  return date
}
