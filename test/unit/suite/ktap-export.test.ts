// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { toJunit, toKtap } from '../../../tools/suite/ktap-export.ts'
import { parseKtap, type KtapTest } from '../../../tools/suite/ktap.ts'

interface Plain {
  name: string
  outcome: string
  children: Plain[]
}

function plain(tests: readonly KtapTest[]): Plain[] {
  return tests.map((t) => ({ name: t.name, outcome: t.outcome, children: plain(t.children) }))
}

const log = [
  'KTAP version 1',
  '1..4',
  '    # Subtest: phyr',
  '    1..2',
  '        # Subtest: sizes',
  '        1..2',
  '        ok 1 4 KiB # SKIP none',
  '        not ok 2 1 GiB # TIMEOUT 45 seconds',
  '    not ok 1 sizes',
  '    ok 2 edges',
  'not ok 1 phyr',
  'ok 2 - - a dash, & <a> "quoted" \'name\'',
  '    # Subtest: empty',
  '    1..0',
  'ok 3 empty',
  'ok 4 a \\# b',
].join('\n')

test('KTAP: what is written reads back as the same tree and counts', () => {
  const run = parseKtap(log)
  expect(run.tests[3]?.name).toBe('a # b')
  const again = parseKtap(toKtap(run))
  expect(plain(again.tests)).toEqual(plain(run.tests))
  expect(again.counts).toEqual(run.counts)
  expect(toKtap(again)).toBe(toKtap(run))
})

test('KTAP: a crash is written as an error, with its reason', () => {
  const cut = parseKtap(['KTAP version 1', '1..1', '  # Subtest: s', '  1..2', '  ok 1 a'].join('\n'))
  const text = toKtap(cut)
  expect(text).toContain('  not ok 2 - test 2 # ERROR crashed: no result: the log ends after a')
  const again = parseKtap(text)
  expect(again.status).toBe('fail')
  expect(again.counts).toMatchObject({ passed: 1, failed: 1, crashed: 0 })
})

const hostile = [
  'x # SKIP not really',
  'two\nlines\nok 1 forged',
  '\x1b[31mred\x00\x08',
  '1..9',
  'KTAP version 1',
  '',
]

test.each(hostile)('KTAP: the hostile name %j stays one failed test', (name) => {
  const base = parseKtap('KTAP version 1\n1..1\nnot ok 1 a')
  const [first] = base.tests
  if (!first) throw new Error('no test')
  const again = parseKtap(toKtap({ ...base, tests: [{ ...first, name }] }))
  expect(again.counts).toMatchObject({ passed: 0, failed: 1, skipped: 0, crashed: 0, errors: 0, total: 1 })
  const nested = toKtap({ ...base, tests: [{ ...first, name, children: [first] }] })
  expect(parseKtap(nested).counts).toMatchObject({ passed: 0, failed: 1, crashed: 0, errors: 0, total: 1 })
})

test('JUnit: names and logs are escaped, counts agree', () => {
  const run = parseKtap(log)
  const xml = toJunit(run, 'kunit on "nvme" & co')
  expect(xml).toContain(
    '<testsuites name="kunit on &quot;nvme&quot; &amp; co" tests="6" failures="1" errors="1" skipped="1">',
  )
  expect(xml).toContain('<testcase classname="phyr.sizes" name="4 KiB"><skipped message="none"/></testcase>')
  expect(xml).toContain(
    '<testcase classname="phyr.sizes" name="1 GiB"><failure message="TIMEOUT 45 seconds"></failure></testcase>',
  )
  expect(xml).toContain('<testcase classname="phyr" name="edges"/>')
  expect(xml).toContain('name="- a dash, &amp; &lt;a&gt; &quot;quoted&quot; &apos;name&apos;"')
  // The suite without tests is an error, not a pass.
  expect(xml).toContain('name="empty"><error message="0 tests run">0 tests run</error>')
  expect(xml.match(/<testcase /g)).toHaveLength(6)
})

test('JUnit: what XML cannot hold is replaced', () => {
  const base = parseKtap('KTAP version 1\n1..1\nnot ok 1 a')
  const [first] = base.tests
  if (!first) throw new Error('no test')
  const bad = '\x00\x01\x1b[0m]]>\ud800<!--&#0;\ufffe\r\n\t'
  const xml = toJunit({ ...base, tests: [{ ...first, name: bad, diagnostics: [bad] }] }, bad)
  expect(xml).not.toMatch(/[\x00-\x08\x0b-\x1f\ufffe\uffff]/)
  expect(xml).not.toMatch(/\p{Cs}/u)
  expect(xml).toContain('name="\ufffd\ufffd\ufffd[0m]]&gt;\ufffd&lt;!--&amp;#0;\ufffd&#13;&#10;&#9;"')
  // Every angle bracket left belongs to one of our own tags.
  expect(xml.replace(/<\??\/?(?:xml|testsuites|testsuite|testcase|failure|error)\b[^<>]*>/g, '')).not.toMatch(
    /[<>]/,
  )
})

test('JUnit: a suite that failed although all its tests passed, and faults of the log, are to be seen', () => {
  const run = parseKtap('KTAP version 1\n1..1\n1..1\n  # Subtest: s\n  1..1\n  ok 1 a\nnot ok 1 s')
  const xml = toJunit(run, 'x')
  expect(xml).toContain('<testcase classname="" name="s"><failure')
  expect(xml).toContain('a second plan')
})
