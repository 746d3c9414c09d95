// SPDX-License-Identifier: GPL-2.0-only
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '../lib/errors.ts'
import { messageBytes, type Thread } from './thread.ts'

/** What a directory of ours has to say of itself in its plan.json. */
const KIND = 'phyr-mail'

/**
 * Writes the thread and its plan into `dir`, in place of what an earlier call left there.
 *
 * @throws UsageError when `dir` holds anything else.
 */
export function writeThread(dir: string, thread: Thread, plan: object): string {
  const target = resolve(dir)
  const old = ownFiles(target)
  mkdirSync(dirname(target), { recursive: true })
  // Whole or not at all: half a thread must not be sent.
  const tmp = mkdtempSync(join(dirname(target), '.phyr-mail-'))
  try {
    for (const message of thread.messages) writeFileSync(join(tmp, message.file), messageBytes(message))
    writeFileSync(join(tmp, 'plan.json'), `${JSON.stringify({ kind: KIND, ...plan }, null, 2)}\n`)
    mkdirSync(target, { recursive: true })
    for (const name of old) rmSync(join(target, name))
    for (const name of readdirSync(tmp)) renameSync(join(tmp, name), join(target, name))
  } finally {
    rmSync(tmp, { recursive: true, force: true })
  }
  return target
}

/** The files of ours in a directory; none when it is empty or not there. */
function ownFiles(dir: string): string[] {
  if (!existsSync(dir)) return []
  if (!lstatSync(dir).isDirectory())
    throw new UsageError(`${dir} is no directory`, 'give -o a new or an empty one')
  const names = readdirSync(dir)
  if (names.length === 0) return []
  const foreign = names.find((name) => name !== 'plan.json' && !/^\d{4}-[\w.-]+\.patch$/.test(name))
  if (foreign === undefined && isOurs(join(dir, 'plan.json'))) return names
  throw new UsageError(
    `${dir} is not empty, and phyr mail did not make ${foreign ?? 'it'}`,
    'give -o a new or an empty directory',
  )
}

function isOurs(file: string): boolean {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { kind?: unknown } | null)?.kind === KIND
  } catch {
    return false
  }
}
