// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { Finding } from '../../../tools/lib/errors.ts'
import { unquote } from '../../../tools/series/diff-scan.ts'
import { parsePatch, patchSubject } from '../../../tools/series/patch.ts'

const HEAD =
  'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n' +
  'From: A U Thor <a@example.com>\nDate: Thu, 1 Jan 2026 00:00:00 +0000\n' +
  'Subject: [PATCH] mm: touch it\n\nBody.\n\nSigned-off-by: A U Thor <a@example.com>\n---\n mm/gup.c | 2 +-\n\n'

const HUNK = '@@ -1 +1 @@\n-a\n+b\n'

function mail(diff: string): string {
  return `${HEAD}${diff}`
}

function refusal(diff: string): Finding {
  let caught: unknown
  try {
    parsePatch('0001-evil.patch', mail(diff), 1)
  } catch (error) {
    caught = error
  }
  expect(caught).toBeInstanceOf(Finding)
  return caught as Finding
}

test('subject, number, paths', () => {
  const diff = `diff --git a/mm/gup.c b/mm/gup.c\n--- a/mm/gup.c\n+++ b/mm/gup.c\n${HUNK}`
  const patch = parsePatch('0007-x.patch', mail(diff), 7)
  expect(patch).toMatchObject({
    number: 7,
    file: '0007-x.patch',
    subject: 'mm: touch it',
    paths: ['mm/gup.c'],
  })
})

test.each([
  ['[PATCH RFC v2 03/12] mm: x', 'mm: x'],
  ['[PATCH] [resend] mm: [x] y', 'mm: [x] y'],
  ['=?UTF-8?q?=5BPATCH=5D_mm=3A_f=C3=BCr?= =?UTF-8?q?_alle?=', 'mm: für alle'],
  ['[PATCH] =?UTF-8?B?bcO8?=', 'mü'],
  ['[PATCH] =?no-such-set?q?a?= b', '=?no-such-set?q?a?= b'],
])('subject %s', (raw, subject) => {
  expect(patchSubject(raw)).toBe(subject)
})

test('new, deleted, renamed, binary and mode-only changes name their files', () => {
  const diff =
    `diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n` +
    `diff --git a/old b/old\ndeleted file mode 100644\n--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n` +
    `diff --git a/from b/to\nsimilarity index 100%\nrename from from\nrename to to\n` +
    `diff --git a/bin b/bin\nGIT binary patch\nliteral 3\nKcmZQzWMT#Y01f~L\n\n` +
    `diff --git a/a b c b/a b c\nold mode 100644\nnew mode 100755\n`
  expect(parsePatch('x.patch', mail(diff), 1).paths).toEqual(['new', 'old', 'from', 'to', 'bin', 'a b c'])
})

test('lines of a hunk that look like headers are content', () => {
  const diff =
    'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n' +
    '--- a/../../etc/passwd\n+++ b/../../etc/passwd\n diff --git a/../y b/../y\n \n'
  expect(parsePatch('x.patch', mail(diff), 1).paths).toEqual(['x'])
})

test.each([
  ['climbs out', `diff --git a/../x b/../x\n--- a/../x\n+++ b/../x\n${HUNK}`],
  [
    'climbs out in the middle',
    `diff --git a/mm/../../x b/mm/../../x\n--- a/mm/../../x\n+++ b/mm/../../x\n${HUNK}`,
  ],
  ['is absolute', `diff --git a//etc/passwd b//etc/passwd\n--- a//etc/passwd\n+++ b//etc/passwd\n${HUNK}`],
  ['is absolute in a traditional header', `diff --git a/x b/x\n--- /etc/passwd\n+++ /etc/passwd\n${HUNK}`],
  ['is in .git', `diff --git a/.git/config b/.git/config\n--- a/.git/config\n+++ b/.git/config\n${HUNK}`],
  [
    'is in a nested .Git',
    `diff --git a/a/.Git/config b/a/.Git/config\n--- a/a/.Git/config\n+++ b/a/.Git/config\n${HUNK}`,
  ],
  [
    'is quoted and climbs out',
    `diff --git "a/\\056\\056/x" "b/\\056\\056/x"\n--- "a/\\056\\056/x"\n+++ "b/\\056\\056/x"\n${HUNK}`,
  ],
  ['has a quoted newline', `diff --git "a/x\\ny" "b/x\\ny"\n--- "a/x\\ny"\n+++ "b/x\\ny"\n${HUNK}`],
  ['is renamed outside', 'diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to ../y\n'],
  ['is copied outside', 'diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to "../y"\n'],
  ['is copied from outside', 'diff --git a/x b/y\nsimilarity index 100%\ncopy from /etc/passwd\ncopy to y\n'],
  ['hides behind a good header', `diff --git a/x b/x\n--- a/x\n+++ b/../y\n${HUNK}`],
  [
    'comes as a traditional diff after a good one',
    `diff --git a/x b/x\n--- a/x\n+++ b/x\n${HUNK}--- a/../y\n+++ b/../y\n${HUNK}`,
  ],
  [
    'comes after the signature',
    `diff --git a/x b/x\n--- a/x\n+++ b/x\n${HUNK}-- \n2.39\n\ndiff --git a/../y b/../y\n--- a/../y\n+++ b/../y\n${HUNK}`,
  ],
  [
    'is a link out of the tree',
    'diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+../../etc\n\\ No newline at end of file\n',
  ],
  [
    'is an absolute link',
    'diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n',
  ],
  [
    're-targets a link',
    'diff --git a/l b/l\nindex 1111111..2222222 120000\n--- a/l\n+++ b/l\n@@ -1 +1 @@\n-mm\n+/etc\n',
  ],
  [
    'is a submodule',
    'diff --git a/s b/s\nnew file mode 160000\n--- /dev/null\n+++ b/s\n@@ -0,0 +1 @@\n+Subproject commit 1234\n',
  ],
])('a path that %s is refused, the patch named', (_, diff) => {
  const finding = refusal(diff)
  expect(finding.stage).toBe('series')
  expect(finding.blame).toBe('0001-evil.patch')
  expect(finding.message).toMatch(/0001-evil\.patch: it may not/)
})

test('a patch that is cut off, empty, encoded or nameless is refused', () => {
  const diff = `diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n`
  expect(refusal(diff).message).toContain('cut off')
  expect(refusal('').message).toContain('changes no file')
  const good = mail(`diff --git a/x b/x\n--- a/x\n+++ b/x\n${HUNK}`)
  const encoded = good.replace('Subject:', 'Content-Transfer-Encoding: base64\nSubject:')
  expect(() => parsePatch('x', encoded, 1)).toThrow(/base64/)
  expect(() => parsePatch('x', good.replace(/Subject:.*\n/, ''), 1)).toThrow(/no Subject/)
})

test('a hostile subject cannot move the cursor in the message', () => {
  expect(() => parsePatch('\x1b[2Jx.patch', mail(''), 1)).toThrow(/^\\x1b\[2Jx\.patch/)
})

test('names as git quotes them', () => {
  expect(unquote('"a\\303\\244\\t\\"\\\\"')).toBe('aä\t"\\')
  expect(unquote('plain')).toBe('plain')
})
