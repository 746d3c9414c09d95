// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Finding } from '../../../tools/lib/errors.ts'
import { checkOrder, planPatches, type Planned } from '../../../tools/split/plan.ts'
import { ScratchIndex } from '../../../tools/split/scratch-index.ts'
import { textNeeds } from '../../../tools/split/text-needs.ts'
import { scratch } from '../base/repo-fixture.ts'
import { lines, seriesOf, type Step } from './split-fixture.ts'

let dir: string
let remove: () => void
beforeEach(() => ({ dir, remove } = scratch()))
afterEach(() => remove())

const signal = new AbortController().signal

async function plan(
  files: Readonly<Record<string, string>>,
  steps: readonly Step[],
): Promise<readonly Planned[]> {
  const { applied } = await seriesOf(dir, files, steps)
  return planPatches(applied, signal)
}

/** What every patch needs directly. */
function direct(planned: readonly Planned[]): number[][] {
  return planned.map((patch) => patch.needs.map((need) => need.on))
}

test('neighbouring lines need each other, lines far apart do not, and what is implied is left out', async () => {
  const planned = await plan({ 'a.c': lines(60) }, [
    { subject: 'a: 5', files: { 'a.c': lines(60, { 5: 'five' }) } },
    { subject: 'a: 50', files: { 'a.c': lines(60, { 5: 'five', 50: 'fifty' }) } },
    { subject: 'a: 6', files: { 'a.c': lines(60, { 5: 'five', 6: 'six', 50: 'fifty' }) } },
    { subject: 'a: 6 and 7', files: { 'a.c': lines(60, { 5: 'five', 6: 'six!', 7: 'seven', 50: 'fifty' }) } },
  ])
  expect(direct(planned)).toEqual([[], [], [1], [3]])
  expect(planned[3]).toMatchObject({ all: [1, 3], alone: false })
  expect(planned[2]?.needs[0]?.text.join()).toMatch(/a\.c: the hunk at line \d+ does not apply/)
  expect(planned[1]?.alone).toBe(true)
})

test('a hunk that finds another place than the one that was meant needs the patch that makes the difference', async () => {
  // Two equal blocks; patch 1 puts a third in front, patch 2 changes that one.
  const block = 'static void f(void)\n{\n\ta();\n\tb();\n\tc();\n\td();\n\te();\n\tg();\n}\n'
  const other = block.replace('c();', 'changed();')
  const planned = await plan({ 'a.c': `${lines(8)}${block}${lines(12)}` }, [
    { subject: 'a: one more', files: { 'a.c': `${lines(8)}${block}${lines(12)}${block}` } },
    { subject: 'a: change the new one', files: { 'a.c': `${lines(8)}${block}${lines(12)}${other}` } },
  ])
  // git apply would change the old block without a word.
  expect(direct(planned)).toEqual([[], [1]])
  expect(planned[1]?.needs[0]?.text).toEqual(['the order of the two matters: they change neighbouring lines'])
})

test('a new file, a deleted one and a renamed one', async () => {
  const { applied } = await seriesOf(dir, { 'old.c': lines(30) }, [
    { subject: 'n: new file', files: { 'new.txt': lines(5) } },
    { subject: 'n: change it', files: { 'new.txt': lines(5, { 2: 'two' }) } },
    { subject: 'o: elsewhere', files: { 'other.txt': 'x\n' } },
  ])
  expect(direct(await planPatches(applied, signal))).toEqual([[], [1], []])
})

test('nothing is written into the repository of the base, and nothing is left over', async () => {
  const { base, applied } = await seriesOf(dir, { 'a.c': lines(30) }, [
    { subject: 'a: 5', files: { 'a.c': lines(30, { 5: 'five' }) } },
    { subject: 'a: 25', files: { 'a.c': lines(30, { 5: 'five', 25: 'x' }) } },
  ])
  const objects = (): string[] =>
    readdirSync(join(base.repo, 'objects'), { recursive: true }).map(String).toSorted()
  const before = objects()
  await ScratchIndex.with(base, applied.series.patches, signal, (index) =>
    textNeeds(index, applied.series.patches),
  )
  expect(objects()).toEqual(before)
})

test('groups in another order have to lead to the same files', async () => {
  const { applied } = await seriesOf(dir, { 'a.c': lines(30) }, [
    { subject: 'a: 5', files: { 'a.c': lines(30, { 5: 'five' }) } },
    { subject: 'a: 6', files: { 'a.c': lines(30, { 5: 'five', 6: 'six' }) } },
    { subject: 'a: 25', files: { 'a.c': lines(30, { 5: 'five', 6: 'six', 25: 'x' }) } },
  ])
  const [one, two, three] = applied.series.patches
  await checkOrder(applied, [three!, one!, two!], signal)
  await expect(checkOrder(applied, [two!, one!, three!], signal)).rejects.toBeInstanceOf(Finding)
  await expect(checkOrder(applied, [one!, two!], signal)).rejects.toThrow(/do not lead to/)
})

test('names: functions, types, macros, members, config options, headers and objects', async () => {
  const planned = await plan(
    {
      'include/linux/old.h': 'struct old {\n\tint len;\n};\n',
      'drivers/a.c': lines(9),
      'drivers/Makefile': 'obj-y += a.o\n',
      'drivers/Kconfig': 'config A\n\tbool "a"\n',
    },
    [
      {
        subject: 'api',
        files: {
          'include/linux/api.h':
            '#define API_MAX 4\nstruct api {\n\tint len;\n\tint api_depth;\n};\nenum {\n\tAPI_ONE,\n\tAPI_TWO = 2,\n};\nint api_do(struct api *a);\nstatic inline bool api_ok(void)\n{\n\treturn true;\n}\n',
        },
      },
      {
        subject: 'config',
        files: { 'drivers/Kconfig': 'config A\n\tbool "a"\n\nconfig API_TEST\n\tbool "b"\n' },
      },
      { subject: 'b.c', files: { 'drivers/b.c': 'static int hidden(void)\n{\n\treturn 1;\n}\n' } },
      { subject: 'calls', files: { 'lib/call.c': 'int x(void)\n{\n\treturn api_do(NULL);\n}\n' } },
      { subject: 'macro', files: { 'lib/macro.c': 'int y = API_MAX;\n' } },
      { subject: 'value', files: { 'lib/value.c': 'int z = API_TWO;\n' } },
      {
        subject: 'member',
        files: { 'lib/member.c': 'int m(struct foo *f)\n{\n\treturn f->api_depth;\n}\n' },
      },
      {
        subject: 'a member of every other struct',
        files: { 'lib/len.c': 'int l(struct foo *f)\n{\n\treturn f->len;\n}\n' },
      },
      { subject: 'ifdef', files: { 'lib/if.c': '#ifdef CONFIG_API_TEST\n#endif\n' } },
      { subject: 'include', files: { 'lib/inc.c': '#include <linux/api.h>\n' } },
      { subject: 'object', files: { 'drivers/Makefile': 'obj-y += a.o\nobj-y += b.o\n' } },
      { subject: 'hidden elsewhere', files: { 'lib/h.c': 'static int hidden(void);\nint q = hidden();\n' } },
      {
        subject: 'comment and string',
        files: { 'lib/c.c': '/* api_do() */\n/*\n * struct api\n */\nchar *s = "api_do(";\n' },
      },
    ],
  )
  const by = new Map(
    planned.map((patch) => [
      patch.subject,
      patch.needs.map((n) => [n.on, ...n.symbols.map((s) => `${s.kind} ${s.name}`)]),
    ]),
  )
  expect(by.get('calls')).toEqual([[1, 'function api_do']])
  expect(by.get('macro')).toEqual([[1, 'macro API_MAX']])
  expect(by.get('value')).toEqual([[1, 'value API_TWO']])
  expect(by.get('member')).toEqual([[1, 'member api_depth']])
  expect(by.get('a member of every other struct')).toEqual([])
  expect(by.get('ifdef')).toEqual([[2, 'config API_TEST']])
  expect(by.get('include')).toEqual([[1, 'file include/linux/api.h']])
  expect(by.get('object')).toEqual([[3, 'file drivers/b.c']])
  expect(by.get('hidden elsewhere')).toEqual([])
  expect(by.get('comment and string')).toEqual([])
})

test('a definition that goes needs the patches that take its users away; a moved one is needed where it moved to', async () => {
  const planned = await plan(
    {
      'lib/f.c': `int f(void)\n{\n\treturn 1;\n}\n${lines(12)}`,
      'lib/u.c': 'int u(void)\n{\n\treturn f();\n}\n',
      'lib/s.c': 'static int s(void)\n{\n\treturn 2;\n}\n',
    },
    [
      { subject: 'u: no f', files: { 'lib/u.c': 'int u(void)\n{\n\treturn 1;\n}\n' } },
      { subject: 'unrelated', files: { 'lib/x.c': 'int x;\n' } },
      { subject: 'f: gone', files: { 'lib/f.c': lines(12) } },
      {
        subject: 's: to a header',
        files: { 'lib/s.c': '#include "s.h"\n', 'lib/s.h': 'static inline int s(void)\n{\n\treturn 2;\n}\n' },
      },
      { subject: 't: use s', files: { 'lib/t.c': 'int t(void)\n{\n\treturn s();\n}\n' } },
    ],
  )
  expect(direct(planned)).toEqual([[], [], [1], [], [4]])
  expect(planned[2]?.needs[0]?.symbols).toEqual([{ kind: 'last-user', name: 'f', file: 'lib/f.c' }])
})

test('hostile lines take no time', async () => {
  const long = `${'a '.repeat(3000)}(\n${'*'.repeat(5000)}\n${'x_'.repeat(3000)}\n#define ${'('.repeat(3000)}\nint ${'a *'.repeat(2000)}\n`
  const started = Date.now()
  await plan({ 'a.c': long }, [
    { subject: 'a', files: { 'b.c': long } },
    { subject: 'b', files: { 'c.c': long } },
  ])
  expect(Date.now() - started).toBeLessThan(15_000)
})
