// SPDX-License-Identifier: GPL-2.0-only
import type { Base } from '../base/base.ts'
import { git } from '../base/repo.ts'
import { LabError } from '../lib/errors.ts'
import type { KnownWords } from './symbol-needs.ts'

/**
 * Looks words up in include/ of the base, where members of structs are that more than one subsystem knows of.
 *
 * @throws LabError when git grep fails.
 */
export function knownWords(base: Base, signal: AbortSignal | undefined): KnownWords {
  return async (words) => {
    if (words.length === 0) return new Set()
    // One pattern: git looks for one after the other otherwise.
    const pattern = `\\b(?:${words.join('|')})\\b`
    const args = ['grep', '-h', '-o', '-P', pattern, base.commit, '--', 'include/*.h']
    const { code, stdout, stderr } = await git(base.repo, args, signal ? { signal } : {})
    if (code > 1) {
      throw new LabError({ what: 'git grep failed', why: stderr.trim(), fix: 'see -v' })
    }
    return new Set(stdout.split('\n').filter(Boolean))
  }
}
