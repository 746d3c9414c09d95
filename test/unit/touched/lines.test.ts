// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { addedLines } from '../../../tools/touched/added-lines.ts'
import { codeLines, compiledLines, linesSeen } from '../../../tools/touched/code-lines.ts'

test('lines that a patch adds are numbered as the file has them afterwards', () => {
  const patch = `--- a/mm/gup.c
+++ b/mm/gup.c
@@ -1,3 +1,4 @@ f
 one
-two
+2
+2b
 three
@@ -10 +11,2 @@
 ten
+eleven
diff --git a/old.c b/old.c
--- a/old.c
+++ /dev/null
@@ -1 +0,0 @@
-gone
-- 
2.39.5
`
  expect([...addedLines(patch)]).toEqual([['mm/gup.c', [2, 3, 12]]])
})

test('code lines: no comments, directives, macros, lone braces and elses; quotes hide comment signs', () => {
  const text = [
    '/* int a;',
    ' * int b; */ int c;',
    '#define F(x) \\',
    '\tg(x)',
    'char *s = "/*";',
    '// int d;',
    '\t} else {',
    '\tx = 1; // why',
    '};',
    '',
  ].join('\n')
  expect(codeLines(text).map((c) => [c.line, c.text])).toEqual([
    [2, '* int b; */ int c;'],
    [5, 'char *s = "/*";'],
    [8, 'x = 1; // why'],
  ])
})

const SOURCE = `int top;
#ifdef CONFIG_SET
int set = F(a,
	b);
#else
int other;
#endif
int last;
`

test('a line under an option that nobody sets is not compiled', () => {
  const code = codeLines(SOURCE)
  // What gcc -E writes: the arguments of a macro come out on its first line.
  const output = `# 0 "/tree/f.c"
# 1 "/usr/include/stdc-predef.h" 1 3 4
# 0 "/tree/f.c" 2
# 1 "/tree/f.c"
int top;

int set = (a + b);




int last;
`
  const seen = linesSeen(output, (name) => (name === '/tree/f.c' ? 'f.c' : undefined)).get('f.c')
  expect([...(seen ?? [])]).toEqual([1, 3, 8])
  expect([...compiledLines(code, seen ?? new Set())]).toEqual([1, 3, 4, 8])
})

test('a file that is included several times is seen where any of them was', () => {
  const output = '# 1 "h.h" 1\nint a;\n# 9 "x.c" 2\nint x;\n# 1 "h.h" 1\n\nint b;\n'
  const seen = linesSeen(output, (name) => (name === 'h.h' ? name : undefined)).get('h.h')
  expect([...(seen ?? [])]).toEqual([1, 2])
})
