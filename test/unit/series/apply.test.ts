// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { provideBase } from '../../../tools/base/provide.ts'
import { gitOk } from '../../../tools/base/repo.ts'
import { Finding, UsageError } from '../../../tools/lib/errors.ts'
import { applySeries } from '../../../tools/series/apply.ts'
import { readSeries } from '../../../tools/series/read.ts'
import { baseOf, gitIn, LINES, makeCheckout, scratch } from '../base/repo-fixture.ts'
import { commitFile, edited, makeSeries, show } from './series-fixture.ts'

let dir: string
let remove: () => void
beforeEach(() => ({ dir, remove } = scratch()))
afterEach(() => remove())

test('one commit a patch: author and message of the mail, committer and dates fixed', async () => {
  const { base, series } = await makeSeries(dir)
  const applied = await applySeries(base, series)
  expect(applied.commits.map((c) => c.patch.subject)).toEqual([
    'mm: spell out three',
    'mm: spell out four',
    'lib: für phyr',
  ])
  const format = '--format=%an|%ae|%at|%cn|%ct|%P|%B'
  const parent = applied.commits[1]?.commit
  expect(await gitOk(base.repo, ['log', '-1', format, applied.commit])).toBe(
    `Jörg Ä|j@example.com|1577836800|phyr|1577836800|${parent}|lib: für phyr\n\nWhy.\n\nLink: x\n`,
  )
  expect(await show(base.repo, applied.commit, 'mm/gup.c')).toBe(
    edited(4, 'line four', edited(3, 'line three')),
  )
  expect(await gitOk(base.repo, ['rev-parse', `${applied.commit}^{tree}`])).toBe(applied.tree)
})

test('the same input gives the same hashes, in another repository too, and gc drops nothing', async () => {
  const { base, series } = await makeSeries(dir)
  const applied = await applySeries(base, series)
  expect(applied.cached).toBe(false)
  expect(await applySeries(base, series)).toEqual({ ...applied, cached: true })
  const other = await provideBase({ linux: join(dir, 'linux') }, series)
  const again = await applySeries(other, series)
  expect(again).toMatchObject({ cached: false, commit: applied.commit, tree: applied.tree })
  await gitOk(other.repo, ['gc', '--prune=now', '--quiet'])
  expect(await applySeries(other, series)).toMatchObject({ cached: true, commit: applied.commit })
})

test('upTo and without leave patches out, and refuse what makes no sense', async () => {
  const { base, series } = await makeSeries(dir)
  const none = await applySeries(base, series, { upTo: 0 })
  expect(none).toMatchObject({ commit: base.commit, commits: [], tree: base.identity.tree })
  const two = await applySeries(base, series, { upTo: 2 })
  expect(await show(base.repo, two.commit, 'lib/phyr.c')).toBe('')
  const third = series.patches[2]?.file ?? ''
  const left = await applySeries(base, series, { without: [series.patches[1]?.file ?? ''] })
  expect(await show(base.repo, left.commit, 'mm/gup.c')).toBe(edited(3, 'line three'))
  expect(left.commits.map((c) => c.patch.file)).toContain(third)
  await expect(applySeries(base, series, { without: ['nope.patch'] })).rejects.toBeInstanceOf(UsageError)
  await expect(applySeries(base, series, { upTo: 4 })).rejects.toBeInstanceOf(UsageError)
})

test('two appliers at once agree', async () => {
  const { series } = await makeSeries(dir)
  const base = await provideBase({ linux: join(dir, 'linux') }, series)
  const [a, b] = await Promise.all([applySeries(base, series), applySeries(base, series)])
  expect(a.commit).toBe(b.commit)
})

async function failing(run: Promise<unknown>): Promise<Finding> {
  const error: unknown = await run.catch((e: unknown) => e)
  expect(error).toBeInstanceOf(Finding)
  return error as Finding
}

test('a conflict names patch, file, hunk and the kept three-way tree', async () => {
  const { series } = await makeSeries(dir)
  const linux = join(dir, 'linux')
  await commitFile(linux, 'mm/gup.c', edited(3, 'line 3 of another base'), 'another base')
  const base = await baseOf(linux)
  const keepDir = join(dir, 'kept')
  const finding = await failing(applySeries(base, series, { keepDir }))
  expect(finding).toMatchObject({ stage: 'apply', blame: series.patches[0]?.file })
  expect(finding.message).toContain('patch 1 of 3')
  const detail = finding.detail.join('\n')
  expect(detail).toMatch(/mm\/gup\.c: the hunk at line 1 does not apply/)
  expect(detail).toContain('three-way merge: conflict in mm/gup.c')
  expect(detail).toContain(keepDir)
  const conflicted = readFileSync(join(keepDir, 'mm/gup.c'), 'utf8')
  expect(conflicted).toContain('<<<<<<<')
  expect(conflicted).toContain('line three')
  expect(existsSync(join(keepDir, '.git/rebase-apply'))).toBe(true)
  // The user's half-done resolution survives another try.
  writeFileSync(join(keepDir, 'mm/gup.c'), 'half resolved')
  const second = await failing(applySeries(base, series, { keepDir }))
  expect(second.detail.join('\n')).toContain('earlier try')
  expect(readFileSync(join(keepDir, 'mm/gup.c'), 'utf8')).toBe('half resolved')
  await gitIn(linux, 'status')
})

test('a conflict whose old blobs are nowhere says so', async () => {
  const { series } = await makeSeries(dir)
  const elsewhere = await makeCheckout(join(dir, 'elsewhere'), {
    'mm/gup.c': edited(3, 'something else', LINES.replaceAll('line', 'row')),
    'block/bio.c': 'no copy of the old blob by another name\n',
  })
  const finding = await failing(applySeries(await baseOf(elsewhere), series))
  const detail = finding.detail.join('\n')
  expect(detail).toMatch(/no three-way merge: the file versions .* are not in the cache/)
  expect(detail).toContain(join(dir, 'cache/conflicts'))
})

test('a hostile patch that gets past the reader cannot leave the tree either', async () => {
  const { base, series, patches } = await makeSeries(dir)
  const file = series.patches[2]?.file ?? ''
  const text = readFileSync(join(patches, file), 'utf8').replaceAll('lib/phyr.c', '../../escaped.c')
  const forged = { ...series, patches: [{ ...series.patches[2]!, text }] }
  await failing(applySeries(base, forged))
  expect(existsSync(join(dir, 'escaped.c'))).toBe(false)
  writeFileSync(join(patches, file), text)
  expect(() => readSeries(patches)).toThrow(/may not touch/)
})
