// SPDX-License-Identifier: GPL-2.0-only
import { shellLine } from './exec.ts'

/** Set by -n: nothing is downloaded, built or booted; the command that would be is printed instead. */
export const dryRun = { on: false }

/** A stage stopped where its work would have begun, because of -n. */
export class DryRunEnd extends Error {
  override readonly name = 'DryRunEnd'
}

/**
 * To be called right before a stage's real work with the command that does it. With -n the exact command goes to
 * stdout and the stage ends there, leaving nothing behind.
 *
 * @throws DryRunEnd with -n.
 */
export function beforeWork(file: string, args: readonly string[]): void {
  if (!dryRun.on) return
  process.stdout.write(`${shellLine(file, args)}\n`)
  throw new DryRunEnd(`${file} would be run`)
}
