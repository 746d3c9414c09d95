// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { reroll } from '../../../tools/mail/reroll.ts'
import { markSent } from '../../../tools/mail/sent.ts'
import { versionsOf } from '../../../tools/mail/versions.ts'
import { applySeries } from '../../../tools/series/apply.ts'
import { readSeries } from '../../../tools/series/read.ts'
import type { Applied } from '../../../tools/series/series.ts'
import { lines, seriesOf } from '../split/split-fixture.ts'

const SIGNAL = new AbortController().signal
const SENT = { messageId: '<m-1@h.test>', date: new Date(0), how: 'x', thread: undefined }

let dir: string
let patches: string
let applied: Applied
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-reroll-'))
  ;({ patches, applied } = await seriesOf(dir, { 'a.c': lines(200), 'b.c': lines(9) }, [
    { subject: 'mm: one', files: { 'a.c': lines(200, { 5: 'first' }) } },
    { subject: 'block: two', files: { 'b.c': lines(9, { 5: 'alone' }) } },
  ]))
  writeFileSync(join(patches, 'cover.md'), '# t\n\ntext\n')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** v1 is sent, v2 begun, and the first patch changed by `edit`. */
async function second(edit: (text: string) => string): Promise<Applied> {
  markSent(patches, readSeries(patches), SENT)
  reroll(patches, readSeries(patches))
  const file = join(patches, readSeries(patches).patches[0]!.file)
  writeFileSync(file, edit(readFileSync(file, 'utf8')))
  return applySeries(applied.base, readSeries(patches))
}

test('a first version has no history; once sent it must be said that it is sent again', async () => {
  const of = async (resend: boolean): Promise<readonly string[]> =>
    (await versionsOf(patches, applied, '', resend, SIGNAL)).problems
  expect(await of(false)).toEqual([])
  markSent(patches, readSeries(patches), SENT)
  expect(await of(false)).toEqual([expect.stringMatching(/v1 was sent already \(<m-1@h.test>\)/)])
  expect(await of(true)).toEqual([])
})

test('the second version: the range-diff shows what changed, and the changelog has to name it', async () => {
  const now = await second((text) => text.replace('+first', '+FIRST'))
  const changes = (line: string): string =>
    `Changes in v2:\n${line}- Link to v1: https://lore.kernel.org/r/m-1@h.test\n`
  const silent = await versionsOf(patches, now, changes('- patch 2: said more\n'), false, SIGNAL)
  expect(silent.rangeDiff).toMatch(/^Range-diff against v1:\n/)
  expect(silent.rangeDiff).toMatch(/-\+first\n.*\+\+FIRST/s)
  expect(silent.rangeDiff).toMatch(/^2: .* = 2: .* block: two$/m)
  expect(silent.problems.join('\n')).toMatch(/mm: one/)
  expect(silent.problems.join('\n')).toMatch(/names patch 2, which did not change/)
  const said = await versionsOf(patches, now, changes('- patch 1: louder\n'), false, SIGNAL)
  expect(said.problems).toEqual([])
  expect(said.history).toEqual({ v1: ['m-1@h.test'] })
})

test('a range-diff that nobody would read is a list', async () => {
  const many = (every: number): string =>
    lines(
      200,
      Object.fromEntries(Array.from({ length: 150 }, (_, i) => [i + 20, i % every ? `was ${i}` : `is ${i}`])),
    )
  const large = async (name: string, every: number): Promise<Awaited<ReturnType<typeof seriesOf>>> =>
    seriesOf(join(dir, name), { 'a.c': lines(200) }, [{ subject: 'mm: one', files: { 'a.c': many(every) } }])
  ;({ patches, applied } = await large('first', 1000))
  writeFileSync(join(patches, 'cover.md'), '# t\n\ntext\n')
  const other = (await large('second', 3)).applied.series.patches[0]!.text
  const now = await second(() => other)
  const { rangeDiff } = await versionsOf(patches, now, '', false, SIGNAL)
  expect(rangeDiff).toMatch(/^Range-diff against v1, without the \d{3} lines of it:\n1: .* ! 1: .* mm: one$/)
})

test('without the version before nobody can tell what changed', async () => {
  const now = await second((text) => text)
  rmSync(join(patches, 'sent'), { recursive: true })
  const { problems } = await versionsOf(patches, now, '', false, SIGNAL)
  expect(problems).toEqual([expect.stringMatching(/patches\/sent has no v1/)])
})
