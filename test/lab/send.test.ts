// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { run, runOk } from '../../tools/lib/exec.ts'
import { sha256 } from '../../tools/lib/hash.ts'
import { findProject, type Project } from '../../tools/lib/project.ts'
import { sendDirectory, type SendAnswer } from '../../tools/mail/send-dir.ts'
import { sentVersions } from '../../tools/mail/sent.ts'
import { applySeries } from '../../tools/series/apply.ts'
import type { Applied } from '../../tools/series/series.ts'
import { scratch } from '../unit/base/repo-fixture.ts'
import { makeSeries } from '../unit/series/series-fixture.ts'
import { SmtpSink } from './smtp-sink.ts'

let dir: string
let remove: () => void
let applied: Applied
let project: Project
let sink: SmtpSink
const SIGNER = 'Ada Lovelace <ada@kernel.test>'
const signal = new AbortController().signal
let home: string | undefined

beforeAll(async () => {
  ;({ dir, remove } = scratch())
  // Nothing of the user's configuration: this must reach no server but the one here.
  home = process.env['HOME']
  process.env['HOME'] = dir
  const { base, series } = await makeSeries(dir)
  applied = await applySeries(base, series)
  project = findProject(dir)
  await runOk('git', ['init', '-q', dir])
})
afterAll(() => {
  if (home !== undefined) process.env['HOME'] = home
  remove()
})
beforeEach(async () => {
  for (const left of ['out', 'clone', 'patches/sent', 'cache/mail'])
    rmSync(join(dir, left), { recursive: true, force: true })
  await serve(await SmtpSink.start())
})
afterEach(() => sink.stop())

async function serve(server: SmtpSink): Promise<void> {
  sink = server
  const settings = {
    'user.name': 'Ada Lovelace',
    'user.email': 'ada@kernel.test',
    'sendemail.smtpserver': '127.0.0.1',
    'sendemail.smtpserverport': `${server.port}`,
    'sendemail.smtpencryption': '',
  }
  for (const [name, value] of Object.entries(settings))
    await runOk('git', ['-C', dir, 'config', '--local', name, value])
}

/** A thread as phyr mail -o writes it: a cover letter and a mail a patch. */
function write(
  change: (mails: Map<string, string>, plan: Record<string, unknown>) => void = () => {},
): string {
  const out = join(dir, 'out')
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out)
  const mails = new Map<string, string>()
  const id = (n: number): string => `<20261121-x-v1-${n}-0123456789ab@kernel.test>`
  const head = (n: number, subject: string): string =>
    `From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\nFrom: ${SIGNER}\n` +
    `Date: Sat, 21 Nov 2026 12:00:0${n} +0000\nSubject: [PATCH ${n}/3] ${subject}\nMIME-Version: 1.0\n` +
    `Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nMessage-ID: ${id(n)}\n` +
    (n === 0 ? '' : `In-Reply-To: ${id(0)}\nReferences: ${id(0)}\n`) +
    `To: Maintainer <m@kernel.test>\nCc: list@kernel.test\n\n`
  mails.set('0000-cover-letter.patch', `${head(0, 'cover')}Why: größer.\n.\n\n-- \n2.39\n\n`)
  for (const [i, patch] of applied.series.patches.entries()) {
    const diff = patch.text.slice(patch.text.indexOf('\ndiff --git') + 1)
    const body = `Cc: stranger@elsewhere.test\nReported-by: R <r@elsewhere.test>\nSigned-off-by: ${SIGNER}\n---\n\n${diff}-- \n2.39\n\n`
    mails.set(`000${i + 1}-x.patch`, `${head(i + 1, `x${i}`)}Für.\n\n${body}`)
  }
  const plan: Record<string, unknown> = {
    kind: 'phyr-mail',
    schema: 1,
    series: {
      name: 'phyr',
      changeId: applied.series.changeId,
      version: 1,
      hash: applied.series.hash,
      patches: 3,
    },
    prefixes: [],
    sender: SIGNER,
    date: '2026-11-21T12:00:00.000Z',
    base: { tree: applied.base.identity.tree },
    forbidden: [],
  }
  change(mails, plan)
  plan['messages'] ??= [...mails].map(([file, text], i) => ({
    number: i,
    file,
    patch: i === 0 ? null : applied.series.patches[i - 1]!.file,
    subject: 'x',
    messageId: id(i),
    to: ['Maintainer <m@kernel.test>'],
    cc: ['list@kernel.test'],
    sha256: sha256(text),
  }))
  for (const [file, text] of mails) writeFileSync(join(out, file), text)
  writeFileSync(join(out, 'plan.json'), JSON.stringify(plan))
  return out
}

async function send(yes?: string, forbidden: readonly string[] = []): Promise<SendAnswer> {
  const choice = { dir: join(dir, 'out'), yes, ask: false, group: undefined }
  return sendDirectory(project, applied, { forbidden }, choice, signal)
}

test('first it is shown, then it goes out byte by byte, to those who are named and to nobody else, and is kept', async () => {
  const out = write()
  expect(await send()).toEqual({ outcome: 'shown', mails: 4, forbidden: [], kept: null })
  expect(sink.received).toEqual([])
  expect(existsSync(join(dir, 'patches/sent'))).toBe(false)
  expect(await send('4-messages')).toMatchObject({
    outcome: 'sent',
    mails: 4,
    kept: join(dir, 'patches/sent/v1'),
  })
  expect(sink.received.map(({ from, to }) => [from, to])).toEqual(
    Array.from({ length: 4 }, () => ['ada@kernel.test', ['m@kernel.test', 'list@kernel.test']]),
  )
  for (const [i, file] of readdirSync(out)
    .filter((n) => n.endsWith('.patch'))
    .entries()) {
    const text = readFileSync(join(out, file), 'utf8')
    const got = sink.received[i]!.data
    expect(bodyOf(got)).toBe(bodyOf(text))
    for (const name of ['Message-ID', 'In-Reply-To', 'References', 'Subject', 'From', 'To', 'Cc'])
      expect(headerOf(got, name)).toBe(headerOf(text, name))
  }
  const [kept] = sentVersions(project.patches, applied.series.changeId)
  expect(kept).toMatchObject({ version: 1, messageId: '20261121-x-v1-0-0123456789ab@kernel.test' })
  expect(readdirSync(join(kept!.dir, 'mail'))).toEqual(readdirSync(out))
})

describe('nothing goes out', () => {
  afterEach(() => expect(sink.received).toEqual([]))

  test('without a dry run of these very mails', async () => {
    write()
    await expect(send('4')).rejects.toThrow(/no dry run/)
    await send()
    write(
      (mails) => void mails.set('0000-cover-letter.patch', `${mails.get('0000-cover-letter.patch')}more\n`),
    )
    await expect(send('4')).rejects.toThrow(/no dry run/)
  })

  test('with another number of mails', async () => {
    write()
    await send()
    await expect(send('3')).rejects.toThrow(/has 4 mails/)
    await expect(send('yes')).rejects.toThrow(/takes the number/)
  })

  test('when a mail was changed, is missing, or is one too many', async () => {
    const out = write()
    await send()
    writeFileSync(join(out, '0002-x.patch'), 'changed')
    await expect(send('4')).rejects.toThrow(/was changed since/)
    rmSync(join(out, '0002-x.patch'))
    await expect(send('4')).rejects.toThrow(/lacks the mail/)
    write()
    writeFileSync(join(out, '0009-x.patch'), '')
    await expect(send('4')).rejects.toThrow(/is no mail of the plan/)
  })

  test("without the human's Signed-off-by in each patch, or with a tool's", async () => {
    const without = (text: string): string => text.replace(`Signed-off-by: ${SIGNER}\n`, '')
    write((mails) => void mails.set('0002-x.patch', without(mails.get('0002-x.patch')!)))
    expect((await send()).forbidden).toEqual([
      expect.stringMatching(/0002-x\.patch: has no Signed-off-by of Ada/),
    ])
    write((mails) => {
      const tool = mails
        .get('0003-x.patch')!
        .replace('Signed-off-by', 'Signed-off-by: phyr <p@kernel.test>\nSigned-off-by')
      mails.set('0003-x.patch', tool)
    })
    expect((await send()).forbidden).toEqual([expect.stringMatching(/signed off by no human/)])
    // A Signed-off-by in the diff is none.
    write((mails) => {
      const text = without(mails.get('0001-x.patch')!).replace('\ndiff', `\nSigned-off-by: ${SIGNER}\ndiff`)
      mails.set('0001-x.patch', text)
    })
    expect((await send()).outcome).toBe('forbidden')
  })

  test('when something forbids it: then, now, other patches, another version or base', async () => {
    write((_, plan) => void (plan['forbidden'] = ['no proof']))
    expect((await send()).forbidden).toEqual(['no proof'])
    write()
    expect((await send(undefined, ['the proof is stale'])).forbidden).toEqual(['the proof is stale'])
    await send()
    // What was shown does not count any more either.
    expect((await send('4', ['the proof is stale'])).outcome).toBe('forbidden')
    const series = { name: 'phyr', changeId: 'x', version: 2, hash: 'f00', patches: 3 }
    write((_, plan) => Object.assign(plan, { series, base: { tree: 'other' } }))
    expect((await send()).forbidden).toHaveLength(3)
  })

  test('when git does not know a human', async () => {
    write()
    await runOk('git', ['-C', dir, 'config', '--local', 'user.email', 'ada@users.noreply.hub.test'])
    await expect(send()).rejects.toThrow(/human has to sign off/)
  })
})

test('a server that stops in the middle: which mails went out is said, and the version is not marked', async () => {
  await sink.stop()
  await serve(await SmtpSink.start(2))
  write()
  await send()
  const error = (await send('4').catch((e: unknown) => e)) as { what: string; detail: readonly string[] }
  expect(error.what).toMatch(/failed after 2 of 4 mails/)
  expect(error.detail).toContain('not sent: 0002-x.patch')
  expect(sink.received).toHaveLength(2)
  expect(existsSync(join(dir, 'patches/sent'))).toBe(false)
})

test('what came over the wire is what git am takes', async () => {
  write()
  await send()
  await send('4')
  const tree = join(dir, 'clone')
  await runOk('git', ['clone', '-q', join(dir, 'linux'), tree])
  const mbox = join(dir, 'mbox')
  const from = 'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n'
  writeFileSync(
    mbox,
    sink.received
      .slice(1)
      .map(({ data }) => `${from}${data}\n`)
      .join(''),
  )
  const who = ['-c', 'user.name=x', '-c', 'user.email=x@y.test']
  await runOk('git', ['-C', tree, ...who, 'am', '-q', mbox])
  const made = (await run('git', ['-C', tree, 'rev-parse', 'HEAD^{tree}'])).stdout.trim()
  expect(made).toBe(applied.tree)
})

function bodyOf(text: string): string {
  return text.slice(text.indexOf('\n\n'))
}

function headerOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)$`, 'im').exec(text.slice(0, text.indexOf('\n\n')))?.[1]
}
