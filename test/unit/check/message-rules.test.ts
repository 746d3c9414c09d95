// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { imperativeOf } from '../../../tools/check/imperative.ts'
import { readMail } from '../../../tools/check/mail.ts'
import { bodyRules, headRules, isAddress, subjectRules } from '../../../tools/check/message-rules.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'
import { listedPatches } from '../../../tools/series/read.ts'
import { BODY, mailOf, type MailParts } from './mails.ts'

/** `level message` of everything that the rules of head, subject and body say. */
function said(parts: MailParts): string[] {
  const mail = readMail(mailOf(parts))
  return [...headRules(mail), ...subjectRules(mail), ...bodyRules(mail)].map(
    (finding) => `${finding.level} ${finding.message}`,
  )
}

test('a good message', () => {
  expect(said({})).toEqual([])
})

test.each([
  'mm: add x',
  'RDMA/siw: send the right bytes of a short payload',
  'dma-mapping: benchmark: a fixed number of operations',
  'dma-mapping: move dma_map_direct() into direct.h',
  'Revert "mm: add x"',
  'selftests: phyr: check that direct I/O releases what it pins',
  'net: hns3: embed the ring in the speed table',
])('good subject: %s', (subject) => {
  expect(said({ subject: `[PATCH] ${subject}` })).toEqual([])
})

test.each([
  ['put back the pins', 'warning the subject names no subsystem ("subsystem: summary")'],
  ['mm: put back the pins.', 'warning the subject ends with "."'],
  [`mm: ${'x'.repeat(72)}`, 'warning the subject has 76 columns, more than 75'],
  ['gup.c: put back the pins', 'warning a file name as prefix: name the subsystem'],
  ['mm: update gup.c', 'warning a file name is no summary: say what changes'],
  ['mm: mm/gup.c', 'warning a file name is no summary: say what changes'],
  ['mm: added a call', 'note not imperative: "add ..." rather than "added ..."'],
  ['mm: Fixing a leak', 'note not imperative: "fix ..." rather than "Fixing ..."'],
  ['mm: drops a pin', 'note not imperative: "drop ..." rather than "drops ..."'],
])('bad subject: %s', (subject, finding) => {
  expect(said({ subject: `[PATCH] ${subject}` })).toEqual([finding])
})

test('the brackets do not count as columns, and a folded subject is one line', () => {
  const long = `mm: ${'x'.repeat(71)}`
  expect(said({ subject: `[PATCH RFC v12 01/12] ${long}` })).toEqual([])
  expect(said({ subject: '[PATCH] mm/gup: put back the\n pins of the second page' })).toEqual([])
})

test.each([
  ['Cc: x@example.com\n', 'warning Cc in a patch of the series: nothing reads it'],
  ['Subject: another\n', 'error a second Subject in the head'],
  ['no field at all\n', 'error the head has a line that is no header field: "no field at all"'],
  ['X-A: a\x1b[2Jb\n', 'error control characters in X-A: "a\\u001b[2Jb"'],
])('a head with %j', (head, finding) => {
  expect(said({ head })).toContain(finding)
})

test('a line break that is encoded in the subject, to become a header field later', () => {
  const found = said({ subject: '=?UTF-8?q?mm:_x=0D=0ABcc:_evil@example.com?=' })
  expect(found.some((one) => one.startsWith('error control characters in Subject'))).toBe(true)
})

test('no author, and one that is no address', () => {
  expect(said({ from: 'Somebody' })).toEqual(['error From is no address: "Somebody"'])
  expect(said({ from: 'a@b\nX-From: c' })).toEqual([])
})

test.each([
  ['', 'error no description: the message has a subject and at most trailers'],
  [`${BODY}\n\n${'word '.repeat(18)}`.trim(), 'warning 89 columns, more than 75'],
  [`${BODY}\nbell \x07`, 'error control characters: "bell \\u0007"'],
  [`${BODY}\r`, `error control characters: ${JSON.stringify(`${BODY}\r`)}`],
  ['From the start.\nIt leaks.', 'error a line that begins with "From " begins a new mail in an mbox'],
  ['diff -u a b\nIt leaks.', 'error git am would end the message at "diff -u a b"'],
  ['EDITME: describe it', 'error a placeholder is left: "EDITME: describe it"'],
  ['It leaks.\n\nChanges in v2:\n- x', 'warning the history of versions belongs below the line "---"'],
])('a body of %j', (body, finding) => {
  expect(said({ body })).toEqual([finding])
})

test('"This patch adds" is a note', () => {
  expect(said({ body: 'This patch adds a call.' })[0]).toMatch(/^note imperative mood/)
  expect(said({ body: 'This series adds a call.' })).toEqual([])
})

test('every long line is found, and the exceptions are not', () => {
  const long = 'x'.repeat(76)
  expect(said({ body: `It leaks.\n${long}\n${long}` })).toHaveLength(2)
  const exceptions = [
    `https://example.com/${long}`,
    `  [1] https://example.com/${long}`,
    `> ${long}`,
    `drivers/infiniband/sw/rxe/rxe_mr.c:12: ${long}`,
    ` drivers/infiniband/sw/rxe/rxe_mr.c | 12 ${long}`,
    `[  12.345678] ${long}\n  ${long}`,
    `WARNING: at ${long}`,
  ]
  for (const line of exceptions) expect(said({ body: `It leaks.\n\n${line}` }), line).toEqual([])
  // A stack dump ends at the first blank line.
  expect(said({ body: `It leaks.\n\nBUG: ${long}\n\n${long}` })).toHaveLength(1)
  // Wide characters count once.
  expect(said({ body: `It leaks.\n${'ü'.repeat(75)}` })).toEqual([])
})

test('no line between message and diff', () => {
  const text = mailOf().replace('\n---\n', '\n')
  expect(bodyRules(readMail(text)).map((one) => one.message)).toContain(
    'no line "---" between the message and the diff',
  )
})

test.each(['a@b.org', 'A B <a@b.org>', '"B, A" <a@b.org>', 'Jörg Ä <j.a+x@b-c.org>', "O'Neil <o@b.org>"])(
  'address %s',
  (text) => {
    expect(isAddress(text)).toBe(true)
  },
)

test.each([
  '',
  'A B',
  'B, A <a@b.org>',
  'A <a@b',
  'a@@b',
  'a@b..c',
  'A <a@b>, C <c@d>',
  'a b@c',
  'A <a@b.org> x',
])('no address: %j', (text) => {
  expect(isAddress(text)).toBe(false)
})

test('imperative: forms of verbs, and words that only look like them', () => {
  expect(
    ['adds', 'added', 'adding', 'fixes', 'copies', 'dropped', 'made', 'using'].map(imperativeOf),
  ).toEqual(['add', 'add', 'add', 'fix', 'copy', 'drop', 'make', 'use'])
  for (const word of ['add', 'speed', 'need', 'string', 'embed', 'pass', 'address', 'process', 'a'])
    expect(imperativeOf(word), word).toBeUndefined()
})

test('the subjects and messages of the series itself are read whole', () => {
  const dir = join(toolRoot, 'patches')
  for (const file of listedPatches(readFileSync(join(dir, 'series'), 'utf8'))) {
    const mail = readMail(readFileSync(join(dir, file), 'utf8'))
    expect(mail.hasCut, file).toBe(true)
    expect(mail.strays, file).toEqual([])
    expect(mail.trailers.length, file).toBeGreaterThan(0)
  }
})
