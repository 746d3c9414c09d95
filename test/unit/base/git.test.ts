// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { splitRev } from '../../../tools/base/git.ts'
import { provideBase } from '../../../tools/base/provide.ts'
import { gitOk } from '../../../tools/base/repo.ts'
import { LabError, UsageError } from '../../../tools/lib/errors.ts'
import { gitIn, LINES, makeCheckout, scratch, writeFiles } from './repo-fixture.ts'

const series = { base: { provider: 'debian', package: 'linux-source-7.3', version: '7.3.4' } } as const

let dir: string
let remove: () => void
let linux: string
beforeEach(async () => {
  ;({ dir, remove } = scratch())
  linux = await makeCheckout(join(dir, 'linux'))
})
afterEach(() => remove())

/** Every file below a directory with its size and time of change: nothing was written when it stays. */
function snapshot(root: string): string[] {
  return readdirSync(root, { recursive: true })
    .map((name) => {
      const { mtimeNs, ctimeNs, size } = statSync(join(root, String(name)), { bigint: true })
      return `${String(name)} ${mtimeNs} ${ctimeNs} ${size}`
    })
    .toSorted()
}

test('a checkout is a base without a byte written to it', async () => {
  writeFiles(linux, { 'mm/gup.c': `${LINES}dirty\n`, 'untracked.c': 'x' })
  const before = snapshot(linux)
  const base = await provideBase({ linux }, series)
  expect(snapshot(linux)).toEqual(before)
  expect(base.identity).toMatchObject({ provider: 'git', version: '7.3.4' })
  expect(base.commit).toBe(await gitIn(linux, 'rev-parse', 'HEAD'))
  expect(base.repo.startsWith(join(dir, 'cache'))).toBe(true)
  expect(`${await gitOk(base.repo, ['cat-file', 'blob', `${base.commit}:mm/gup.c`])}\n`).toBe(LINES)
  expect(await provideBase({ linux }, series)).toEqual({ ...base, cached: true })
})

test('DIR@rev, a worktree, a bare repository and a shallow clone give the same base', async () => {
  const first = await gitIn(linux, 'rev-parse', 'HEAD')
  await gitIn(linux, 'tag', 'v7.3.4')
  writeFiles(linux, { 'mm/new.c': 'new\n' })
  await gitIn(linux, 'add', '-A')
  await gitIn(linux, 'commit', '-q', '-m', 'later')
  await gitIn(linux, 'worktree', 'add', '-q', '--detach', join(dir, 'wt@home'), 'v7.3.4')
  await gitIn(dir, 'clone', '-q', '--bare', 'linux', 'bare.git')
  await gitIn(dir, 'clone', '-q', '--depth=1', `file://${linux}`, 'shallow')
  for (const request of [
    `${linux}@v7.3.4`,
    `${linux}@HEAD~1`,
    join(dir, 'wt@home'),
    `${join(dir, 'bare.git')}@v7.3.4`,
  ]) {
    expect((await provideBase({ linux: request }, series)).commit).toBe(first)
  }
  const shallow = await provideBase({ linux: join(dir, 'shallow') }, series)
  expect(shallow.commit).toBe(await gitIn(linux, 'rev-parse', 'HEAD'))
  // Would fail on the missing parent without the list of cut-off points.
  expect(await gitOk(shallow.repo, ['rev-list', '--count', shallow.commit])).toBe('1')
})

const fails = async (request: string): Promise<UsageError> => {
  const error: unknown = await provideBase({ linux: request }, series).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(UsageError)
  return error as UsageError
}

test('what is not there is a usage error that names it', async () => {
  expect((await fails(`${linux}@v9.9`)).message).toContain('"v9.9"')
  expect((await fails(`${linux}@--output=x`)).message).toContain('"--output=x"')
  expect((await fails(join(dir, 'nowhere'))).message).toContain('nowhere')
  mkdirSync(join(dir, 'plain'))
  expect((await fails(join(dir, 'plain'))).message).toContain('no git repository')
})

test('a repository that is not Linux, and a partial clone, are lab errors', async () => {
  await gitIn(linux, 'rm', '-q', 'Makefile')
  await gitIn(linux, 'commit', '-q', '-m', 'no Makefile')
  await expect(provideBase({ linux }, series)).rejects.toThrow(/not a Linux source tree/)
  await gitIn(linux, 'config', 'uploadpack.allowFilter', 'true')
  await gitIn(dir, 'clone', '-q', '--no-checkout', '--filter=blob:none', `file://${linux}`, 'partial')
  const error: unknown = await provideBase({ linux: join(dir, 'partial') }, series).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(LabError)
  expect((error as LabError).why).toContain('partial clone')
})

test('an @ in a directory name is not a revision', () => {
  renameSync(linux, join(dir, 'li@nux'))
  expect(splitRev(join(dir, 'li@nux'))).toEqual({ dir: join(dir, 'li@nux'), rev: undefined })
  expect(splitRev(join(dir, 'li@nux@HEAD@{1}'))).toEqual({ dir: join(dir, 'li@nux'), rev: 'HEAD@{1}' })
  writeFileSync(join(dir, 'x'), '')
  expect(() => splitRev(join(dir, 'x@1'))).toThrow(UsageError)
})
