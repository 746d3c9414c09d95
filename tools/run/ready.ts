// SPDX-License-Identifier: GPL-2.0-only
import { examine, isComplete, lacking } from '../doctor/doctor.ts'
import { install } from '../doctor/install.ts'
import { LabError } from '../lib/errors.ts'

/**
 * Makes sure that this machine has what the lab needs, and what these suites or verbs need beside it, installing it where that
 * works without asking.
 *
 * @throws LabError with the one line to run, where it does not.
 */
export async function ready(signal: AbortSignal, users: readonly string[] = []): Promise<void> {
  const rows = await examine({ signal })
  if (isComplete(rows, users)) return
  const done = await install(rows, { signal })
  const now = await examine({ signal })
  if (isComplete(now, users)) return
  const left = lacking(now).filter((row) => !isComplete([row], users))
  const names = left.map((row) => `${row.requirement.name} (${row.requirement.purpose})`)
  throw new LabError({
    what: 'this machine lacks what the lab needs',
    why: names.join('; '),
    fix: done.how === 'ask' ? done.line : './phyr doctor shows what is missing',
  })
}
