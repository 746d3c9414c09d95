// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../lib/errors.ts'
import { sha256 } from '../lib/hash.ts'
import { parseAddress, type Address } from './address.ts'

const PlanFile = z.looseObject({
  kind: z.literal('phyr-mail'),
  series: z.looseObject({
    name: z.string(),
    changeId: z.string(),
    version: z.int().min(1),
    hash: z.string(),
  }),
  prefixes: z.array(z.string()),
  sender: z.string(),
  date: z.iso.datetime(),
  base: z.looseObject({ tree: z.string() }),
  messages: z
    .array(
      z.looseObject({
        number: z.int().min(0),
        file: z.string().regex(/^\d{4}-[\w.-]+\.patch$/),
        patch: z.string().nullable(),
        subject: z.string(),
        messageId: z.string(),
        to: z.array(z.string()),
        cc: z.array(z.string()),
        sha256: z.string(),
      }),
    )
    .min(1),
  forbidden: z.array(z.string()),
})

/** A thread that lies in a directory, as it was planned. */
export interface WrittenThread {
  readonly dir: string
  readonly plan: z.infer<typeof PlanFile>
  /** Paths of the mails, in the order in which they go out. */
  readonly files: readonly string[]
  /** Whose Signed-off-by each patch has, by file. */
  readonly signers: ReadonlyMap<string, readonly Address[]>
  /** Tells these very mails from all others. */
  readonly token: string
}

/**
 * Reads a directory that `phyr mail -o` wrote.
 *
 * @throws UsageError when it is none, or a mail is not what the plan says: changed by hand, missing, or one too many.
 */
export function readThread(path: string): WrittenThread {
  const dir = resolve(path)
  const again = 'write it again: phyr mail -o DIR --sign-off'
  const plan = readPlan(dir, again)
  const planned = new Set(plan.messages.map(({ file }) => file))
  for (const name of readdirSync(dir))
    if (name !== 'plan.json' && !planned.has(name))
      throw new UsageError(`${dir} holds ${JSON.stringify(name)}, which is no mail of the plan`, again)
  const signers = new Map<string, readonly Address[]>()
  for (const { file, patch, sha256: hash } of plan.messages) {
    let bytes: Buffer
    try {
      bytes = readFileSync(join(dir, file))
    } catch {
      throw new UsageError(`${dir} lacks the mail ${file}`, again)
    }
    if (sha256(bytes) !== hash) throw new UsageError(`${dir}/${file} was changed since it was written`, again)
    if (patch !== null) signers.set(file, signersIn(bytes.toString('utf8'), file))
  }
  const token = sha256(plan.messages.map(({ file, sha256: hash }) => `${file} ${hash}\n`).join(''))
  return { dir, plan, files: plan.messages.map(({ file }) => join(dir, file)), signers, token }
}

function readPlan(dir: string, fix: string): z.infer<typeof PlanFile> {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(join(dir, 'plan.json'), 'utf8'))
  } catch {
    throw new UsageError(`${dir} holds no thread of phyr mail`, fix)
  }
  const parsed = PlanFile.safeParse(json)
  if (parsed.success) return parsed.data
  throw new UsageError(`${dir}/plan.json is not one of phyr mail: ${parsed.error.issues[0]?.message}`, fix)
}

/** Signed-off-by lines between the mail's header and its ---. */
function signersIn(text: string, file: string): Address[] {
  const start = text.indexOf('\n\n')
  const end = text.indexOf('\n---\n', Math.max(0, start))
  const message = end < 0 ? '' : text.slice(start, end)
  return [...message.matchAll(/^signed-off-by:\s*(.*)$/gim)].map(([, who = '']) => parseAddress(who, file))
}
