// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { gitEnv } from '../../../tools/base/repo.ts'
import { Finding } from '../../../tools/lib/errors.ts'
import { run } from '../../../tools/lib/exec.ts'
import { amDiffers } from '../../../tools/mail/am-check.ts'
import { checkBody } from '../../../tools/mail/body.ts'
import { parseCover } from '../../../tools/mail/cover-file.ts'
import { patchParts } from '../../../tools/mail/patch-parts.ts'
import { messageBytes, type Thread } from '../../../tools/mail/thread.ts'
import { gitIn, scratch } from '../base/repo-fixture.ts'
import { fixedThread, mailProject, STEPS } from './mail-fixture.ts'

let dir: string
let remove: () => void
beforeEach(() => ({ dir, remove } = scratch()))
afterEach(() => remove())

function mbox(thread: Thread): string {
  return Buffer.concat(thread.messages.map(messageBytes)).toString()
}

/** git am of the whole mbox in a fresh clone. */
async function am(thread: Thread, linux: string): Promise<string> {
  const clone = join(dir, 'clone')
  const file = join(dir, 'thread.mbox')
  await gitIn(dir, 'clone', '-q', linux, clone)
  const patches = thread.messages.filter((message) => message.patch !== undefined)
  writeFileSync(file, Buffer.concat(patches.map(messageBytes)))
  const said = await run('git', ['am', '-q', '--whitespace=nowarn', file], { cwd: clone, env: gitEnv() })
  expect(said).toMatchObject({ code: 0, stderr: '' })
  return clone
}

describe('a thread', () => {
  test('of three patches, an RFC in its second version', async () => {
    const { applied } = await mailProject(dir, STEPS, { version: 2 })
    const thread = await fixedThread(applied, {
      prefixes: ['RFC', 'net-next'],
      history: { v1: ['20260101-phyr-v1-0-aaaaaaaaaaaa@example.org'] },
      baseCommit: applied.base.commit,
    })
    await expect(mbox(thread)).toMatchFileSnapshot('golden/three.mbox')
    expect(thread.messages.map(({ file }) => file)).toEqual([
      '0000-cover-letter.patch',
      '0001-mm-make-it-short.patch',
      '0002-block-f-r-phyr.patch',
      '0003-lib-a-file-that-nobody-maintains-with-a-subject-long.patch',
    ])
  })

  test('of one patch has the cover below its ---, and no 0000', async () => {
    const { applied, linux } = await mailProject(dir, STEPS.slice(0, 1))
    const thread = await fixedThread(applied, { baseCommit: applied.base.commit })
    expect(thread.messages).toHaveLength(1)
    await expect(mbox(thread)).toMatchFileSnapshot('golden/one.mbox')
    const clone = await am(thread, linux)
    const message = await gitIn(clone, 'log', '-1', '--format=%B')
    expect(message).not.toContain('Approach')
    expect(message).toContain('It was long.')
  })

  test('replies to the cover, and to no earlier version', async () => {
    const { applied } = await mailProject(dir, STEPS, { version: 2 })
    const thread = await fixedThread(applied)
    const header = (i: number, name: string): string | undefined =>
      thread.messages[i]?.headers.find((one) => one.name === name)?.value
    expect(header(0, 'In-Reply-To')).toBeUndefined()
    expect(header(0, 'References')).toBeUndefined()
    for (const i of [1, 2, 3]) {
      expect(header(i, 'In-Reply-To')).toBe(thread.messages[0]?.messageId)
      expect(header(i, 'References')).toBe(thread.messages[0]?.messageId)
    }
    expect(thread.messages.map((_, i) => header(i, 'Content-Transfer-Encoding'))).toEqual([
      '8bit',
      undefined,
      '8bit',
      undefined,
    ])
  })

  test('is taken by git am: the same trees, authors and messages', async () => {
    const { applied, linux } = await mailProject(dir)
    const clone = await am(await fixedThread(applied), linux)
    expect(await gitIn(clone, 'rev-parse', 'HEAD^{tree}')).toBe(applied.tree)
    const said = (at: string, tip: string): Promise<string> =>
      gitIn(at, 'log', '-3', '--format=%an%n%ae%n%B', tip)
    expect(await said(clone, 'HEAD')).toBe(await said(linux, applied.commit))
  })
})

describe('hostile patches', () => {
  /** What becomes of a changelog: the reason why it is not mailed, or undefined. */
  async function fate(message: string, edit?: (patch: string) => string): Promise<string | undefined> {
    const step = { files: { 'mm/gup.c': 'x\n' }, message, author: 'Sender Person <sender@example.org>' }
    const { applied } = await mailProject(dir, [step, ...STEPS.slice(1)], edit ? { edit } : {})
    try {
      const thread = await fixedThread(applied)
      return await amDiffers(thread.messages[1]!, (await patchParts(applied))[0]!)
    } catch (error) {
      if (error instanceof Finding) return error.message
      throw error
    }
  }

  test.each([
    ['plain', 'mm: x\n\nA paragraph.'],
    ['indented marks', 'mm: x\n\n  ---\n  diff --git a/x b/x\n  From me Mon Sep 17 00:00:00 2001\n\n .\n..'],
    ['a quoted From', 'mm: x\n\n>From somebody.'],
    ['brackets', 'mm: x [y] z\n\n[note: this]'],
  ])('%s are mailed', async (_, message) => {
    expect(await fate(message)).toBeUndefined()
  })

  test.each([
    ['From at the beginning of a line', 'mm: x\n\nText\nFrom here on it is bad.', /begins with "From "/],
    [
      'a mbox separator',
      'mm: x\n\nText\n\nFrom a@example.org Mon Sep 17 00:00:00 2001\nSubject: y',
      /begins with "From "/,
    ],
    ['a long line', `mm: x\n\n${'ä'.repeat(500)}`, /has 1000 bytes/],
    ['a carriage return', 'mm: x\n\nText\rmore', /carriage return/],
    ['another author in the first line', 'mm: x\n\nFrom: Evil <evil@example.org>\n\nText', undefined],
    ['scissors', 'mm: x\n\nText\n\n-- >8 --\n\nMore', /another (?:message|subject)|for its subject/],
  ])('%s', async (_, message, why) => {
    const said = await fate(message)
    // What git took for the author when it applied the patch is the author of the mail: nothing is hidden.
    if (why === undefined) expect(said).toBeUndefined()
    else expect(said).toMatch(why)
  })

  test('a changelog that would change the author when it is read again', async () => {
    // The first From: is the author's own, which the sender's mail does not repeat; the second would take its place.
    const said = await fate('mm: x\n\nText', (patch) =>
      patch.replace(
        '\nText',
        '\nFrom: Sender Person <sender@example.org>\n\nFrom: Evil <evil@example.org>\n\nText',
      ),
    )
    expect(said).toMatch(/git am takes Evil <evil@example.org> for its author/)
  })

  test('folded headers of a stored patch are read', async () => {
    const said = await fate('mm: x\n\nText', (patch) =>
      patch.replace(/^Subject: .*$/m, 'Subject: [PATCH 1/9]\n\tmm: a subject\n that is\n folded'),
    )
    expect(said).toBeUndefined()
  })

  test('a subject cannot bring headers of its own', async () => {
    const evil = Buffer.from('mm: x\nBcc: evil@example.org').toString('base64')
    const { applied } = await mailProject(dir, STEPS, {
      edit: (patch) => patch.replace(/^Subject: .*\n(?: .*\n)*/m, `Subject: [PATCH] =?UTF-8?b?${evil}?=\n`),
    })
    const bytes = messageBytes((await fixedThread(applied)).messages[1]!).toString()
    expect(bytes.slice(0, bytes.indexOf('\n\n'))).not.toMatch(/^Bcc:/m)
  })

  test('bodies', () => {
    expect(() => checkBody('a\0b', 'x')).toThrow(/NUL/)
    expect(() => checkBody('x'.repeat(998), 'x')).not.toThrow()
    expect(() => checkBody(`ok\n${'x'.repeat(999)}`, 'x')).toThrow(/line 2 of its body has 999 bytes/)
  })

  test('a removed line "- " is no signature', async () => {
    const { applied, linux } = await mailProject(dir, [
      { files: { 'mm/gup.c': 'a\n- \nb\nc\n' }, message: 'mm: add' },
      { files: { 'mm/gup.c': 'a\nb\nc\n' }, message: 'mm: remove' },
      { files: { 'mm/gup.c': 'a\n- \n-- \n', bin: 'a\0b\0'.repeat(200) }, message: 'mm: binary' },
    ])
    const clone = await am(await fixedThread(applied), linux)
    expect(await gitIn(clone, 'rev-parse', 'HEAD^{tree}')).toBe(applied.tree)
  })
})

describe('patches/cover.md', () => {
  test('comes apart', () => {
    const cover = parseCover(
      '# title: x\n\nText\n---\nmore\n\n## Later\n\nlast\n\n## Changes in v3\n\n- c\n\n## Changes in v2:\n\n- b\n\nCc: A <a@example.org>\n',
    )
    expect(cover.subject).toBe('title: x')
    expect(cover.blurb).toBe('Text\n- - -\nmore\n\nLater\n=====\n\nlast')
    expect(cover.changes).toBe('Changes in v3:\n- c\n\nChanges in v2:\n- b')
    expect(cover.cc).toEqual([{ name: 'A', email: 'a@example.org' }])
  })

  test.each([
    ['no title', 'text', /no title/],
    ['only a title', '# x\n', /nothing else/],
    ['not finished', '# x\n\nEDITME: say why', /EDITME/],
    ['a bad address', '# x\n\nText\n\nCc: nobody', /no mail address/],
  ])('%s is refused', (_, text, why) => {
    expect(() => parseCover(text)).toThrow(why)
  })
})

test('a patch is taken apart as it was applied', async () => {
  mkdirSync(join(dir, 'x'))
  const { applied } = await mailProject(join(dir, 'x'))
  const [first, second, third] = await patchParts(applied)
  expect(second).toMatchObject({
    subject: 'block: für phyr',
    author: { name: 'Jörg Ä', email: 'joerg@example.org' },
  })
  expect(third).toMatchObject({ message: '', notes: '', author: { name: 'Other, Person' } })
  expect(first?.stat).toMatch(/^ mm\/gup\.c \| 22 /)
  expect(first?.diff.startsWith('diff --git a/mm/gup.c b/mm/gup.c\n')).toBe(true)
})
