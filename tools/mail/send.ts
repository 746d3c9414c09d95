// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeAtomic } from '../lib/cache.ts'
import { LabError, UsageError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import { cacheRoot } from '../lib/paths.ts'
import { addressKey, addressText, parseAddress, type Address } from './address.ts'
import type { WrittenThread } from './read-thread.ts'
import { whyNoSigner } from './sign-off.ts'

/** How long a dry run counts, milliseconds: who saw it yesterday has forgotten it. */
const DRY_RUN_COUNTS = 24 * 3600 * 1000

/**
 * Everything that forbids sending a thread that was written earlier; empty when it may go out.
 *
 * @param fresh what forbids mailing the series as it is now, and which series and base that is.
 */
export function whyNotSend(
  thread: WrittenThread,
  signer: Address,
  fresh: {
    readonly forbidden: readonly string[]
    readonly hash: string
    readonly version: number
    readonly baseTree: string
  },
): readonly string[] {
  const { plan, signers } = thread
  const reasons = [...plan.forbidden, ...fresh.forbidden.filter((reason) => !plan.forbidden.includes(reason))]
  if (plan.series.hash !== fresh.hash) reasons.push('the patches changed since these mails were written')
  if (plan.series.version !== fresh.version)
    reasons.push(`these mails are version ${plan.series.version}, the series is at version ${fresh.version}`)
  if (plan.base.tree !== fresh.baseTree)
    reasons.push('the base is another one than when these mails were written')
  for (const [file, list] of signers) {
    const last = list.at(-1)
    const odd = list.map(whyNoSigner).find((why) => why !== undefined)
    if (odd !== undefined) reasons.push(`${file}: signed off by no human: ${odd}`)
    else if (last === undefined || addressKey(last) !== addressKey(signer))
      reasons.push(`${file}: has no Signed-off-by of ${addressText(signer)}: phyr mail --sign-off adds it`)
  }
  for (const { file, to, cc } of plan.messages)
    if (to.length + cc.length === 0) reasons.push(`${file}: there is nobody who would get it`)
  return reasons
}

/**
 * git send-email's arguments: the mails are whole, so it shall add nobody, change no header and ask nothing. Where the
 * mail goes (server, account) is the user's own configuration.
 */
function sendEmailArgs(thread: WrittenThread): string[] {
  const from = parseAddress(thread.plan.sender, 'plan.json')
  return [
    'send-email',
    '--confirm=never',
    '--no-thread',
    '--no-chain-reply-to',
    '--no-annotate',
    '--no-cc-cover',
    '--no-to-cover',
    '--no-signed-off-by-cc',
    // The sender's own trailer counts as "self" there, and not as a Signed-off-by.
    '--suppress-cc=self',
    '--suppress-cc=author',
    '--suppress-cc=bodycc',
    '--suppress-cc=sob',
    '--suppress-cc=misc-by',
    '--suppress-cc=cccmd',
    '--no-bcc',
    '--no-to',
    '--no-cc',
    '--transfer-encoding=8bit',
    `--from=${addressText(from)}`,
  ]
}

/** What git send-email said of a thread that it would send. */
export interface DryRun {
  readonly output: string
  /** How many mails it would have sent. */
  readonly mails: number
}

/**
 * Lets git send-email say what it would do, and remembers that these very mails were shown.
 *
 * @throws LabError when it refuses them, or would send another number of mails.
 */
export async function dryRunSend(root: string, thread: WrittenThread, signal: AbortSignal): Promise<DryRun> {
  const args = ['-C', root, ...sendEmailArgs(thread), '--dry-run', ...thread.files]
  const said = await run('git', args, { env: plainEnv(), signal, timeoutMs: 600_000 })
  const mails = [...said.stdout.matchAll(/^(?:Dry-)?(?:OK\. Log says:|Sent )/gm)].length
  if (said.code !== 0 || mails !== thread.files.length) {
    throw new LabError({
      what: 'git send-email would not send this thread',
      why:
        said.code === 0 ? `it would send ${mails} of ${thread.files.length} mails` : `exit code ${said.code}`,
      fix: 'see git help send-email; the server is set up by git config sendemail.*',
      detail: `${said.stderr}\n${said.stdout}`.trim().split('\n').slice(-20),
    })
  }
  const dir = join(cacheRoot(), 'mail')
  mkdirSync(dir, { recursive: true })
  writeAtomic(
    join(dir, `${thread.token}.json`),
    `${JSON.stringify({ shown: new Date().toISOString(), mails })}\n`,
  )
  return { output: said.stdout, mails }
}

/** Whether a dry run of these very mails was shown not long ago. */
export function wasShown(thread: WrittenThread, now: Date = new Date()): boolean {
  try {
    const file = join(cacheRoot(), 'mail', `${thread.token}.json`)
    const { shown, mails } = JSON.parse(readFileSync(file, 'utf8')) as { shown?: string; mails?: number }
    const age = now.getTime() - new Date(shown ?? '').getTime()
    return mails === thread.files.length && age >= 0 && age < DRY_RUN_COUNTS
  } catch {
    return false
  }
}

/**
 * Sends the thread by git send-email, which does what the user's git configuration says.
 *
 * @throws UsageError when no dry run of these very mails was shown.
 * @throws LabError when it fails; says which mails went out, since those cannot be taken back.
 */
export async function sendThread(root: string, thread: WrittenThread, signal: AbortSignal): Promise<void> {
  if (!wasShown(thread))
    throw new UsageError('no dry run of these very mails was shown', 'phyr mail --send git -o DIR shows it')
  const args = ['-C', root, ...sendEmailArgs(thread), ...thread.files]
  const said = await run('git', args, { env: plainEnv(), signal, timeoutMs: 3_600_000 })
  const out = [...said.stdout.matchAll(/^OK\. Log says:/gm)].length
  if (said.code === 0 && out === thread.files.length) return
  const left = thread.plan.messages.slice(out).map(({ file }) => file)
  throw new LabError({
    what: `git send-email failed after ${out} of ${thread.files.length} mails`,
    why: said.stderr.trim().split('\n').at(-1) || `exit code ${said.code}`,
    fix:
      out === 0
        ? 'nothing went out: correct git config sendemail.* and try again'
        : `send the others by hand, in this order (${left.slice(0, 3).join(', ')}...), then phyr mail --sent ${thread.plan.messages[0]?.messageId}`,
    detail: [...left.map((file) => `not sent: ${file}`), ...said.stderr.trim().split('\n').slice(-10)],
  })
}

/** git's own messages are counted: in no other language than the one they are written in. */
function plainEnv(): Record<string, string | undefined> {
  return { LC_ALL: 'C.UTF-8', LANGUAGE: undefined, GIT_DIR: undefined, GIT_WORK_TREE: undefined }
}
