// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { parseAdded } from '../../../tools/check/added-lines.ts'
import { checkpatchFindings } from '../../../tools/check/checkpatch.ts'
import { cocciRemarks } from '../../../tools/check/coccicheck.ts'
import { codespellFindings } from '../../../tools/check/codespell.ts'
import { newOnes } from '../../../tools/check/delta.ts'
import { documents, exportsOf, kernelDocRemarks, renamed } from '../../../tools/check/kernel-doc.ts'
import { readCoverage } from '../../../tools/check/maintainers.ts'

const nameOf = (file: string): string => `name of ${file}`

test("checkpatch's lines", () => {
  const output =
    'mm/gup.c:12: WARNING:LONG_LINE: line length of 111 exceeds 100 columns\n' +
    '-:7: ERROR:GIT_COMMIT_ID: Please use git: commit style\n' +
    'mm/gup.c:3: CHECK:SPACING: spaces\nmm/gup.c:99: ERROR:MISSING_SIGN_OFF: Missing Signed-off-by: line(s)\n' +
    'total: 1 errors\n'
  expect(checkpatchFindings(output)).toEqual([
    {
      tool: 'checkpatch',
      level: 'warning',
      file: 'mm/gup.c',
      line: 12,
      message: 'LONG_LINE: line length of 111 exceeds 100 columns',
    },
    { tool: 'checkpatch', level: 'error', line: 7, message: 'GIT_COMMIT_ID: Please use git: commit style' },
    { tool: 'checkpatch', level: 'warning', file: 'mm/gup.c', line: 3, message: 'SPACING: spaces' },
    { tool: 'checkpatch', level: 'error', message: 'MISSING_SIGN_OFF: Missing Signed-off-by: line(s)' },
  ])
})

test("kernel-doc's, coccinelle's and codespell's lines", () => {
  expect(kernelDocRemarks("Warning: 0.c:12 No description for 'x'\n".repeat(2), nameOf)).toEqual([
    { file: 'name of 0.c', line: 12, message: "No description for 'x'" },
  ])
  expect(
    cocciRemarks('1.c:5:2-9: ERROR: double lock on line 4\nnoise: 1\n', 'locks/double_lock', nameOf),
  ).toEqual([{ file: 'name of 1.c', line: 5, message: 'ERROR: double lock on line 4 (locks/double_lock)' }])
  expect(codespellFindings('0.c:3: teh ==> the\n./1.txt:4: a ==> b, c | why\n', nameOf)).toEqual([
    { tool: 'codespell', level: 'warning', file: 'name of 0.c', line: 3, message: 'teh ==> the' },
    { tool: 'codespell', level: 'warning', file: 'name of 1.txt', line: 4, message: 'a ==> b, c | why' },
  ])
  expect(codespellFindings('0.txt:3: teh ==> the\n', () => 'message')).toEqual([
    { tool: 'codespell', level: 'warning', line: 3, message: 'teh ==> the' },
  ])
})

test('only what is new is a finding, wherever its line went', () => {
  const at = (line: number, message: string, file = 'a.c') => ({ file, line, message })
  const before = [at(1, 'x'), at(9, 'twice, see line 4')]
  const after = [at(5, 'x'), at(19, 'twice, see line 14'), at(30, 'x'), at(2, 'x', 'b.c')]
  expect(newOnes('t', before, after)).toEqual([
    { tool: 't', level: 'warning', file: 'a.c', line: 30, message: 'x' },
    { tool: 't', level: 'warning', file: 'b.c', line: 2, message: 'x' },
  ])
  expect(newOnes('t', before, [])).toEqual([])
})

test('exports, and their kernel-doc', () => {
  const text =
    'EXPORT_SYMBOL(a);\nEXPORT_SYMBOL_GPL(b);\nEXPORT_SYMBOL_NS_GPL(c, "NS");\n' +
    'EXPORT_SYMBOL_FOR_MODULES(d, "x,y");\nEXPORT_SYMBOL_IF_KUNIT(e);\n /* EXPORT_SYMBOL(f); */\n'
  expect(exportsOf(text).map(({ name, line }) => `${name}${line}`)).toEqual(['a1', 'b2', 'c3', 'd4'])
  for (const doc of ['/**\n * go() - what', '/**\n * go - what', '/**\n\t * go:\n', '/**\n * go()\n * @x: y'])
    expect(documents(doc, 'go'), doc).toBe(true)
  for (const doc of [
    '/*\n * go() - what',
    '/**\n * gone() - what',
    '/**\n * calls go() - what',
    '// go() - what',
  ])
    expect(documents(doc, 'go'), doc).toBe(false)
})

test('an export with another name at the same place is renamed, one more is new', () => {
  const list = (...names: string[]) => names.map((name, i) => ({ name, line: i + 1 }))
  expect(renamed([{ before: list('a', 'b'), after: list('a', 'c') }])).toEqual(new Map([['b', 'c']]))
  expect(renamed([{ before: list('a'), after: list('a', 'c') }])).toEqual(new Map())
  expect(renamed([{ before: list('a', 'b'), after: list('b', 'a') }])).toEqual(new Map())
})

test('added lines, by file and number', () => {
  const diff =
    'diff --git a/x.c b/x.c\nindex 1..2 100644\n--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,3 @@ f\n---- a\n-b\n+++ c\n+d\n+e\n' +
    '@@ -9,0 +11 @@\n+g\n\\ No newline at end of file\n' +
    'diff --git "a/\\303\\274.h" "b/\\303\\274.h"\nnew file mode 100644\n--- /dev/null\n' +
    '+++ "b/\\303\\274.h"\n@@ -0,0 +1 @@\n+h\n'
  expect(parseAdded(diff)).toEqual([
    { path: 'x.c', line: 1, text: '++ c' },
    { path: 'x.c', line: 2, text: 'd' },
    { path: 'x.c', line: 3, text: 'e' },
    { path: 'x.c', line: 11, text: 'g' },
    { path: 'ü.h', line: 1, text: 'h' },
  ])
})

test('who gets a file', () => {
  const output =
    'A B <a@b.org> (maintainer:X SUBSYSTEM)\nlinux-mm@kvack.org (open list:X SUBSYSTEM)\n' +
    'linux-kernel@vger.kernel.org (open list)\nX SUBSYSTEM\nTHE REST\n'
  expect(readCoverage(output)).toEqual({
    people: ['A B <a@b.org> (maintainer:X SUBSYSTEM)', 'linux-mm@kvack.org (open list:X SUBSYSTEM)'],
    sections: ['X SUBSYSTEM'],
  })
  expect(readCoverage('linux-kernel@vger.kernel.org (open list)\nTHE REST\n')).toEqual({
    people: [],
    sections: [],
  })
})
