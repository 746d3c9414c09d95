// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import { addressKey, addressText, checkAddress, parseAddress, type Address } from './address.ts'
import type { Message, Thread } from './thread.ts'

/** Addresses at which nobody reads mail: those of hosting services, of machines, and reserved ones (RFC 2606). */
const NOBODY = /no-?reply|do-?not-?reply|@localhost$|@[^.]+$|\.(?:local|localdomain|invalid)$/i

/** Names of programs and roles; a Signed-off-by is a person's word about where a patch comes from (DCO). */
const TOOL =
  /\[bot\]|(?:^|[\W_])(?:bot|robot|phyr|gpt|chatgpt|copilot|codex|llm|assistant|automation|buildbot|jenkins|root|nobody)(?:$|[\W_])/i

/** Names of models that people have as well: as the whole name, with nothing or a product's word behind. */
const MODEL = /^(?:claude|gemini|llama|grok|ai|ci|agent|user)(?:[\s_-]+(?:ai|bot|code|cli|agent|[\d.]+))*$/i

/** Why an identity cannot sign a patch off; undefined when it can. */
export function whyNoSigner({ name, email }: Address): string | undefined {
  if (NOBODY.test(email)) return `nobody reads mail at ${email}`
  if (name.trim() === '') return `${email} has no name`
  const local = email.split('@')[0] ?? ''
  if ([name.trim(), local].some((text) => TOOL.test(text) || MODEL.test(text)))
    return `${name} <${email}> is a tool or a role`
  return undefined
}

/**
 * The human who signs off: git's user.name and user.email, which have to be set; nothing is guessed from the machine.
 *
 * @throws UsageError when one is not set, or it is no human's.
 */
export async function signerOf(dir: string, signal?: AbortSignal): Promise<Address> {
  const setting = async (name: string): Promise<string> => {
    const said = await run('git', ['-C', dir, 'config', '--get', name], signal ? { signal } : {})
    return said.stdout.trim()
  }
  const [name, email] = [await setting('user.name'), await setting('user.email')]
  const fix = 'git config user.name "Your Name"; git config user.email you@...'
  if (name === '' || email === '')
    throw new UsageError(
      `git does not know who signs off: user.${name === '' ? 'name' : 'email'} is not set`,
      fix,
    )
  const signer = checkAddress({ name, email }, 'git config user.email')
  const why = whyNoSigner(signer)
  if (why !== undefined) throw new UsageError(`a human has to sign off: ${why}`, fix)
  return signer
}

/** The line that a signer adds. */
export function signOffLine(signer: Address): string {
  return `Signed-off-by: ${signer.name} <${signer.email}>`
}

const SIGNED = /^signed-off-by:\s*(.*)$/i

/** Who signed a mail off, in order: the trailers above the ---. */
export function signersOf(message: Message): Address[] {
  return aboveTheLine(message.body).flatMap((line) => {
    const text = SIGNED.exec(line)?.[1]
    return text === undefined ? [] : [parseAddress(text, message.file)]
  })
}

/**
 * The thread with the signer's Signed-off-by as the last trailer of every patch. The cover letter has none, and the
 * stored patches stay as they are. Done twice it is the same.
 *
 * @throws UsageError when a patch has the Signed-off-by of a tool.
 */
export function signOff(thread: Thread, signer: Address): Thread {
  return { ...thread, messages: thread.messages.map((message) => signOne(message, signer)) }
}

function signOne(message: Message, signer: Address): Message {
  if (message.patch === undefined) return message
  const signers = signersOf(message)
  for (const other of signers) {
    const why = whyNoSigner(other)
    if (why !== undefined) {
      throw new UsageError(
        `${message.patch} is signed off by ${addressText(other)}: ${why}`,
        'take that line out: only humans can sign off',
      )
    }
  }
  const last = signers.at(-1)
  const lines = aboveTheLine(message.body)
  if (last && addressKey(last) === addressKey(signer) && SIGNED.test(lastLine(lines))) return message
  const rest = message.body.slice(lines.map((line) => `${line}\n`).join('').length)
  while (lines.at(-1) === '') lines.pop()
  if (!endsInTrailers(lines)) lines.push('')
  // A patch without a word above the --- begins with its trailer.
  if (lines.length === 1 && lines[0] === '') lines.pop()
  lines.push(signOffLine(signer))
  return { ...message, body: `${lines.join('\n')}\n${rest}` }
}

function lastLine(lines: readonly string[]): string {
  return lines.findLast((line) => line !== '') ?? ''
}

/** The lines of the commit's message, as git am takes them: up to the ---. */
function aboveTheLine(body: string): string[] {
  const lines = body.split('\n')
  const end = lines.indexOf('---')
  return end < 0 ? [] : lines.slice(0, end)
}

/** Whether the last paragraph is nothing but trailers. The in-body From line is a header and none. */
function endsInTrailers(lines: readonly string[]): boolean {
  const start = lines.lastIndexOf('') + 1
  const block = lines.slice(start)
  if (start === 0 && block[0]?.startsWith('From: ')) return false
  return (
    block.length > 0 &&
    block.every((line, i) => /^[A-Za-z][\w-]*: \S/.test(line) || (i > 0 && /^\s+\S/.test(line)))
  )
}
