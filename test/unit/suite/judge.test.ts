// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest'
import { judge, type SuiteResult } from '../../../tools/suite/judge.ts'
import type { SuiteJob } from '../../../tools/suite/suite.ts'
import { fioJson, type FakeJob } from './fio-json.ts'

const done = { end: 'done', status: 0, deadline: undefined, splats: [] } as const
const good = 'KTAP version 1\n1..2\nok 1 a\nok 2 b\n'

function kunit(text: string, boot: Partial<Parameters<typeof judge>[0]['boot']> = {}): SuiteResult {
  return judge({
    suite: { kind: 'kunit', files: [] },
    boot: { ...done, ...boot },
    console: text,
    results: '',
  })
}

function selftest(text: string): SuiteResult {
  return judge({ suite: { kind: 'kselftest', files: [] }, boot: done, console: good, results: text })
}

function section(file: string, json: string, status = 0): string {
  return `phyr: fio begin ${file}\n${json}\nphyr: fio end ${file} status=${status}\n`
}

describe('KTAP suites', () => {
  test('all passed', () => {
    expect(kunit(good)).toMatchObject({
      outcome: 'pass',
      passed: 2,
      failed: 0,
      skipped: 0,
      crashed: 0,
      reasons: [],
    })
    expect(selftest(good).outcome).toBe('pass')
  })

  test('a splat fails the run although every test is ok', () => {
    const splats = [{ kind: 'warning', title: 'WARNING: CPU: 0 PID: 1 at lib/phyr.c:3', lines: [] }] as const
    const result = kunit(good, { splats })
    expect(result).toMatchObject({ outcome: 'fail', passed: 2 })
    expect(result.reasons).toEqual(['kernel: WARNING: CPU: 0 PID: 1 at lib/phyr.c:3'])
  })

  test.each([
    [{ end: 'hang', status: undefined, deadline: 'total' }, 'the guest hung (deadline: total)'],
    [{ end: 'panic', status: undefined }, 'the kernel panicked'],
    [{ end: 'reset', status: undefined }, 'the guest ended without its token'],
    [{ status: 1 }, "the guest's script ended with status 1"],
    [{ status: undefined }, "the guest's script ended with status unknown"],
  ] as const)('an end like %j is no pass', (boot, reason) => {
    expect(kunit(good, boot)).toMatchObject({ outcome: 'fail', reasons: [reason] })
  })

  test.each([
    ['nothing', ''],
    ['no KTAP', 'phyr: init 1.0\nok 1 a\n'],
    ['KUnit switched off', 'kunit: disabled\n'],
    ['an empty plan', 'KTAP version 1\n1..0\n'],
    ['no plan and no test', 'KTAP version 1\n'],
  ])('0 tests are a failure: %s', (_, text) => {
    const result = kunit(text)
    expect(result.outcome).toBe('fail')
    expect(result.reasons).toContain('no tests ran')
  })

  test('results on the wrong port do not count', () => {
    expect(
      judge({ suite: { kind: 'kunit', files: [] }, boot: done, console: '', results: good }).outcome,
    ).toBe('fail')
    expect(
      judge({ suite: { kind: 'script', files: [] }, boot: done, console: good, results: '' }).outcome,
    ).toBe('fail')
  })

  test('a failed test is named with its path', () => {
    const result = kunit(
      'KTAP version 1\n1..1\n  # Subtest: s\n  1..2\n  ok 1 a\n  not ok 2 b # broke\nnot ok 1 s\n',
    )
    expect(result).toMatchObject({ outcome: 'fail', passed: 1, failed: 1, reasons: ['s.b: failed: broke'] })
  })

  test('a log cut off names the test that was running', () => {
    const result = kunit('KTAP version 1\n1..1\n  # Subtest: s\n  1..2\n  ok 1 a\n  # b: init\n')
    expect(result).toMatchObject({ outcome: 'fail', passed: 1, crashed: 1 })
    expect(result.reasons[0]).toBe('the log is cut off in s.b')
  })

  test.each([
    ['too many tests', 'KTAP version 1\n1..1\nok 1 a\nok 2 b\n'],
    ['wrong number', 'KTAP version 1\n1..2\nok 1 a\nok 3 b\n'],
    ['a suite that ran nothing', 'KTAP version 1\n1..2\nok 1 a\n  # Subtest: s\n  1..0\nok 2 s\n'],
    ['a failed parent', 'KTAP version 1\n1..1\n  # Subtest: s\n  1..1\n  ok 1 a\nnot ok 1 s\n'],
    ['a bail-out', 'KTAP version 1\n1..1\nok 1 a\nBail out! no\n'],
  ])('a faulty log is no pass: %s', (_, text) => {
    expect(kunit(text).outcome).toBe('fail')
  })

  test("a selftest's timeout is told with the test that hung", () => {
    const result = selftest('TAP version 13\n1..1\n# 1..2\n# ok 1 a\nnot ok 1 p # TIMEOUT 45 seconds\n')
    expect(result).toMatchObject({ outcome: 'fail', passed: 1, crashed: 1 })
    expect(result.reasons).toContain('p: TIMEOUT 45 seconds')
  })

  test('skip only when everything was skipped and says why', () => {
    const all = kunit('KTAP version 1\n1..2\nok 1 a # SKIP no CMB\nok 2 b # SKIP no CMB\n')
    expect(all).toMatchObject({
      outcome: 'skip',
      skipped: 2,
      reasons: ['a: skipped: no CMB', 'b: skipped: no CMB'],
    })
    expect(kunit('KTAP version 1\n1..2\nok 1 a # SKIP no CMB\nok 2 b # SKIP\n').outcome).toBe('fail')
    expect(kunit('KTAP version 1\n1..2\nok 1 a # SKIP no CMB\nok 2 b\n')).toMatchObject({
      outcome: 'pass',
      skipped: 1,
    })
    expect(kunit('KTAP version 1\n1..1\nok 1 a # SKIP no CMB\n', { status: 1 }).outcome).toBe('fail')
  })
})

describe('fio', () => {
  const files: SuiteJob[] = [
    { file: 'v.fio', path: '/v.fio', disk: 'd', jobs: ['verify'], sha256: '' },
    { file: 'r.fio', path: '/r.fio', disk: 'n', jobs: ['read'], sha256: '' },
  ]
  const verify: FakeJob = { name: 'verify', rw: 'write', write: 9, read: 9, options: { verify: 'crc32c' } }
  const read: FakeJob = { name: 'read', rw: 'read', read: 9 }

  const pins = 'phyr: fio pins acquired=9 left=0\n'

  function fio(results: string): SuiteResult {
    return judge({ suite: { kind: 'fio', files }, boot: done, console: '', results })
  }

  test('all jobs there, data verified', () => {
    const result = fio(section('v.fio', fioJson([verify])) + section('r.fio', fioJson([read])) + pins)
    expect(result).toMatchObject({ outcome: 'pass', passed: 2, reasons: [] })
    expect(result.fio.map((r) => [r.job, r.verified])).toEqual([
      ['verify', true],
      ['read', false],
    ])
  })

  const ok = section('r.fio', fioJson([read]))
  test.each([
    ['nothing came', '', 'no job verified its data'],
    ['a file is missing', ok, 'v.fio: no output in the results'],
    [
      'wrong data',
      section('v.fio', fioJson([{ ...verify, error: 84 }]), 1) + ok,
      'v.fio verify: failed: wrong data read back (EILSEQ)',
    ],
    [
      'wrong data, and fio forgot its status',
      section('v.fio', fioJson([{ ...verify, error: 84 }])) + ok,
      'no job verified its data',
    ],
    ['an error of fio', section('v.fio', fioJson([verify]), 1) + ok, 'v.fio: fio ended with status 1'],
    [
      'cut-off JSON',
      section('v.fio', fioJson([verify]).slice(0, 300)) + ok,
      'v.fio: the JSON from fio is cut off',
    ],
    ['cut-off section', `${ok}phyr: fio begin v.fio\n${fioJson([verify])}\n`, 'v.fio: its output is cut off'],
    [
      'the verify job did not run',
      section('v.fio', fioJson([read])) + ok,
      'v.fio verify: crashed: fio gave no result of it',
    ],
    [
      'it only wrote',
      section('v.fio', fioJson([{ ...verify, read: 0 }])) + ok,
      'v.fio verify: failed: it did not read back its data',
    ],
    [
      'verify was taken out',
      section('v.fio', fioJson([{ ...verify, options: {} }])) + ok,
      'no job verified its data',
    ],
    [
      'no I/O at all',
      section('v.fio', fioJson([verify])) + section('r.fio', fioJson([{ ...read, read: 0 }])),
      'r.fio read: failed: it did no I/O',
    ],
    [
      'pages stay pinned',
      `${section('v.fio', fioJson([verify]))}${ok}phyr: fio pins acquired=640 left=64\n`,
      '64 of 640 pages are still pinned',
    ],
    [
      'more was released than pinned',
      `${section('v.fio', fioJson([verify]))}${ok}phyr: fio pins acquired=640 left=-1\n`,
      '-1 of 640 pages are still pinned',
    ],
    [
      'nothing was pinned',
      `${section('v.fio', fioJson([verify]))}${ok}phyr: fio pins acquired=0 left=0\n`,
      'no page was pinned: this was no direct I/O',
    ],
    [
      'pins were not counted',
      section('v.fio', fioJson([verify])) + ok,
      'the results do not say what is pinned',
    ],
  ])('%s', (_, results, reason) => {
    const result = fio(results)
    expect(result.outcome).toBe('fail')
    expect(result.reasons).toContain(reason)
  })
})
