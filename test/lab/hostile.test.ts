// SPDX-License-Identifier: GPL-2.0-only
// Series, configs and machines that are broken on purpose, by the command line as a user has it.
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildInitramfs, withToken } from '../../tools/guest/initramfs.ts'
import { LabError } from '../../tools/lib/errors.ts'
import { toolRoot } from '../../tools/lib/paths.ts'
import { probeAccelerator } from '../../tools/machine/accel.ts'
import { boot } from '../../tools/machine/launch.ts'
import { loadMachine } from '../../tools/machine/machine.ts'
import { runOutputSchema, type RunOutput } from '../../tools/result/record.ts'
import { labKernel, phyr } from './lab.ts'

let dir: string
// Built once, outside the tests' own time limits: from nothing it takes a quarter of an hour.
beforeAll(async () => {
  await labKernel()
})
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-hostile-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** A project of its own: this series with one more patch at its end. */
function projectWith(diff: string): string {
  cpSync(join(toolRoot, 'patches'), join(dir, 'patches'), { recursive: true })
  const patch = [
    'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001',
    'From: A Tester <tester@example.com>',
    'Date: Wed, 1 Jan 2020 00:00:00 +0000',
    'Subject: [PATCH] lib: break something on purpose',
    '',
    'A planted fault.',
    '---',
    diff,
  ]
  writeFileSync(join(dir, 'patches', '9999-planted.patch'), patch.join('\n'))
  appendFileSync(join(dir, 'patches', 'series'), '9999-planted.patch\n')
  return dir
}

/** A patch that adds a file, built into every kernel by lib/Makefile's `obj-y`. */
function newFile(path: string, lines: readonly string[]): string {
  return [
    `diff --git a/${path} b/${path}`,
    'new file mode 100644',
    '--- /dev/null',
    `+++ b/${path}`,
    `@@ -0,0 +1,${lines.length} @@`,
    ...lines.map((line) => `+${line}`),
    '',
  ].join('\n')
}

async function finding(args: readonly string[]): Promise<NonNullable<RunOutput['finding']>> {
  const { code, stdout, stderr } = await phyr([...args, '--json'])
  expect(code, `${stderr}\n${stdout}`).toBe(1)
  const output = runOutputSchema.parse(JSON.parse(stdout))
  expect(output).toMatchObject({ outcome: 'fail', runs: [], kernel: null })
  return output.finding!
}

describe('a broken series is a finding: exit code 1, the patch named', () => {
  test('does not apply', async () => {
    const project = projectWith(
      [
        'diff --git a/Makefile b/Makefile',
        '--- a/Makefile',
        '+++ b/Makefile',
        '@@ -1,1 +1,1 @@',
        '-no such line',
        '+x',
        '',
      ].join('\n'),
    )
    const found = await finding(['test', 'kunit', '-C', project])
    expect(found).toMatchObject({ stage: 'apply', blame: '9999-planted.patch' })
    expect(found.detail.join('\n')).toContain('Makefile')
  })

  test('reaches out of the tree', async () => {
    const { code, stderr } = await phyr(['apply', '-C', projectWith(newFile('../../etc/evil', ['x']))])
    expect(code).toBe(1)
    expect(stderr).toContain('9999-planted.patch')
    expect(stderr).toContain('etc/evil')
  })

  test('does not compile: the compiler first, with file and line', async () => {
    const file = 'lib/tests/phyr_kunit.c'
    const { treeDir } = await labKernel()
    const [one, two, three] = readFileSync(join(treeDir, file), 'utf8').split('\n')
    const hunk = ['@@ -1,3 +1,4 @@', ` ${one}`, '+#error planted by the lab', ` ${two}`, ` ${three}`, '']
    const project = projectWith(
      [`diff --git a/${file} b/${file}`, `--- a/${file}`, `+++ b/${file}`, ...hunk].join('\n'),
    )
    const found = await finding(['test', 'kunit', '-C', project])
    expect(found).toMatchObject({ stage: 'build', blame: '9999-planted.patch' })
    expect(found.message).toContain('lib/tests/phyr_kunit.c:2')
    expect(found.message).toContain('planted by the lab')
  })
})

describe('a broken config is a finding that names the option', () => {
  test.each([
    ['CONFIG_NO_SUCH_OPTION_AT_ALL=y', /NO_SUCH_OPTION_AT_ALL/],
    // Needs modules, which no lab config has.
    ['CONFIG_MODULE_SIG=y', /MODULE_SIG[^]*MODULES/],
  ])('%s', async (line, message) => {
    cpSync(join(toolRoot, 'patches'), join(dir, 'patches'), { recursive: true })
    cpSync(join(toolRoot, 'kernel-config'), join(dir, 'kernel-config'), { recursive: true })
    appendFileSync(join(dir, 'kernel-config', 'lab.config'), `${line}\n`)
    const found = await finding(['test', 'kunit', '-C', dir])
    expect(found.stage).toBe('config')
    expect(found.blame).toMatch(/lab\.config:\d+/)
    expect([found.message, ...found.detail].join('\n')).toMatch(message)
  })
})

describe('a broken lab is exit code 125, and blames nobody', () => {
  test('a truncated kernel image', async () => {
    const built = await labKernel()
    const image = join(dir, 'image')
    cpSync(built.kernel.image, image)
    truncateSync(image, 1 << 20)
    const guest = await buildInitramfs({
      arch: 'x86_64',
      treeDir: built.treeDir,
      treeId: built.treeId,
      programs: [],
      directories: [],
    })
    const sealed = await withToken(guest, 'exit 0', join(dir, 'work'))
    const attempt = boot({
      arch: 'x86_64',
      image,
      initramfs: sealed.initramfs,
      cmdline: [],
      token: sealed.token,
      machine: loadMachine('virtio'),
      accel: await probeAccelerator({}),
      workDir: join(dir, 'work'),
      deadlines: { firstByte: 15, banner: 20, init: 25, total: 30 },
    })
    await expect(attempt).rejects.toBeInstanceOf(LabError)
  })

  test('a full disk', (context) => {
    mkdirSync(join(dir, 'full'))
    // An archive of a "kernel" that does not compress and does not fit.
    const source = join(dir, 'linux')
    mkdirSync(source)
    writeFileSync(join(source, 'Makefile'), 'VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 0\nEXTRAVERSION =\n')
    writeFileSync(join(source, 'noise'), randomBytes(4 << 20))
    execFileSync('tar', ['-C', dir, '-cf', join(dir, 'linux.tar'), 'linux'])
    const script = 'mount -t tmpfs -o size=2m tmpfs "$1" && PHYR_CACHE=$1 exec "$2" base --linux "$3" --json'
    const args = [
      '-rm',
      'sh',
      '-c',
      script,
      'sh',
      join(dir, 'full'),
      join(toolRoot, 'phyr'),
      join(dir, 'linux.tar'),
    ]
    const said = spawnSync('unshare', args, { encoding: 'utf8', cwd: toolRoot })
    if (said.stderr.includes('unshare failed') || said.stderr.includes('mount:')) {
      context.skip(`no user namespaces with mounts here: ${said.stderr.trim()}`)
    }
    expect(said.stderr).toContain('disk is full')
    expect(said.status).toBe(125)
    expect(JSON.parse(said.stdout)).toMatchObject({
      schema: 1,
      error: { fix: expect.stringContaining('gc') },
    })
  })
})

test('two runs at once do not disturb each other', async () => {
  const args = ['test', 'kunit', '--again', '--json']
  const both = await Promise.all([phyr(args), phyr(args)])
  for (const { code, stdout, stderr } of both) {
    expect(code, stderr).toBe(0)
    expect(runOutputSchema.parse(JSON.parse(stdout)).outcome).toBe('pass')
  }
})
