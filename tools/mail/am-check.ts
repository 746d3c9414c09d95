// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gitEnv } from '../base/repo.ts'
import { run } from '../lib/exec.ts'
import type { PatchParts } from './patch-parts.ts'
import { messageBytes, type Message } from './thread.ts'

/**
 * Reads a patch's mail as git am will, and says what would not come out as it was applied: author, subject, message,
 * diff. Undefined when all does. A changelog with a line that git takes for the beginning of the diff, for a header, or
 * for scissors (b4 has git look for them) is what this finds.
 */
export async function amDiffers(
  message: Message,
  parts: PatchParts,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const dir = mkdtempSync(join(tmpdir(), 'phyr-am-'))
  try {
    const [body, diff] = [join(dir, 'message'), join(dir, 'patch')]
    const said = await run('git', ['mailinfo', '--scissors', '--encoding=UTF-8', body, diff], {
      env: gitEnv(),
      input: messageBytes(message),
      ...(signal ? { signal } : {}),
    })
    if (said.code !== 0) return `git mailinfo refuses it: ${said.stderr.trim()}`
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(said.stdout)?.[1] ?? ''
    if (
      field('Email') !== parts.author.email ||
      field('Author') !== (parts.author.name || parts.author.email)
    ) {
      return `git am takes ${field('Author')} <${field('Email')}> for its author`
    }
    if (field('Subject') !== parts.subject)
      return `git am takes ${JSON.stringify(field('Subject'))} for its subject`
    if (readFileSync(body, 'utf8').trim() !== parts.message.trim()) {
      return 'git am takes another message than the one that was applied'
    }
    // Below the --- come notes and diffstat, which git apply skips, and the signature.
    if (!readFileSync(diff, 'utf8').includes(`\n${parts.diff}`)) return 'git am takes another diff'
    return undefined
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
