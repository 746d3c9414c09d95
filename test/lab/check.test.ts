// SPDX-License-Identifier: GPL-2.0-only
// phyr check on the real base: faults that are planted into patches are found, each by the tool that it is for, and
// a patch without any passes. b4 itself runs `phyr check --b4`, where a b4 that can is there.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gitEnv } from '../../tools/base/repo.ts'
import { checkRecordSchema, isOpen, type CheckRecord } from '../../tools/check/check-record.ts'
import { findProject } from '../../tools/lib/project.ts'
import { toolRoot } from '../../tools/lib/paths.ts'
import { getBase } from '../../tools/run/sources.ts'
import { readSeries } from '../../tools/series/read.ts'
import { phyr } from './lab.ts'

const exec = promisify(execFile)
const own = readSeries(join(toolRoot, 'patches'))
/** A patch of the series against which nothing is to be said. */
const GOOD = own.patches.find((patch) => patch.subject.startsWith('RDMA/siw: send the right bytes'))!

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-check-lab-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** A patch that adds one file. */
function adding(
  path: string,
  lines: readonly string[],
  message = 'It is planted.\n\nAssisted-by: LLM',
): string {
  return (
    'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\nFrom: A B <a@example.com>\n' +
    `Date: Thu, 1 Jan 2026 00:00:00 +0000\nSubject: [PATCH] block: add ${path.replace(/\W+/g, ' ')}\n\n${message}\n` +
    `---\n ${path} | ${lines.length} +\n\ndiff --git a/${path} b/${path}\nnew file mode 100644\n` +
    `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1,${lines.length} @@\n${lines.map((line) => `+${line}\n`).join('')}`
  )
}

const FAULTY = [
  '// SPDX-License-Identifier: GPL-2.0-only',
  '#include <linux/export.h>',
  '#include <linux/mutex.h>',
  '',
  'static DEFINE_MUTEX(planted_lock);',
  '',
  '/**',
  ' * planted_add() - add two numbers, and recieve their sum',
  ' * @a: the first',
  ' *',
  ' * Return: the sum.',
  ' */',
  'int planted_add(int a, int b)',
  '{',
  '\treturn a + b;',
  '}',
  'EXPORT_SYMBOL_GPL(planted_add);',
  '',
  'int planted_bare(int a)',
  '{',
  '\tmutex_lock(&planted_lock);',
  '\tmutex_lock(&planted_lock);',
  `\ta += ${Array.from({ length: 25 }, () => '11').join(' + ')};`,
  '\tmutex_unlock(&planted_lock);',
  '\treturn a;',
  '}',
  'EXPORT_SYMBOL_GPL(planted_bare);',
]

const BAD_MESSAGE = `${'A line that goes on and on '.repeat(3)}and on.

Fixes: 012345 (block: add a bug)
Signed-off-by: A B <a@example.com>`

/** Writes a project with these patches and runs `phyr check` on it. */
async function check(
  name: string,
  patches: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): Promise<{ record: CheckRecord; code: number | null }> {
  const at = join(dir, name, 'patches')
  mkdirSync(at, { recursive: true })
  const files = {
    series: `${Object.keys(patches).join('\n')}\n`,
    'series.json': readFileSync(join(toolRoot, 'patches/series.json'), 'utf8'),
    'cover.md': '# block: planted faults\n\nThey are to be found.\n',
    ...patches,
    ...more,
  }
  for (const [file, text] of Object.entries(files)) writeFileSync(join(at, file), text)
  const { code, stdout, stderr } = await phyr(['check', '--json', '-C', join(dir, name)])
  expect(stdout, stderr).not.toBe('')
  return { record: checkRecordSchema.parse(JSON.parse(stdout)), code }
}

/** `tool: message` of what is open. */
function open(record: CheckRecord, at: number): string[] {
  return (record.patches[at]?.findings ?? []).filter(isOpen).map((one) => `${one.tool}: ${one.message}`)
}

test('a good patch passes, and planted faults are found', async () => {
  const patches = {
    '0001-good.patch': GOOD.text,
    '0002-faulty.patch': adding('block/planted.c', FAULTY),
    '0003-message.patch': adding(
      'block/planted.h',
      ['/* SPDX-License-Identifier: GPL-2.0-only */'],
      BAD_MESSAGE,
    ),
    '0004-nobody.patch': adding('planted/README', ['Nobody has this file.']),
  }
  const first = await check('faults', patches)
  expect(first).toMatchObject({ code: 1, record: { outcome: 'fail', cover: [] } })
  expect(first.record.patches.map((patch) => patch.outcome)).toEqual(['pass', 'fail', 'fail', 'fail'])
  expect(first.record.patches.flatMap((patch) => patch.skipped)).toEqual([])
  expect(open(first.record, 1).toSorted()).toEqual(
    [
      'checkpatch: LONG_LINE: line length of 136 exceeds 100 columns',
      "checkpatch: TYPO_SPELLING: 'recieve' may be misspelled - perhaps 'receive'?",
      'coccicheck: second lock on line 22 (locks/double_lock)',
      'codespell: recieve ==> receive',
      'kernel-doc: planted_bare() is exported and has no kernel-doc',
      "kernel-doc: function parameter 'b' not described in 'planted_add'",
    ].toSorted(),
  )
  expect(open(first.record, 2).filter((one) => one.startsWith('message'))).toEqual([
    'message: 88 columns, more than 75',
    'message: Fixes is not 12 or more hex digits and ("subject"): "012345 (block: add a bug)"',
    'message: Signed-off-by in a stored patch: only a human gives it, when the series is mailed',
    'message: no Assisted-by (Documentation/process/coding-assistants.rst asks for it in the trailers)',
  ])
  const nobody = open(first.record, 3)
  expect(nobody).toContain('maintainers: new, and no entry of MAINTAINERS has it')
  expect(nobody).toContain('maintainers: nobody beside linux-kernel gets this patch')
  expect(nobody.some((one) => one.startsWith('checkpatch: FILE_PATH_CHANGES'))).toBe(true)

  // Justified, with one that justifies nothing; and nothing is run again.
  const checks =
    'justified:\n- {tool: coccicheck, patch: faulty.patch, match: second lock, why: it is planted}\n' +
    '- {tool: coccicheck, patch: faulty.patch, match: third lock, why: there is none}\n'
  const second = await check('faults', patches, { 'checks.yaml': checks })
  expect(second.record.patches.every((patch) => patch.cached)).toBe(true)
  expect(open(second.record, 1)).toHaveLength(5)
  expect(second.record.justifications).toHaveLength(1)
}, 600_000)

/** How to start a b4 that has `b4 prep --check` (0.14 and later); or why there is none. */
async function findB4(): Promise<{ file: string; args: string[]; env: NodeJS.ProcessEnv } | string> {
  // PHYR_B4: where a newer package was unpacked to, as PYTHONPATH.
  const path = process.env['PHYR_B4']
  const start = 'import sys; sys.argv[0] = "b4"; from b4.command import cmd; cmd()'
  const b4 = path
    ? { file: '/usr/bin/python3', args: ['-c', start], env: { ...process.env, PYTHONPATH: path } }
    : { file: 'b4', args: [], env: process.env }
  const help = await exec(b4.file, [...b4.args, 'prep', '--help'], { env: b4.env }).catch(
    (error: Error) => error,
  )
  if (help instanceof Error) return `b4 does not run: ${help.message.split('\n')[0]}`
  return help.stdout.includes('--check')
    ? b4
    : 'this b4 has no `b4 prep --check` (it came with 0.14); set PHYR_B4 to the dist-packages of a newer one'
}

/** A checkout of the base as a person has it, on a branch of b4's; only files that checks read are there. */
async function checkout(at: string): Promise<(...args: string[]) => Promise<string>> {
  const { base } = await getBase(findProject(toolRoot), {}, new AbortController().signal)
  mkdirSync(at, { recursive: true })
  const env: NodeJS.ProcessEnv = { ...gitEnv(), HOME: at }
  // As a person commits: b4 looks for its own commit among those of the last year.
  for (const name of Object.keys(env)) if (/^GIT_(?:AUTHOR|COMMITTER)_/.test(name)) env[name] = undefined
  const git = async (...args: string[]): Promise<string> =>
    (await exec('git', args, { cwd: at, env: { ...process.env, ...env } })).stdout
  await git('init', '-q', '--template=', '-b', 'master')
  mkdirSync(join(at, '.git/info'), { recursive: true })
  writeFileSync(join(at, '.git/objects/info/alternates'), `${base.repo}/objects\n`)
  writeFileSync(
    join(at, '.git/info/sparse-checkout'),
    '/*\n!/*/\n/include/\n/scripts/\n/tools/docs/\n/tools/lib/python/\n/Documentation/process/\n',
  )
  await git('config', 'core.sparseCheckout', 'true')
  await git('config', 'user.name', 'A Human')
  await git('config', 'user.email', 'human@example.com')
  await git('reset', '-q', '--hard', base.commit)
  for (const path of ['arch', 'drivers', 'fs', 'init', 'ipc', 'kernel', 'lib'])
    mkdirSync(join(at, path), { recursive: true })
  return git
}

test('b4 prep --check takes what phyr check --b4 answers', async ({ skip }) => {
  const b4 = await findB4()
  if (typeof b4 === 'string') {
    skip(b4)
    return
  }
  const at = join(dir, 'linux')
  const git = await checkout(at)
  // b4 keeps a cache below $HOME.
  const env = { ...b4.env, HOME: join(dir, 'home'), GIT_CONFIG_NOSYSTEM: '1' }
  mkdirSync(env.HOME)
  const run = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    exec(b4.file, [...b4.args, '--offline-mode', ...args], { cwd: at, env })
  await run('prep', '-n', 'planted', '-f', 'master')
  writeFileSync(join(dir, 'good.patch'), GOOD.text)
  writeFileSync(join(dir, 'bad.patch'), adding('block/planted.c', FAULTY))
  await git('am', '-q', '-s', join(dir, 'good.patch'))
  await git('commit', '-q', '--amend', '--reset-author', '--no-edit')
  await git('am', '-q', '-s', join(dir, 'bad.patch'))
  await git('commit', '-q', '--amend', '--reset-author', '--no-edit')
  await git('config', 'b4.prep-perpatch-check-cmd', `${join(toolRoot, 'phyr')} check --b4`)
  const { stdout, stderr } = await run('prep', '--check')
  const said = (stdout + stderr).replace(/\x1b\[[\d;]*m/g, '')
  const [, good = '', bad = ''] = said.split(/^● /m).length > 2 ? splitPatches(said) : ['', said, said]
  expect(good, said).toContain(GOOD.subject)
  expect(good).not.toMatch(/ERROR|WARNING/)
  expect(bad).toContain('phyr: block/planted.c:27: WARNING: kernel-doc: planted_bare() is exported')
  expect(bad).toContain('phyr: block/planted.c:21: WARNING: coccicheck: second lock')
  expect(said).toMatch(/^Success: 1, Warning: \d+, Error: 0$/m)
  // The user's repository is as it was: no object, no file.
  expect(await git('status', '--porcelain')).toBe('')
  expect(existsSync(join(at, '.git/index.lock'))).toBe(false)
}, 300_000)

/** What b4 says about each of two patches; a line of a patch is not indented, its findings are. */
function splitPatches(said: string): string[] {
  return ['', ...said.split(/^(?=● [0-9a-f]{12}: )/m).slice(1)]
}
