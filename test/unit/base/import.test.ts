// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { importArchive } from '../../../tools/base/import.ts'
import { provideBase } from '../../../tools/base/provide.ts'
import { gitOk } from '../../../tools/base/repo.ts'
import { tarballBase } from '../../../tools/base/tarball.ts'
import { LabError } from '../../../tools/lib/errors.ts'
import { runOk } from '../../../tools/lib/exec.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'
import { fileEntry, linuxEntries, MAKEFILE, scratch, writeTar } from './repo-fixture.ts'

const series = { base: { provider: 'debian', package: 'linux-source-7.3', version: '7.3.4' } } as const

let dir: string
let remove: () => void
beforeEach(() => ({ dir, remove } = scratch()))
afterEach(() => remove())

test('one commit with the files, modes and links, the top directory stripped', async () => {
  const tar = await writeTar(join(dir, 'l.tar'), linuxEntries())
  const repo = join(dir, 'r.git')
  const { commit, files } = await importArchive(tar, repo)
  expect(files).toBe(4)
  expect(await gitOk(repo, ['ls-tree', '-r', '--format=%(objectmode) %(path)', commit])).toBe(
    '100644 Makefile\n120000 link\n100644 mm/gup.c\n100755 scripts/run.sh',
  )
  expect(await gitOk(repo, ['cat-file', 'blob', `${commit}:Makefile`])).toBe(MAKEFILE.trimEnd())
  expect(await gitOk(repo, ['cat-file', 'blob', `${commit}:link`])).toBe('mm/gup.c')
  expect(await gitOk(repo, ['fsck', '--strict'])).toBe('')
})

test('the same content gives the same commit, whatever the compression and the time', async () => {
  const tar = await writeTar(join(dir, 'l.tar'), linuxEntries())
  const later = linuxEntries().map((e) => ({ ...e, header: { ...e.header, mtime: new Date(0), uid: 7 } }))
  const other = await writeTar(join(dir, 'other.tar'), later)
  const plain = await importArchive(tar, join(dir, 'a.git'))
  for (const [tool, ending] of [
    ['xz', 'xz'],
    ['gzip', 'gz'],
    ['zstd', 'zst'],
  ] as const) {
    await runOk(tool, ['-q', '-k', other])
    const { commit } = await importArchive(`${other}.${ending}`, join(dir, `${ending}.git`))
    expect(commit).toBe(plain.commit)
  }
})

test("Debian's hiding .gitignore is left out, upstream's stays", async () => {
  const debian = fileEntry('linux-7.3.4/.gitignore', '*.o\n/*\n!/debian\n')
  const upstream = fileEntry('linux-7.3.4/.gitignore', '# a comment\n*.o\n/debian/*\n')
  const names = async (entry: typeof debian, name: string): Promise<string> => {
    const tar = await writeTar(join(dir, `${name}.tar`), linuxEntries([entry]))
    const { commit } = await importArchive(tar, join(dir, `${name}.git`))
    return gitOk(join(dir, `${name}.git`), ['ls-tree', '--name-only', commit])
  }
  expect(await names(debian, 'd')).not.toContain('.gitignore')
  expect(await names(upstream, 'u')).toContain('.gitignore')
})

test('odd but legal names and hard links survive', async () => {
  const long = `linux-7.3.4/${'d/'.repeat(90)}${'n'.repeat(120)}`
  const entries = linuxEntries([
    fileEntry('linux-7.3.4/a "quoted" \\name', 'q'),
    fileEntry('linux-7.3.4/ä b', 'u'),
    fileEntry(long, 'long'),
    { header: { name: 'linux-7.3.4/hard', size: 0, type: 'link', linkname: 'linux-7.3.4/ä b' } },
  ])
  const repo = join(dir, 'r.git')
  const { commit } = await importArchive(await writeTar(join(dir, 'l.tar'), entries), repo)
  const names = (await gitOk(repo, ['ls-tree', '-r', '-z', '--name-only', commit])).split('\0')
  expect(names).toEqual(
    expect.arrayContaining(['a "quoted" \\name', 'ä b', 'hard', long.slice('linux-7.3.4/'.length)]),
  )
  expect(await gitOk(repo, ['cat-file', 'blob', `${commit}:hard`])).toBe('u')
})

test.each([
  ['climbs out', fileEntry('linux-7.3.4/../../etc/passwd', 'x')],
  ['is absolute', fileEntry('/etc/passwd', 'x')],
  ['is a git hook', fileEntry('linux-7.3.4/.git/hooks/post-checkout', 'x')],
  ['is a git hook in other letters', fileEntry('linux-7.3.4/sub/.GIT/config', 'x')],
  ['is a git hook by its short name', fileEntry('linux-7.3.4/git~1/config', 'x')],
  ['is an absolute link', { header: { name: 'linux-7.3.4/l', size: 0, type: 'symlink', linkname: '/etc' } }],
  [
    'is a link that climbs out',
    { header: { name: 'linux-7.3.4/a/l', size: 0, type: 'symlink', linkname: '../../x' } },
  ],
  [
    'is a link into .git',
    { header: { name: 'linux-7.3.4/l', size: 0, type: 'symlink', linkname: '.git/hooks' } },
  ],
  [
    'is a hard link that climbs out',
    { header: { name: 'linux-7.3.4/l', size: 0, type: 'link', linkname: '../../etc/passwd' } },
  ],
  ['is a device', { header: { name: 'linux-7.3.4/null', size: 0, type: 'character-device' } }],
  ['has another top directory', fileEntry('elsewhere/file', 'x')],
] as const)('an entry that %s is refused and nothing is cached', async (_, entry) => {
  const tar = await writeTar(join(dir, 'evil.tar'), linuxEntries([entry]))
  const failure = await tarballBase(tar).catch((e: unknown) => e)
  expect(failure).toBeInstanceOf(LabError)
  expect((failure as LabError).message).toContain('evil.tar')
  expect(readdirSync(join(dir, 'cache/base-repo'))).toEqual([])
})

test.each(['xz', 'gz', 'zst', 'tar'])(
  'an archive cut off (%s) is a clear error and nothing is cached',
  async (kind) => {
    const noise = Array.from({ length: 60_000 }, (_, i) => Math.imul(i, 2654435761).toString(36)).join('\n')
    let file = await writeTar(join(dir, 'l.tar'), linuxEntries([fileEntry('linux-7.3.4/z', noise)]))
    const tool = { xz: 'xz', gz: 'gzip', zst: 'zstd' }[kind]
    if (tool) {
      await runOk(tool, ['-q', file])
      file = `${file}.${kind}`
    }
    truncateSync(file, 100_000)
    const failure = await tarballBase(file).catch((e: unknown) => e)
    expect(failure).toBeInstanceOf(LabError)
    expect((failure as LabError).why).toMatch(/cut off or damaged/)
    expect(readdirSync(join(dir, 'cache/base-repo'))).toEqual([])
  },
)

test('what is no archive at all, or an empty one, is a clear error', async () => {
  writeFileSync(join(dir, 'not.tar'), 'this is a shopping list\n'.repeat(100))
  writeFileSync(join(dir, 'empty.tar'), Buffer.alloc(10240))
  for (const name of ['not.tar', 'empty.tar']) {
    await expect(importArchive(join(dir, name), join(dir, `${name}.git`))).rejects.toBeInstanceOf(LabError)
  }
})

test('a tarball base: version, identity, and the second time it is cached', async () => {
  const tar = await writeTar(join(dir, 'l.tar'), linuxEntries())
  const base = await provideBase({ linux: tar, version: '9.9' }, series)
  expect(base.identity).toMatchObject({ provider: 'tarball', version: '7.3.4', archive: { name: 'l.tar' } })
  expect(base.cached).toBe(false)
  const again = await provideBase({ linux: tar }, series)
  expect(again).toEqual({ ...base, cached: true })
})

test('two imports of one archive at once make it once', async () => {
  const tar = await writeTar(join(dir, 'l.tar'), linuxEntries())
  const [a, b] = await Promise.all([tarballBase(tar), tarballBase(tar)])
  expect(a.imported.commit).toBe(b.imported.commit)
  expect(Number(a.cached) + Number(b.cached)).toBe(1)
})

test('kill -9 in mid-import leaves nothing that counts, and the next import goes through', async () => {
  const big = 'x'.repeat(1 << 20)
  const entries = linuxEntries(
    Array.from({ length: 24 }, (_, i) => fileEntry(`linux-7.3.4/f${i}`, `${i}${big}`)),
  )
  const tar = await writeTar(join(dir, 'l.tar'), entries)
  const program = join(dir, 'import.mts')
  writeFileSync(
    program,
    `import { tarballBase } from ${JSON.stringify(join(toolRoot, 'tools/base/tarball.ts'))}\n` +
      `await tarballBase(${JSON.stringify(tar)})\n`,
  )
  const child = spawn(process.execPath, ['--import', 'tsx', program], { cwd: toolRoot, stdio: 'ignore' })
  const root = join(dir, 'cache/base-repo')
  const packing = (): boolean =>
    existsSync(root) &&
    readdirSync(root, { recursive: true }).some((name) => String(name).includes('tmp_pack_'))
  while (!packing() && child.exitCode === null) await sleep(5)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')
  expect(readdirSync(root).filter((name) => !name.startsWith('.tmp-'))).toEqual([])
  const made = await tarballBase(tar)
  expect(made).toMatchObject({ cached: false, imported: { files: 28 } })
  expect(readdirSync(root)).toHaveLength(1)
  expect(readFileSync(join(made.repo, 'refs/heads/base'), 'utf8').trim()).toBe(made.imported.commit)
})
