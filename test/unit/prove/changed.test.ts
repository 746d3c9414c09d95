// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { UsageError } from '../../../tools/lib/errors.ts'
import type { Project } from '../../../tools/lib/project.ts'
import { changedSince } from '../../../tools/prove/changed.ts'
import type { Patch, Series } from '../../../tools/series/series.ts'

let root: string
let project: Project
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', root, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
const write = (file: string, text: string): void => writeFileSync(join(root, 'carried/patches', file), text)
const patches = ['a', 'b', 'c'].map((name, i): Patch => ({
  number: i + 1,
  file: `${name}.patch`,
  subject: name,
  text: '',
  paths: [],
}))
const series = { patches } as unknown as Series
const { signal } = new AbortController()
const numbers = async (revision: string): Promise<number[]> =>
  (await changedSince(project, revision, signal))(series).map((patch) => patch.number)

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'phyr-changed-'))
  mkdirSync(join(root, 'carried/patches'), { recursive: true })
  // The project need not be the top of its repository.
  project = { root: join(root, 'carried'), patches: join(root, 'carried/patches') } as Project
  git('init', '-q')
  for (const patch of patches) write(patch.file, 'old\n')
  git('add', '-A')
  git('commit', '-qm', 'first')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

test('nothing changed: the last one all the same', async () => {
  expect(await numbers('HEAD')).toEqual([3])
})

test('what is committed since, and what is not committed yet', async () => {
  write('a.patch', 'new\n')
  git('commit', '-qam', 'second')
  expect(await numbers('HEAD^')).toEqual([1, 3])
  write('b.patch', 'new\n')
  expect(await numbers('HEAD^')).toEqual([1, 2, 3])
  expect(await numbers('HEAD')).toEqual([2, 3])
})

test.each(['nosuch', '--output=/tmp/x', ''])('%j is bad usage', async (revision) => {
  await expect(changedSince(project, revision, signal)).rejects.toThrow(UsageError)
})

test('a project outside of git is bad usage', async () => {
  rmSync(join(root, '.git'), { recursive: true })
  await expect(changedSince(project, 'HEAD', signal)).rejects.toThrow('is no commit of')
})
