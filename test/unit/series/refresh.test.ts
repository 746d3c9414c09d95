// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { UsageError } from '../../../tools/lib/errors.ts'
import { applySeries } from '../../../tools/series/apply.ts'
import { editTree } from '../../../tools/series/edit.ts'
import { notesOf, patchFileName } from '../../../tools/series/format.ts'
import { orderFile } from '../../../tools/series/order-file.ts'
import { readSeries } from '../../../tools/series/read.ts'
import { refreshSeries } from '../../../tools/series/refresh.ts'
import type { Series } from '../../../tools/series/series.ts'
import { baseOf, gitIn, scratch, writeFiles } from '../base/repo-fixture.ts'
import { commitFile, edited, makeSeries } from './series-fixture.ts'

let dir: string
let remove: () => void
let patches: string
let series: Series
let tree: string
beforeEach(async () => {
  ;({ dir, remove } = scratch())
  const made = await makeSeries(dir)
  ;({ series, patches } = made)
  tree = await editTree(await applySeries(made.base, series), join(dir, 'edit'))
})
afterEach(() => remove())

const NOTHING = { changed: [], removed: [], added: [] }

/** Name, bytes and time of every file of the series. */
function snapshot(): string[] {
  return readdirSync(patches)
    .toSorted()
    .map(
      (name) =>
        `${name} ${statSync(join(patches, name)).mtimeMs} ${readFileSync(join(patches, name), 'latin1')}`,
    )
}

test('the patches are normalised git-format patches', () => {
  expect(series.patches.map((p) => p.file)).toEqual([
    '0001-mm-spell-out-three.patch',
    '0002-mm-spell-out-four.patch',
    '0003-lib-f-r-phyr.patch',
  ])
  const text = series.patches[2]?.text ?? ''
  expect(text.split('\n').slice(0, 8)).toEqual([
    'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001',
    'From: Jörg Ä <j@example.com>',
    'Date: Thu, 1 Jan 2026 00:00:00 +0000',
    'Subject: [PATCH] lib: für phyr',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    'Content-Transfer-Encoding: 8bit',
    '',
  ])
  expect(text).not.toMatch(/\n-- \n/)
  expect(text).toMatch(/^index 000000000000\.\.[0-9a-f]{12}$/m)
})

test('nothing changed: no file is written', async () => {
  const before = snapshot()
  expect(await refreshSeries(tree, series)).toEqual(NOTHING)
  expect(snapshot()).toEqual(before)
})

test('a foreign patch file keeps its bytes while its commit says the same', async () => {
  const file = join(patches, '0001-mm-spell-out-three.patch')
  const foreign = readFileSync(file, 'utf8')
    .replace('Date: Thu, 1 Jan 2026 00:00:00 +0000', 'Date: Fri, 2 Feb 2024 10:00:00 +0200')
    .replace('[PATCH]', '[PATCH v7 1/3]')
    .replace(/$/, '-- \n2.47.1\n')
  writeFileSync(file, foreign)
  const reread = readSeries(patches)
  const applied = await applySeries((await makeBase()).base, reread)
  const edit = await editTree(applied, join(dir, 'edit2'))
  // Rewritten with other dates: the hashes differ, what is said does not.
  await gitIn(edit, 'rebase', '-q', '--force-rebase', 'phyr-base')
  expect(await refreshSeries(edit, reread)).toEqual(NOTHING)
  expect(readFileSync(file, 'utf8')).toBe(foreign)
})

test('a changed patch is written again under its name, with its notes, and the next one too when its diff moved', async () => {
  const file = '0001-mm-spell-out-three.patch'
  const noted = readFileSync(join(patches, file), 'utf8').replace(
    '\n---\n',
    '\n---\nv2: new\n\nLink to v1: x\n',
  )
  writeFileSync(join(patches, file), noted)
  const reread = readSeries(patches)
  await gitIn(tree, 'reset', '-q', '--hard', 'HEAD~2')
  writeFiles(tree, { 'mm/gup.c': edited(3, 'line THREE') })
  await gitIn(tree, 'commit', '-q', '-a', '--amend', '--no-edit')
  writeFiles(tree, { 'mm/gup.c': edited(4, 'line four', edited(3, 'line THREE')) })
  await gitIn(tree, 'commit', '-q', '-a', '-m', 'mm: spell out four')
  const third = series.patches[2]?.file ?? ''
  expect(await refreshSeries(tree, reread)).toEqual({
    changed: [file, '0002-mm-spell-out-four.patch'],
    removed: [third],
    added: [],
  })
  const text = readFileSync(join(patches, file), 'utf8')
  expect(text).toContain('+line THREE')
  expect(text).toContain('\n---\nv2: new\n\nLink to v1: x\n\n mm/gup.c | 2 +-\n')
  expect(existsSync(join(patches, third))).toBe(false)
  const again = readSeries(patches)
  expect(again.patches).toHaveLength(2)
  expect(await refreshSeries(tree, again)).toEqual(NOTHING)
})

test('a new, a renamed and a moved patch', async () => {
  const [a, b, c] = (await gitIn(tree, 'rev-list', '--reverse', 'phyr-base..HEAD')).split('\n')
  await gitIn(tree, 'reset', '-q', '--hard', 'phyr-base')
  await gitIn(tree, 'cherry-pick', c ?? '', a ?? '', b ?? '')
  await gitIn(tree, 'commit', '-q', '--amend', '-m', 'mm: spell four')
  await commitFile(tree, 'fs/new.c', 'new\n', 'fs: ../../new; $(file)')
  expect(await refreshSeries(tree, series)).toEqual({
    changed: [],
    removed: ['0002-mm-spell-out-four.patch'],
    added: ['0003-mm-spell-four.patch', '0004-fs-.-.-new-file.patch'],
  })
  expect(readFileSync(join(patches, 'series'), 'utf8')).toBe(
    '0003-lib-f-r-phyr.patch\n0001-mm-spell-out-three.patch\n0003-mm-spell-four.patch\n0004-fs-.-.-new-file.patch\n',
  )
  const { base } = await makeBase()
  const applied = await applySeries(base, readSeries(patches))
  expect(applied.tree).toBe(await gitIn(tree, 'rev-parse', 'HEAD^{tree}'))
})

test('unfinished work, merges and foreign trees are refused, and nothing is written', async () => {
  const before = snapshot()
  const refused = async (what: RegExp): Promise<void> => {
    const error: unknown = await refreshSeries(tree, series).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toMatch(what)
  }
  writeFiles(tree, { 'mm/gup.c': 'dirty\n' })
  await refused(/not committed/)
  await gitIn(tree, 'checkout', '-q', '--', '.')
  await gitIn(tree, 'checkout', '-q', '-b', 'side', 'HEAD~1')
  await commitFile(tree, 'side.c', 'x\n', 'side')
  await gitIn(tree, 'merge', '-q', '--no-edit', 'phyr')
  await refused(/is a merge/)
  await gitIn(tree, 'checkout', '-q', '--orphan', 'other')
  await gitIn(tree, 'commit', '-q', '-m', 'other')
  await refused(/not on top of the base/)
  expect(snapshot()).toEqual(before)
  await expect(refreshSeries(join(dir, 'linux'), series)).rejects.toBeInstanceOf(UsageError)
  const applied = await applySeries((await makeBase()).base, series)
  await expect(editTree(applied, tree)).rejects.toBeInstanceOf(UsageError)
})

test('comments of the order file go with their patches', () => {
  const old = '# The series\n\n# first\na.patch\nb.patch # why\n# third\nc.patch\n'
  expect(orderFile(old, ['a.patch', 'b.patch', 'c.patch'])).toBe(old)
  expect(orderFile(old, ['c.patch', 'a.patch', 'n.patch'])).toBe(
    '# The series\n\n# third\nc.patch\n# first\na.patch\nn.patch\n',
  )
})

test('notes and file names', () => {
  expect(notesOf('x\n---\n a | 1 +\n')).toBe('')
  expect(notesOf('x\n---\nChanges in v2:\n- all\n\n a | 1 +\n')).toBe('Changes in v2:\n- all\n')
  expect(patchFileName(3, '../../etc/passwd', new Set())).toBe('0003-etc-passwd.patch')
  expect(patchFileName(3, '💥', new Set(['0003-patch.patch']))).toBe('0003-patch-2.patch')
})

/** The base that makeSeries() made, again. */
async function makeBase(): Promise<{ base: Awaited<ReturnType<typeof makeSeries>>['base'] }> {
  return { base: await baseOf(join(dir, 'linux')) }
}
