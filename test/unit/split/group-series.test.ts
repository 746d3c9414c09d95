// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { applySeries } from '../../../tools/series/apply.ts'
import { readSeries } from '../../../tools/series/read.ts'
import type { Applied } from '../../../tools/series/series.ts'
import { groupSeries } from '../../../tools/split/group-series.ts'
import { gitIn } from '../base/repo-fixture.ts'
import { lines, seriesOf } from './split-fixture.ts'

const SIGNAL = new AbortController().signal
const A = '20261121-x-a-0123456789ab'
const B = '20261121-x-b-ba9876543210'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-group-series-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Patches 1 and 3 change a.c, the third by what the first made; 2 is alone. Groups: a has 1, b has 3, c has 2. */
async function makeThree(): Promise<{ applied: Applied; patches: string }> {
  const { applied, patches } = await seriesOf(dir, { 'a.c': lines(9), 'b.c': lines(9) }, [
    { subject: 'mm: one', files: { 'a.c': lines(9, { 5: 'first' }) } },
    { subject: 'block: two', files: { 'b.c': lines(9, { 5: 'alone' }) } },
    { subject: 'mm: three', files: { 'a.c': lines(9, { 5: 'second' }) } },
  ])
  const [one, two, three] = applied.series.patches.map((patch) => patch.file)
  const group = (name: string, title: string, id: string, file?: string): string =>
    `  - { name: ${name}, title: '${title}', changeId: ${id}, patches: [${file}] }\n`
  writeFileSync(
    join(patches, 'groups.yaml'),
    `groups:\n${group('a', 'mm: one', A, one)}${group('b', 'mm: three', B, three)}` +
      group('c', 'block: two', '20261121-x-c-0123456789cc', two),
  )
  mkdirSync(join(patches, 'groups'))
  writeFileSync(join(patches, 'groups/b.md'), '# mm: three\n\nText of b.\n')
  return { applied, patches }
}

test('a group is a series of its own on the groups it stands on, without the others', async () => {
  const { applied, patches } = await makeThree()
  const b = await groupSeries(patches, applied, 'b', SIGNAL)
  expect(b.problems).toEqual([])
  expect(b.prerequisites).toEqual([`prerequisite-change-id: ${A}:v1`])
  expect(b.cover).toContain('Text of b.')
  expect(b.applied.series).toMatchObject({ changeId: B, version: 1, group: 'b' })
  expect(b.applied.series.patches.map(({ number, subject }) => [number, subject])).toEqual([[1, 'mm: three']])
  const show = async (file: string): Promise<string> =>
    gitIn(b.applied.base.repo, 'show', `${b.applied.commit}:${file}`)
  expect(await show('a.c')).toContain('second')
  expect(await show('b.c')).not.toContain('alone')
})

test('a cover letter that nobody wrote forbids it, and one that stands alone names no prerequisite', async () => {
  const { applied, patches } = await makeThree()
  const c = await groupSeries(patches, applied, 'c', SIGNAL)
  expect(c.prerequisites).toEqual([])
  expect(c.problems).toEqual([expect.stringMatching(/there is no patches\/groups\/c\.md/)])
  await expect(groupSeries(patches, applied, 'd', SIGNAL)).rejects.toThrow(/there is no group "d"/)
})

test('what is below a group belongs to its hash, so that a proof of it is void when that changes', async () => {
  const { applied, patches } = await makeThree()
  const before = await groupSeries(patches, applied, 'b', SIGNAL)
  const first = join(patches, applied.series.patches[0]!.file)
  writeFileSync(
    first,
    readFileSync(first, 'utf8').replace('Subject: [PATCH] mm: one', 'Subject: [PATCH] mm: uno'),
  )
  const changed = await applySeries(applied.base, readSeries(patches))
  const after = await groupSeries(patches, changed, 'b', SIGNAL)
  expect(after.applied.series.hash).not.toBe(before.applied.series.hash)
  expect(after.applied.tree).toBe(before.applied.tree)
})
