// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import { checkAddress, parseAddress, type Address } from './address.ts'

/**
 * Who sends: git's sendemail.from, else user.name and user.email, as git send-email and b4 have it, asked in the
 * project's directory.
 *
 * @throws UsageError when git knows nobody.
 */
export async function senderOf(dir: string, signal?: AbortSignal): Promise<Address> {
  const from = await setting(dir, 'sendemail.from', signal)
  if (from !== '') return parseAddress(from, 'git config sendemail.from')
  const [name, email] = [await setting(dir, 'user.name', signal), await setting(dir, 'user.email', signal)]
  if (email === '') {
    throw new UsageError(
      'git does not know who sends',
      'git config user.name NAME; git config user.email ADDRESS',
    )
  }
  return checkAddress({ name, email }, 'git config user.email')
}

/** git's version, "2.39.5": the signature of its patches. */
export async function gitVersion(signal?: AbortSignal): Promise<string> {
  const said = await run('git', ['--version'], signal ? { signal } : {})
  return /\d+(?:\.\d+)+/.exec(said.stdout)?.[0] ?? 'git'
}

async function setting(dir: string, name: string, signal: AbortSignal | undefined): Promise<string> {
  const said = await run('git', ['-C', dir, 'config', '--get', name], signal ? { signal } : {})
  return said.stdout.trim()
}
