// SPDX-License-Identifier: GPL-2.0-only
import { run } from '../lib/exec.ts'

/**
 * A command line that ends with us even if we are killed and can end nothing any more: a guest that hangs would keep the
 * processors busy for ever. util-linux's setpriv asks the kernel for it (PR_SET_PDEATHSIG); where there is no such
 * setpriv the program runs without.
 */
export async function leashed(
  program: string,
  args: readonly string[],
): Promise<{ file: string; args: readonly string[] }> {
  works ??= tryIt()
  return (await works)
    ? { file: 'setpriv', args: ['--pdeathsig', 'KILL', '--', program, ...args] }
    : { file: program, args }
}

/** The answer cannot change while we run. */
let works: Promise<boolean> | undefined

async function tryIt(): Promise<boolean> {
  try {
    return (await run('setpriv', ['--pdeathsig', 'KILL', '--', 'true'], { timeoutMs: 5_000 })).code === 0
  } catch {
    return false // not installed
  }
}
