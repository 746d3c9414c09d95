// SPDX-License-Identifier: GPL-2.0-only
// The mails of the series, before the programs that will read them: git am, b4, git send-email.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gitEnv } from '../../tools/base/repo.ts'
import { run, runOk } from '../../tools/lib/exec.ts'
import { which } from '../../tools/lib/which.ts'
import { findProject } from '../../tools/lib/project.ts'
import { toolRoot } from '../../tools/lib/paths.ts'
import { parseAddress } from '../../tools/mail/address.ts'
import type { MailPlan } from '../../tools/mail/plan.ts'
import { readTracking } from '../../tools/mail/tracking.ts'
import { getApplied } from '../../tools/run/sources.ts'
import type { Applied } from '../../tools/series/series.ts'
import { phyr } from './lab.ts'
import { SmtpSink } from './smtp-sink.ts'

const DATE = '2026-11-21T13:00:00Z'

let scratch: string
let out: string
let applied: Applied
let plan: MailPlan
let files: string[]

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'phyr-mail-'))
  out = join(scratch, 'out')
  const said = await phyr(['mail', '-q', '-o', out, '--no-check', '--date', DATE, '--seed', 'lab', '--json'])
  plan = JSON.parse(said.stdout) as MailPlan
  // Without phyr check (which has its own tests, and takes minutes) it must not be mailed; the files are there.
  expect(said.code, said.stderr).toBe(1)
  expect(plan.forbidden).toContain('phyr check was not asked')
  files = readdirSync(out).filter((name) => name.endsWith('.patch'))
  applied = await getApplied(findProject(toolRoot), {}, new AbortController().signal)
})
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** A clean checkout of the base, with the files that the series touches. */
async function checkout(name: string): Promise<string> {
  const dir = join(scratch, name)
  const git = async (...args: string[]): Promise<string> => runOk('git', args, { cwd: dir, env: gitEnv() })
  mkdirSync(dir)
  await git('init', '-q', '--template=')
  writeFileSync(join(dir, '.git/objects/info/alternates'), `${applied.base.repo}/objects\n`)
  await git('update-ref', 'refs/heads/master', applied.base.commit)
  const paths = [...new Set(applied.commits.flatMap(({ patch }) => patch.paths))]
  await git('sparse-checkout', 'set', '--no-cone', ...paths.map((path) => `/${path}`))
  await git('checkout', '-q', 'master')
  return dir
}

async function trees(dir: string): Promise<string[]> {
  const listed = await runOk('git', ['log', '--reverse', '--format=%T', `${applied.base.commit}..HEAD`], {
    cwd: dir,
    env: gitEnv(),
  })
  return listed.split('\n')
}

async function appliedTrees(): Promise<string[]> {
  return Promise.all(
    applied.commits.map(({ commit }) =>
      runOk('git', [`--git-dir=${applied.base.repo}`, 'rev-parse', `${commit}^{tree}`], { env: gitEnv() }),
    ),
  )
}

/** All mails in one file, as one downloads them. */
function mbox(): string {
  const file = join(scratch, 'thread.mbox')
  writeFileSync(file, Buffer.concat(files.map((name) => readFileSync(join(out, name)))))
  return file
}

/** The settings of somebody who reads and sends: b4 and git send-email want to know who they work for. */
function reader(): Record<string, string | undefined> {
  const { name, email } = parseAddress(plan.sender, 'plan.json')
  const config = join(scratch, 'gitconfig')
  writeFileSync(config, `[user]\n\tname = ${name}\n\temail = ${email}\n`)
  const own = ['AUTHOR', 'COMMITTER'].flatMap((who) => [`GIT_${who}_NAME`, `GIT_${who}_EMAIL`])
  return {
    ...gitEnv(),
    ...Object.fromEntries(own.map((variable) => [variable, undefined])),
    GIT_CONFIG_GLOBAL: config,
    HOME: scratch,
    XDG_CACHE_HOME: join(scratch, 'xdg-cache'),
    XDG_DATA_HOME: join(scratch, 'xdg-data'),
    XDG_CONFIG_HOME: join(scratch, 'xdg-config'),
  }
}

/** b4 without network and without a terminal. */
async function b4(args: readonly string[], cwd: string): Promise<{ code: number; text: string }> {
  const said = await run('b4', ['-n', '--offline-mode', ...args], { cwd, env: reader(), timeoutMs: 200_000 })
  return { code: said.code, text: `${said.stdout}${said.stderr}` }
}

test('the directory has the cover, the patches and the plan', () => {
  const count = applied.series.patches.length
  expect(readdirSync(out).toSorted()).toEqual(
    [...plan.messages.map(({ file }) => file), 'plan.json'].toSorted(),
  )
  expect(files).toHaveLength(count + 1)
  expect(files[0]).toBe('0000-cover-letter.patch')
  expect(JSON.parse(readFileSync(join(out, 'plan.json'), 'utf8'))).toMatchObject({
    kind: 'phyr-mail',
    forbidden: plan.forbidden,
  })
})

test('git am makes the very trees that phyr apply makes', async () => {
  const dir = await checkout('am')
  const said = await run(
    'git',
    ['am', '-q', '--whitespace=nowarn', ...files.slice(1).map((name) => join(out, name))],
    {
      cwd: dir,
      env: gitEnv(),
    },
  )
  expect(said, said.stderr).toMatchObject({ code: 0 })
  expect(await trees(dir)).toEqual(await appliedTrees())
})

test.skipIf(which('b4') === undefined)('b4 am takes the series: whole, its version, its base', async () => {
  mkdirSync(join(scratch, 'b4-out'))
  const said = await b4(['am', '--no-cache', '-m', mbox(), '-o', join(scratch, 'b4-out')], scratch)
  expect(said, said.text).toMatchObject({ code: 0 })
  const count = applied.series.patches.length
  expect(said.text).toContain(`Total patches: ${count}`)
  expect(said.text).not.toMatch(/ERROR|WARNING|missing|not found/i)
  for (const { subject } of applied.series.patches) expect(said.text).toContain(subject)
  // No base-commit that nobody could fetch: b4 says nothing of one.
  expect(said.text).not.toMatch(/Base: using specified base-commit/)
})

test.skipIf(which('b4') === undefined)('b4 shazam applies it: the same tree', async () => {
  const dir = await checkout('shazam')
  const said = await b4(['shazam', '--no-cache', '-m', mbox()], dir)
  expect(said, said.text).toMatchObject({ code: 0 })
  expect((await trees(dir)).at(-1)).toBe(applied.tree)
})

test.skipIf(which('b4') === undefined)('b4 reads version, change-id and tracking as they are', async () => {
  const code = [
    'import sys, json, mailbox, b4',
    'box = b4.LoreMailbox()',
    'for msg in mailbox.mbox(sys.argv[1]): box.add_message(msg)',
    'ser = box.get_series()',
    'cover = ser.patches[0]',
    'print(json.dumps({"revision": ser.revision, "expected": ser.expected, "complete": ser.complete,',
    '  "change_id": ser.change_id, "base": ser.base_commit, "cover": ser.has_cover,',
    '  "tracking": cover.msg.get("x-b4-tracking")}))',
  ].join('\n')
  const said = await runOk('/usr/bin/python3', ['-c', code, mbox()], { env: reader() })
  const { tracking, ...read } = JSON.parse(said.split('\n').at(-1) ?? '') as { tracking: string }
  expect(read).toEqual({
    revision: applied.series.version,
    expected: applied.series.patches.length,
    complete: true,
    change_id: applied.series.changeId,
    base: null,
    cover: true,
  })
  expect(readTracking(tracking)).toEqual({
    series: { revision: applied.series.version, 'change-id': applied.series.changeId, prefixes: [] },
  })
})

const SEND = [
  'send-email',
  '--confirm=never',
  // Nobody beside those in the mails' own To and Cc ("all" would take Cc away as well).
  '--suppress-cc=author',
  '--suppress-cc=body',
  '--suppress-cc=cccmd',
  '--no-thread',
  '--no-validate',
  '--smtp-server=127.0.0.1',
  '--smtp-domain=localhost',
]
const hasSendEmail = existsSync(join((await runOk('git', ['--exec-path'])).trim(), 'git-send-email'))

test.skipIf(!hasSendEmail)('git send-email --dry-run takes every file', async () => {
  const said = await run('git', [...SEND, '--dry-run', ...files.map((name) => join(out, name))], {
    cwd: scratch,
    env: reader(),
  })
  expect(said, said.stderr).toMatchObject({ code: 0 })
  expect(said.stdout.match(/^Result: OK/gm)).toHaveLength(files.length)
})

test.skipIf(!hasSendEmail)('what arrives by SMTP is what was written', async () => {
  const sink = await SmtpSink.start()
  try {
    const args = [
      ...SEND,
      `--smtp-server-port=${sink.port}`,
      '--quiet',
      ...files.map((name) => join(out, name)),
    ]
    const said = await run('git', args, { cwd: scratch, env: reader() })
    expect(said, said.stderr).toMatchObject({ code: 0 })
    expect(sink.received).toHaveLength(files.length)
    for (const [i, name] of files.entries()) {
      const sent = parts(readFileSync(join(out, name), 'utf8').replace(/^From .*\n/, ''))
      const came = parts(sink.received[i]?.data ?? '')
      expect(came.body, name).toBe(sent.body)
      // git send-email writes its own Date, names itself, and declares what it sends as MIME. It drops headers that
      // have a digit in their name (its pattern for one is [-A-Za-z]+), and with that b4's tracking.
      const kept = [...sent.headers].filter(([header]) => !/^date$|\d/.test(header))
      for (const [header, value] of kept) expect(came.headers.get(header), `${name}: ${header}`).toBe(value)
      const own = new Set(['x-mailer', 'date', 'mime-version', 'content-transfer-encoding', 'content-type'])
      expect(
        [...came.headers.keys()].filter((header) => !sent.headers.has(header) && !own.has(header)),
      ).toEqual([])
      const { to, cc } = plan.messages[i]!
      const mailboxes = [...to, ...cc].map((one) => /<(.*)>/.exec(one)?.[1] ?? one)
      expect(sink.received[i]?.to.toSorted()).toEqual(mailboxes.toSorted())
    }
  } finally {
    await sink.stop()
  }
})

/** Headers by lower-case name, unfolded, Message-ID and the like whatever their case; and the body. */
function parts(text: string): { headers: Map<string, string>; body: string } {
  const cut = text.indexOf('\n\n')
  const lines = text
    .slice(0, cut)
    .replace(/\n[ \t]+/g, ' ')
    .split('\n')
  const headers = new Map(
    lines.map((line) => {
      const at = line.indexOf(':')
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const
    }),
  )
  return { headers, body: text.slice(cut + 2) }
}
