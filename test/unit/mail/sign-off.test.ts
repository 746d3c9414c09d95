// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../../tools/lib/exec.ts'
import { UsageError } from '../../../tools/lib/errors.ts'
import { signerOf, signersOf, signOff, whyNoSigner } from '../../../tools/mail/sign-off.ts'
import type { Message, Thread } from '../../../tools/mail/thread.ts'

const ADA = { name: 'Ada Lovelace', email: 'ada@kernel.test' }

function mail(body: string, patch: string | undefined = '0001-x.patch'): Message {
  const rest = {
    number: 1,
    file: '0001-x.patch',
    subject: 'x',
    messageId: '<a@b>',
    commit: '0',
    to: [],
    cc: [],
  }
  return { ...rest, headers: [], body, ...(patch === undefined ? {} : { patch }) }
}

function signed(body: string): string {
  const thread: Thread = {
    version: 1,
    changeId: 'x',
    prefixes: [],
    sender: ADA,
    date: new Date(0),
    messages: [mail(body)],
  }
  const once = signOff(thread, ADA)
  expect(signOff(once, ADA)).toEqual(once)
  return once.messages[0]!.body
}

const DIFF = '---\n a | 1 +\n\ndiff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -0,0 +1 @@\n+x\n-- \n2.39\n\n'
const SOB = 'Signed-off-by: Ada Lovelace <ada@kernel.test>\n'

describe('the last trailer of a patch', () => {
  test.each([
    ['behind the other trailers', 'Why.\n\nAssisted-by: LLM\n', `Why.\n\nAssisted-by: LLM\n${SOB}`],
    ['in a paragraph of its own', 'Why.\n', `Why.\n\n${SOB}`],
    ['where the patch says nothing', '', SOB],
    ['below an in-body From', 'From: X <x@y.test>\n\n', `From: X <x@y.test>\n\n${SOB}`],
    [
      'a text that only looks like a trailer above',
      'Note: this\nis text.\n',
      `Note: this\nis text.\n\n${SOB}`,
    ],
    ['blank lines at the end', 'Why.\n\nCc: a@b.test\n\n\n', `Why.\n\nCc: a@b.test\n${SOB}`],
    ['a folded trailer', 'W\n\nFixes: 0123 ("a\n b")\n', `W\n\nFixes: 0123 ("a\n b")\n${SOB}`],
    [
      'behind another human',
      'W\n\nSigned-off-by: Bob <bob@kernel.test>\n',
      `W\n\nSigned-off-by: Bob <bob@kernel.test>\n${SOB}`,
    ],
    [
      'last, though the same person is further up',
      `W\n\n${SOB}Reviewed-by: Bob <bob@kernel.test>\n`,
      `W\n\n${SOB}Reviewed-by: Bob <bob@kernel.test>\n${SOB}`,
    ],
  ])('%s', (_, message, want) => {
    expect(signed(`${message}${DIFF}`)).toBe(`${want}${DIFF}`)
  })

  test('a --- and a Signed-off-by inside the diff are left alone', () => {
    const body = `W\n---\n a | 1 +\n\ndiff --git a/a b/a\n+---\n+Signed-off-by: phyr <x@y>\n-- \n2.39\n\n`
    expect(signed(body)).toBe(body.replace('W\n', `W\n\n${SOB}`))
  })

  test('the cover letter gets none', () => {
    const cover = mail('text\n\n---\nchangelog\n')
    const { patch: _, ...plain } = cover
    const thread = {
      version: 1,
      changeId: 'x',
      prefixes: [],
      sender: ADA,
      date: new Date(0),
      messages: [plain],
    }
    expect(signOff(thread, ADA)).toEqual(thread)
  })

  test("a tool's is refused", () => {
    for (const tool of [
      'phyr <phyr@kernel.test>',
      'dependabot[bot] <d@x.test>',
      'X <x@users.noreply.host.test>',
    ])
      expect(() => signed(`W\n\nSigned-off-by: ${tool}\n${DIFF}`)).toThrow(/only humans|signed off by/)
  })
})

test('signersOf finds those above the --- only', () => {
  expect(signersOf(mail(`W\n\n${SOB}---\nSigned-off-by: B <b@c.test>\n`))).toEqual([ADA])
  expect(signersOf(mail('no line at all'))).toEqual([])
})

test.each([
  ['Ada', 'ada@users.noreply.hub.test'],
  ['Ada', 'no-reply@x.test'],
  ['Ada', 'noreply@x.test'],
  ['Ada', 'ada@localhost'],
  ['Ada', 'ada@box.local'],
  ['Ada', 'ada@myhost'],
  ['', 'ada@kernel.test'],
  ['build bot', 'x@kernel.test'],
  ['github-actions[bot]', 'x@kernel.test'],
  ['Claude', 'x@kernel.test'],
  ['Claude Code', 'x@kernel.test'],
  ['Gemini 3.5', 'x@kernel.test'],
  ['root', 'x@kernel.test'],
  ['Ada', 'ci@kernel.test'],
])('%s <%s> is no human that could sign', (name, email) => {
  expect(whyNoSigner({ name, email })).toBeDefined()
})

test.each([
  ['Ada Lovelace', 'ada@kernel.test'],
  ['Jörg Ä', 'j.a@sub.example.org'],
  ['Abbott Botkin', 'abbott@x.org'],
  ['Ai-Ling Chen', 'ailing@x.org'],
  ['Claude Shannon', 'cs@x.org'],
])('%s <%s> can', (name, email) => {
  expect(whyNoSigner({ name, email })).toBeUndefined()
})

describe('signerOf', () => {
  let dir: string
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'phyr-signer-'))
    await run('git', ['init', '-q', dir])
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const set = (name: string, value: string): Promise<unknown> =>
    run('git', ['-C', dir, 'config', name, value])

  test("git's configured identity", async () => {
    await set('user.name', 'Ada Lovelace')
    await set('user.email', 'ada@kernel.test')
    expect(await signerOf(dir)).toEqual(ADA)
  })

  test('refuses one that is not set, and a tool', async () => {
    await set('user.name', '')
    await set('user.email', '')
    await expect(signerOf(dir)).rejects.toBeInstanceOf(UsageError)
    await set('user.name', 'Ada')
    await set('user.email', 'ada@users.noreply.hub.test')
    await expect(signerOf(dir)).rejects.toThrow(/a human has to sign off/)
  })
})
