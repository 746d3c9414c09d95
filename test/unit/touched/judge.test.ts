// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import type { Attempt, FileAttempt } from '../../../tools/touched/compile.ts'
import { diagnostics, newMessages } from '../../../tools/touched/diagnostics.ts'
import { judge, toCompare } from '../../../tools/touched/judge.ts'
import { sparseMessages } from '../../../tools/touched/sparse.ts'

const PLACE = { config: 'allmodconfig', arch: 's390' }
const TREE = '/cache/trees/x'

function file(name: string, through: readonly string[] = [name]): FileAttempt {
  return { file: name, through, whyNot: through.length === 0 ? 'CONFIG_X is off' : undefined, lines: [] }
}

function attempt(files: readonly FileAttempt[], stderr: string, broken: readonly string[] = []): Attempt {
  return { files, diagnostics: diagnostics(stderr, TREE), broken, tail: 'make: *** Error 2' }
}

const WARNING = `${TREE}/mm/gup.c: In function 'f':
${TREE}/mm/gup.c:12:3: warning: format '%lu' expects 'long unsigned int' [-Wformat=]
   12 |   pr_info("%lu", phys);
`

test('a new warning is a finding of its file; the same one before the patch, on another line, is not', () => {
  const now = attempt([file('mm/gup.c'), file('mm/gup_test.c')], WARNING)
  const rows = judge(now, { diagnostics: [], broken: [] }, PLACE)
  expect(rows.map((r) => r.outcome)).toEqual(['fail', 'pass'])
  expect(rows[0]?.why).toBe("mm/gup.c:12:3: warning: format '%lu' expects 'long unsigned int' [-Wformat=]")
  const before = diagnostics(WARNING.replaceAll(':12:', ':9:'), TREE)
  expect(judge(now, { diagnostics: before, broken: [] }, PLACE)[0]?.outcome).toBe('pass')
  // Twice now, once before: one is new.
  const twice = attempt([file('mm/gup.c')], WARNING + WARNING)
  expect(judge(twice, { diagnostics: before, broken: [] }, PLACE)[0]?.warnings).toHaveLength(1)
})

test('with ccache the compiler names the file from the O= directory', () => {
  const said = WARNING.replaceAll(TREE, '../../trees/x').replace('mm/gup.c: In', '../../trees/x/mm/gup.c: In')
  const now = attempt([file('mm/gup.c')], said)
  expect(now.diagnostics.map((d) => [d.file, d.root])).toEqual([['mm/gup.c', 'mm/gup.c']])
  expect(judge(now, { diagnostics: diagnostics(WARNING, TREE), broken: [] }, PLACE)[0]?.outcome).toBe('pass')
})

test("a warning of make's preparations counts when it is in a touched header, and not when they were just cold", () => {
  const said = (header: string): string => `In file included from ${TREE}/arch/s390/kernel/asm-offsets.c:3:
${TREE}/${header}:7:2: warning: unused variable 'x' [-Wunused-variable]
`
  const files = [file('mm/gup.c'), file('include/linux/phyr.h', ['mm/gup.c'])]
  const touched = attempt(files, said('include/linux/phyr.h'))
  expect(judge(touched, { diagnostics: [], broken: [] }, PLACE).map((r) => r.outcome)).toEqual([
    'pass',
    'fail',
  ])
  expect(toCompare(touched)).toEqual(['mm/gup.c'])
  const cold = attempt(files, said('include/linux/mm.h'))
  expect(judge(cold, { diagnostics: [], broken: [] }, PLACE).map((r) => r.outcome)).toEqual(['pass', 'pass'])
  expect(toCompare(cold)).toEqual([])
})

test('an error that names no source, and one of the preparations, are not lost', () => {
  const said = `${TREE}/arch/s390/kernel/asm-offsets.c:9:1: error: unknown type name 'foo_t'\n`
  const now = attempt([file('mm/gup.c')], said, ['mm/gup.c'])
  expect(judge(now, { diagnostics: [], broken: [] }, PLACE)[0]).toMatchObject({
    outcome: 'fail',
    why: "arch/s390/kernel/asm-offsets.c:9:1: error: unknown type name 'foo_t'",
  })
})

test('an object that is not made is a failure, unless it was not made before', () => {
  const error = `${TREE}/drivers/a.c:5:1: error: unknown type name 'foo_t'\n`
  const now = attempt([file('drivers/a.c')], error, ['drivers/a.c'])
  expect(judge(now, { diagnostics: [], broken: [] }, PLACE)[0]).toMatchObject({
    outcome: 'fail',
    why: "drivers/a.c:5:1: error: unknown type name 'foo_t'",
  })
  const same = { diagnostics: diagnostics(error, TREE), broken: ['drivers/a.c'] }
  expect(judge(now, same, PLACE)[0]).toMatchObject({ outcome: 'skip' })
})

test('nothing on stderr that is known: make has the last word, and it is no pass', () => {
  const rows = judge(attempt([file('drivers/a.c')], '', ['drivers/a.c']), undefined, PLACE)
  expect(rows[0]).toMatchObject({ outcome: 'fail', why: 'make: *** Error 2' })
})

test('a file that the configuration does not have is skipped, with the reason', () => {
  expect(judge(attempt([file('drivers/b.c', [])], ''), undefined, PLACE)).toEqual([
    { file: 'drivers/b.c', ...PLACE, outcome: 'skip', why: 'CONFIG_X is off', warnings: [] },
  ])
})

const HEADER = `In file included from ${TREE}/include/linux/b.h:3,
                 from ${TREE}/block/bio.c:9:
${TREE}/include/linux/phyr.h:7:2: warning: left shift count >= width of type [-Wshift-count-overflow]
${TREE}/include/linux/phyr.h:8:2: warning: unused variable 'x' [-Wunused-variable]
`

test('a warning in a header belongs to it, and is known by the source that includes it', () => {
  const now = attempt([file('include/linux/phyr.h', ['block/bio.c'])], HEADER)
  expect(now.diagnostics.map((d) => d.root)).toEqual(['block/bio.c', 'block/bio.c'])
  const [row] = judge(now, { diagnostics: [], broken: [] }, PLACE)
  expect(row?.outcome).toBe('fail')
  expect(row?.warnings).toHaveLength(2)
})

test('a user of a touched header that breaks is a finding of the header', () => {
  const error = `${TREE}/block/bio.c:9:2: error: too few arguments to function 'phyr_end'\n`
  const now = attempt([file('include/linux/phyr.h', ['block/bio.c'])], error, ['block/bio.c'])
  expect(judge(now, { diagnostics: [], broken: [] }, PLACE)[0]).toMatchObject({
    file: 'include/linux/phyr.h',
    outcome: 'fail',
    why: "block/bio.c:9:2: error: too few arguments to function 'phyr_end'",
  })
})

test('only sources with something to compare are compiled at the patch before', () => {
  const files = [file('mm/gup.c'), file('mm/gup_test.c')]
  expect(toCompare(attempt(files, ''))).toEqual([])
  expect(toCompare(attempt(files, WARNING))).toEqual(['mm/gup.c'])
  expect(toCompare(attempt(files, '', ['mm/gup_test.c']))).toEqual(['mm/gup_test.c'])
})

test('kernel-doc and objtool are heard, too', () => {
  const said = diagnostics(
    `Warning: ${TREE}/mm/gup.c:33 function parameter 'x' not described in 'f'\nmm/gup.o: warning: objtool: f() falls through\n`,
    TREE,
  )
  expect(said.map((d) => [d.kind, d.file, d.line])).toEqual([
    ['warning', 'mm/gup.c', 33],
    ['warning', 'mm/gup.c', undefined],
  ])
})

test("sparse's messages: types are joined, notes left out; lines do not matter in a comparison", () => {
  const output = `${TREE}/a.c:5:3: warning: incorrect type in assignment (different base types)
${TREE}/a.c:5:3:    expected restricted __be32 [usertype] x
${TREE}/a.c:5:3:    got unsigned int
${TREE}/a.c: note: in included file (through b.h):
${TREE}/h.h:9:1: error: Expected ; at end
`
  const said = sparseMessages(output, TREE)
  expect(said).toEqual([
    'a.c:5:3: warning: incorrect type in assignment (different base types); expected restricted __be32 [usertype] x; got unsigned int',
    'h.h:9:1: error: Expected ; at end',
  ])
  const before = [(said[0] ?? '').replace(':5:3:', ':4:3:')]
  expect(newMessages(before, said)).toEqual([said[1]])
})
