// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UsageError } from '../../../tools/lib/errors.ts'
import { changelogProblems, changesBetween, type Change } from '../../../tools/mail/changes.ts'
import { parseCover } from '../../../tools/mail/cover-file.ts'
import { reroll } from '../../../tools/mail/reroll.ts'
import { historyOf, markSent, parseMessageId, sentSeries, sentVersions } from '../../../tools/mail/sent.ts'
import { parsePatch } from '../../../tools/series/patch.ts'
import { readSeries } from '../../../tools/series/read.ts'
import type { Patch } from '../../../tools/series/series.ts'

function text(subject: string, line = 'new', message = 'Why.', at = 3): string {
  return (
    `From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\nFrom: A <a@b.test>\n` +
    `Date: Thu, 1 Jan 2026 00:00:00 +0000\nSubject: [PATCH] ${subject}\n\n${message}\n---\n a.c | 2 +-\n\n` +
    `diff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -${at},3 +${at},3 @@\n x\n-old\n+${line}\n y\n`
  )
}

function patch(number: number, subject: string, ...rest: [string?, string?, number?]): Patch {
  return parsePatch(`000${number}-${subject.replace(/\W+/g, '-')}.patch`, text(subject, ...rest), number)
}

describe('changesBetween', () => {
  const a = patch(1, 'mm: a', 'one')
  const b = patch(2, 'mm: b', 'two')
  const c = patch(3, 'mm: c', 'three')

  test('nothing, when nothing changed but places and line numbers', async () => {
    expect(await changesBetween([a, b, c], [a, b, c])).toEqual([])
    const moved = [{ ...c, number: 1 }, { ...a, number: 2 }, patch(3, 'mm: b', 'two', 'Why.', 77)]
    expect(await changesBetween([a, b, c], moved)).toEqual([])
  })

  test.each<[string, Patch, Change[]]>([
    ['the diff', patch(2, 'mm: b', 'TWO'), [{ kind: 'changed', number: 2, subject: 'mm: b' }]],
    ['the message', patch(2, 'mm: b', 'two', 'Because.'), [{ kind: 'changed', number: 2, subject: 'mm: b' }]],
    ['the subject alone', patch(2, 'mm: B!', 'two'), [{ kind: 'changed', number: 2, subject: 'mm: B!' }]],
  ])('%s', async (_, now, want) => {
    expect(await changesBetween([a, b, c], [a, now, c])).toEqual(want)
  })

  test('added and dropped', async () => {
    const d = patch(2, 'mm: d', 'four')
    expect(await changesBetween([a, b], [a, d])).toEqual([
      { kind: 'added', number: 2, subject: 'mm: d' },
      { kind: 'dropped', number: 2, subject: 'mm: b' },
    ])
  })

  test('two patches that swap their subjects both changed', async () => {
    const swapped = [patch(1, 'mm: b', 'one'), patch(2, 'mm: a', 'two')]
    expect((await changesBetween([a, b], swapped)).map((one) => one.kind)).toEqual(['changed', 'changed'])
  })
})

describe('changelogProblems', () => {
  const patches = ['mm: a', 'mm: bb', 'mm: ccc', 'lib: d'].map((subject, i) => ({ number: i + 1, subject }))
  const before = { version: 1, messageId: 'x@y.test' }
  const link = '- Link to v1: https://lore.kernel.org/r/x@y.test'
  const changed = (number: number): Change => ({
    kind: 'changed',
    number,
    subject: patches[number - 1]!.subject,
  })
  const dropped: Change = { kind: 'dropped', number: 5, subject: 'mm: gone' }
  const problems = (section: string, ...really: Change[]): readonly string[] =>
    changelogProblems(`Changes in v2:\n${section}`, 2, really, patches, before)

  test.each([
    ['by number', `- patch 2: better\n${link}`, [changed(2)]],
    ['by a list of numbers', `- patches 1, 2 and 4: typos\n${link}`, [changed(1), changed(2), changed(4)]],
    ['by a range', `- patches 1-3: typos\n${link}`, [changed(1), changed(2), changed(3)]],
    ['by #', `- #3: typo\n${link}`, [changed(3)]],
    ['by subject, over two lines', `- "MM:\n  bb": better\n${link}`, [changed(2)]],
    ['dropped, by subject', `- dropped "mm: gone"\n${link}`, [dropped]],
    ['dropped, by its old number', `- dropped patch 5 of v1\n${link}`, [dropped]],
    ['dropped, the other way', `- v1 patch 5 is gone\n${link}`, [dropped]],
    ['nothing changed', `- resent\n${link}`, []],
  ])('holds: %s', (_, section, really) => {
    expect(problems(section, ...really)).toEqual([])
  })

  test.each([
    [
      'a change that is not named',
      `- patch 1: x\n${link}`,
      [changed(1), changed(2)],
      /does not say that patch 2 was changed/,
    ],
    ['a drop that is not named', `- x\n${link}`, [dropped], /patch 5 of v1 was dropped/],
    [
      'a drop named by a number of today',
      `- dropped patch 5\n${link}`,
      [dropped],
      /does not say.*names patch 5/,
    ],
    ['a patch that did not change', `- patch 3: x\n${link}`, [], /names patch 3, which did not change/],
    ['one by its subject', `- "lib: d" is better\n${link}`, [], /names patch 4 by its subject/],
    ['no link', '- patch 1: x', [changed(1)], /lacks the line "- Link to v1/],
    [
      'an invented link',
      '- patch 1: x\n- Link to v1: https://lore.kernel.org/r/other@y.test',
      [changed(1)],
      /links to .*other/,
    ],
    ['another archive', '- patch 1: x\n- Link to v1: https://evil.test/x@y.test', [changed(1)], /links to/],
  ])('finds: %s', (_, section, really, message) => {
    expect(problems(section, ...really).join(' ')).toMatch(message)
  })

  test('no section, an empty one, and that of an older version', () => {
    expect(changelogProblems('', 2, [], patches, before)).toEqual([expect.stringMatching(/no section/)])
    expect(problems('\n')).toEqual([expect.stringMatching(/no section/)])
    const old = `Changes in v2:\n- patch 2: x\n- Link to v1: x`
    expect(changelogProblems(old, 3, [], patches, { version: 2, messageId: 'z@y.test' })).toHaveLength(1)
  })
})

describe('what was sent', () => {
  let dir: string
  const META = {
    name: 'x',
    version: 1,
    changeId: '20260101-x-0123456789ab',
    base: { provider: 'debian', package: 'linux-source-7.3', version: '7.3.4' },
  }
  const write = (names: readonly [string, string][], meta = JSON.stringify(META)): void => {
    for (const [name, body] of names) writeFileSync(join(dir, name), body)
    writeFileSync(join(dir, 'series'), names.map(([name]) => `${name}\n`).join(''))
    writeFileSync(join(dir, 'series.json'), meta)
  }
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'phyr-sent-'))
    write([['0001-a.patch', text('mm: a')]])
    writeFileSync(join(dir, 'cover.md'), '# t\n\ntext\n\nTo: l@v.test\n')
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const sent = { messageId: '<m-1@h.test>', date: new Date(0), how: 'x', thread: undefined }

  test('is kept whole, and marking it again changes nothing', () => {
    mkdirSync(join(dir, 'out'))
    writeFileSync(join(dir, 'out/0001-a.patch'), 'mail')
    const done = markSent(dir, readSeries(dir), { ...sent, thread: join(dir, 'out') })
    expect(done).toEqual({ dir: join(dir, 'sent/v1'), known: false })
    expect(readFileSync(join(dir, 'sent/v1/mail/0001-a.patch'), 'utf8')).toBe('mail')
    const [one] = sentVersions(dir, META.changeId)
    expect(one).toMatchObject({ version: 1, messageId: 'm-1@h.test' })
    expect(sentSeries(one!).hash).toBe(readSeries(dir).hash)
    expect(historyOf([one!])).toEqual({ v1: ['m-1@h.test'] })
    expect(markSent(dir, readSeries(dir), sent).known).toBe(true)
    expect(readdirSync(join(dir, 'sent'))).toEqual(['v1'])
    expect(sentVersions(dir, '20260101-other-0123456789ab')).toEqual([])
  })

  test('cannot become something else', () => {
    markSent(dir, readSeries(dir), sent)
    expect(() => markSent(dir, readSeries(dir), { ...sent, messageId: 'm-2@h.test' })).toThrow(UsageError)
    writeFileSync(join(dir, '0001-a.patch'), text('mm: a', 'other'))
    expect(() => markSent(dir, readSeries(dir), sent)).toThrow(/was sent already/)
    expect(sentSeries(sentVersions(dir, META.changeId)[0]!).patches[0]!.text).toContain('+new')
  })

  test('a failure on the way leaves nothing that passes for a version', () => {
    expect(() => markSent(dir, readSeries(dir), { ...sent, thread: join(dir, 'not there') })).toThrow(
      /ENOENT|no such/,
    )
    expect(readdirSync(join(dir, 'sent'))).toEqual([])
    writeFileSync(join(dir, 'sent/.tmp-x'), '')
    expect(sentVersions(dir, META.changeId)).toEqual([])
    mkdirSync(join(dir, 'sent/v1'))
    expect(() => sentVersions(dir, META.changeId)).toThrow(/damaged/)
  })

  test.each(['x', '<a b@c>', 'a@b>c', '<a@b\nBcc: c@d>', '', '@h'])('%j is no Message-ID', (id) => {
    expect(() => parseMessageId(id)).toThrow(UsageError)
  })

  test('reroll: a section to fill in, the number, and every other byte as it was', () => {
    expect(() => reroll(dir, readSeries(dir))).toThrow(/was not sent/)
    markSent(dir, readSeries(dir), sent)
    const meta = readFileSync(join(dir, 'series.json'), 'utf8')
    expect(reroll(dir, readSeries(dir))).toEqual({ version: 2, changed: true })
    expect(readFileSync(join(dir, 'series.json'), 'utf8')).toBe(meta.replace('"version":1', '"version":2'))
    const cover = readFileSync(join(dir, 'cover.md'), 'utf8')
    expect(cover).toBe(
      '# t\n\ntext\n\n## Changes in v2\n\n- EDITME: each patch that changed, by its number, and why\n' +
        '- Link to v1: https://lore.kernel.org/r/m-1@h.test\n\nTo: l@v.test\n',
    )
    expect(() => parseCover(cover)).toThrow(/EDITME/)
    expect(reroll(dir, readSeries(dir))).toEqual({ version: 2, changed: false })
    expect(readFileSync(join(dir, 'cover.md'), 'utf8')).toBe(cover)
  })

  test('reroll goes on where it was interrupted, and puts v3 above v2', () => {
    markSent(dir, readSeries(dir), sent)
    reroll(dir, readSeries(dir))
    // Killed between the letter and the number.
    writeFileSync(join(dir, 'series.json'), JSON.stringify(META))
    expect(reroll(dir, readSeries(dir))).toEqual({ version: 2, changed: true })
    expect(readFileSync(join(dir, 'cover.md'), 'utf8').match(/Changes in v2/g)).toHaveLength(1)
    markSent(dir, readSeries(dir), { ...sent, messageId: 'm-2@h.test' })
    expect(reroll(dir, readSeries(dir)).version).toBe(3)
    const cover = readFileSync(join(dir, 'cover.md'), 'utf8')
    expect(cover.indexOf('Changes in v3')).toBeLessThan(cover.indexOf('Changes in v2'))
    expect(cover).toContain('Link to v2: https://lore.kernel.org/r/m-2@h.test')
    expect(sentVersions(dir, META.changeId).map((one) => one.version)).toEqual([1, 2])
  })

  test('a version that was skipped is not rerolled', () => {
    markSent(dir, readSeries(dir), sent)
    writeFileSync(join(dir, 'series.json'), JSON.stringify({ ...META, version: 3 }))
    expect(() => reroll(dir, readSeries(dir))).toThrow(/version 3 was not sent/)
  })
})
