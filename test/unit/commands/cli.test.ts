// SPDX-License-Identifier: GPL-2.0-only
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verbs } from '../../../tools/commands/verbs.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'

const exec = promisify(execFile)
let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-cli-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function phyr(args: readonly string[], program = join(toolRoot, 'phyr'), cwd = dir): Promise<Said> {
  const env = { ...process.env, PHYR_CACHE: join(dir, 'cache') }
  try {
    return { code: 0, ...(await exec(program, [...args], { cwd, env })) }
  } catch (error) {
    return error as Said
  }
}

test('--help names every verb', async () => {
  const { code, stdout } = await phyr(['--help'])
  expect(code).toBe(0)
  for (const verb of verbs) expect(stdout).toContain(`phyr ${verb.command}`)
})

test.each(verbs.map((verb) => verb.command.split(' ')[0]!))('%s --help works', async (verb) => {
  const { code, stdout } = await phyr([verb, '--help'])
  expect(code).toBe(0)
  expect(stdout).toContain('--dry-run')
})

test('bad usage is exit code 2, with one error and the JSON object when asked for', async () => {
  const typo = await phyr(['bild'])
  expect(typo).toMatchObject({ code: 2, stdout: '' })
  expect(typo.stderr).toContain('build')
  const json = await phyr(['report', '/nonexistent', '--json'])
  expect(json.code).toBe(2)
  expect(JSON.parse(json.stdout)).toMatchObject({ schema: 1, error: { what: 'bad usage' } })
})

test('-C that is no project says what a project is', async () => {
  const { code, stderr } = await phyr(['apply', '-C', dir])
  expect(code).toBe(2)
  expect(stderr).toContain('patches/series')
})

test('works through links, as npm installs it', async () => {
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  symlinkSync(join(toolRoot, 'phyr'), join(bin, 'one'))
  symlinkSync('one', join(bin, 'two'))
  const { code, stdout } = await phyr(['--version'], join(bin, 'two'))
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\d+\.\d+\.\d+/)
})

test('a node that is too old is told so, before anything else', async () => {
  const fake = join(dir, 'old')
  mkdirSync(fake)
  writeFileSync(join(fake, 'node'), '#!/bin/sh\n[ "$1" = --version ] && echo v18.1.0\nexit 1\n', {
    mode: 0o755,
  })
  const env = { ...process.env, PATH: `${fake}:${process.env['PATH']}` }
  const said = await exec(join(toolRoot, 'phyr'), ['--version'], { env }).catch((e: unknown) => e as Said)
  expect(said).toMatchObject({ code: 125 })
  expect(said.stderr).toContain('v18.1.0 is too old')
})

test('gc of an empty cache', async () => {
  const { code, stdout } = await phyr(['gc', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ deleted: 0 })
})
