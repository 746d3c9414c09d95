// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { git, gitEnv, gitOk } from '../base/repo.ts'
import { Finding } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import { headerFields } from '../series/mail-header.ts'

/** A mail's place: the commit that it goes on, and the tree with it. */
export interface Placed {
  readonly before: string
  readonly after: string
  /** The repository's objects, and the new ones: for git to be run with. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Applies a patch mail to the first of `candidates` that it fits, in an index and an object directory of its own:
 * the repository may be the user's, and is not written to.
 *
 * @throws Finding of stage `apply` when it fits none.
 */
export async function withMailApplied<T>(
  repo: string,
  candidates: readonly string[],
  text: string,
  use: (placed: Placed) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'phyr-mail-'))
  try {
    const objects = join(dir, 'objects')
    mkdirSync(objects)
    const common = await gitOk(repo, ['rev-parse', '--path-format=absolute', '--git-path', 'objects'])
    const env = { GIT_OBJECT_DIRECTORY: objects, GIT_ALTERNATE_OBJECT_DIRECTORIES: common }
    const own = { ...env, GIT_INDEX_FILE: join(dir, 'index') }
    let why = 'there is nothing to apply it to'
    for (const before of new Set(candidates)) {
      await gitOk(repo, ['read-tree', before], { env: own })
      const args = ['apply', '--cached', '--whitespace=nowarn', '-p1', '-']
      const applied = await git(repo, args, { env: own, input: text })
      if (applied.code === 0)
        return await use({ before, after: await gitOk(repo, ['write-tree'], { env: own }), env })
      why = applied.stderr.trim().split('\n')[0] ?? why
    }
    throw new Finding({ stage: 'apply', message: 'the patch of this mail does not apply', detail: [why] })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/**
 * A mail's text with a body as it was written: mails that came over a list may be quoted-printable or base64, and
 * have CRLF. What is 8bit already stays as it is, byte by byte.
 */
export async function plainMail(text: string): Promise<string> {
  const lines = text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text
  const fields = headerFields(lines)
  const encoding = fields.get('content-transfer-encoding')?.toLowerCase() ?? '8bit'
  if (encoding === '8bit' || encoding === '7bit') return lines
  const dir = mkdtempSync(join(tmpdir(), 'phyr-mail-'))
  try {
    const [message, patch] = [join(dir, 'message'), join(dir, 'patch')]
    writeFileSync(patch, '')
    await run('git', ['mailinfo', '--encoding=UTF-8', message, patch], { input: lines, env: gitEnv() })
    const head = ['From', 'Date', 'Subject'].flatMap((name) => {
      const value = fields.get(name.toLowerCase())
      return value === undefined ? [] : [`${name}: ${value}\n`]
    })
    return `${head.join('')}\n${readFileSync(message, 'utf8')}${readFileSync(patch, 'utf8')}`
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
