// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest'
import { parseKtap, type KtapRun, type KtapTest } from '../../../tools/suite/ktap.ts'

/** The tree as text: `name:outcome` with the children in brackets. */
function shape(tests: readonly KtapTest[]): string {
  return tests
    .map((t) => `${t.name}:${t.outcome}${t.children.length > 0 ? `[${shape(t.children)}]` : ''}`)
    .join(' ')
}

function numbers(run: KtapRun): string {
  const c = run.counts
  return `${run.status} ${c.passed}/${c.failed}/${c.crashed}/${c.skipped} errors ${c.errors}`
}

function lines(...text: string[]): KtapRun {
  return parseKtap(text.join('\n'))
}

describe('dialects', () => {
  test('KTAP version 1 as specified: two blanks a level, a version line at each', () => {
    const run = lines(
      'KTAP version 1',
      '1..2',
      '  KTAP version 1',
      '  1..2',
      '    KTAP version 1',
      '    1..1',
      '    # deep: a comment',
      '    ok 1 deep',
      '  ok 1 inner',
      '  not ok 2 other',
      'not ok 1 suite',
      'ok 2 - single',
    )
    expect(shape(run.tests)).toBe('suite:fail[inner:pass[deep:pass] other:fail] single:pass')
    expect(numbers(run)).toBe('fail 2/1/0/0 errors 0')
    expect(run.tests[0]?.children[0]?.children[0]?.diagnostics).toEqual(['    # deep: a comment'])
    expect(run.tests[0]?.planned).toBe(2)
  })

  test('KUnit on a console: times, callers, attributes, the kernel in between, carriage returns', () => {
    const run = parseKtap(
      [
        '[    0.100000][    T1] printk: console enabled',
        '[    0.200000][    T1] KTAP version 1',
        '[    0.200001][    T1] 1..1',
        '[    0.200002][    T1]     KTAP version 1',
        '[    0.200003][    T1]     # Subtest: phyr',
        '[    0.200004][    T1]     # module: phyr_kunit',
        '[    0.200005][    T1]     1..2',
        '[    0.200006][    T1]         KTAP version 1',
        '[    0.200007][    T1]         # Subtest: sizes',
        '[    0.200008][    T1]         ok 1 page',
        '[    0.200009][   C12] random: crng init done',
        '[    0.200010][    T1]         ok 2 folio # SKIP no folios here',
        '[    0.200011][    T1]     # sizes: pass:1 fail:0 skip:1 total:2',
        '[    0.200012][    T1]     ok 1 sizes',
        '[    0.200013][    T1]     # last.speed: slow',
        '[    0.200014][    T1]     ok 2 last',
        '[    0.200015][    T1] # phyr: pass:2 fail:0 skip:0 total:2',
        '[    0.200016][    T1] ok 1 phyr',
        '[    0.900000][    T1] Run /init as init process',
        'phyr: init 1.2',
      ].join('\r\n'),
    )
    expect(shape(run.tests)).toBe('phyr:pass[sizes:pass[page:pass folio:skip] last:pass]')
    expect(numbers(run)).toBe('pass 2/0/0/1 errors 0')
    expect(run.tests[0]?.children[0]?.children[1]?.reason).toBe('no folios here')
    expect(run.lastStarted).toBeUndefined()
  })

  test('old KUnit: TAP version 14, tabs, Subtest lines only, dashes', () => {
    const run = lines('TAP version 14', '1..1', '\t# Subtest: old', '\t1..1', '\tok 1 - case', 'ok 1 - old')
    expect(shape(run.tests)).toBe('old:pass[case:pass]')
  })

  test('times and callers of different widths in one log', () => {
    const run = lines(
      '[    9.999999][    T1] KTAP version 1',
      '[    9.999999][    T1] 1..1',
      '[   10.000000][T1234567]     # Subtest: s',
      '[   10.000000][T1234567]     1..1',
      '[100000.000000][    T1]     ok 1 a',
      'ok 1 s',
    )
    expect(shape(run.tests)).toBe('s:pass[a:pass]')
    expect(numbers(run)).toBe('pass 1/0/0/0 errors 0')
  })

  test('a constant prefix of any text', () => {
    // Cut off: the suite has neither its test nor its result line.
    const run = lines('ttyS0| KTAP version 1', 'ttyS0| 1..1', 'ttyS0|   # Subtest: s', 'ttyS0|   1..1')
    expect(numbers(run)).toBe('crashed 0/0/1/0 errors 2')
    const whole = lines('qemu: KTAP version 1', 'qemu: 1..1', 'qemu: ok 1 a')
    expect(numbers(whole)).toBe('pass 1/0/0/0 errors 0')
  })

  test('kselftest: results of the programs as comments, once and twice nested', () => {
    const run = lines(
      'TAP version 13',
      '1..3',
      '# timeout set to 45',
      '# selftests: phyr: pin',
      '# TAP version 13',
      '# 1..3',
      '# ok 1 a',
      '# # pin.c:12: not ok is only talk here',
      '# ok 2 # SKIP no memory',
      '# ok 3 c',
      'ok 1 selftests: phyr: pin',
      '# selftests: phyr: bad',
      '# ok 1 a',
      '# not ok 2 b',
      'not ok 2 selftests: phyr: bad # exit=1',
      '# # TAP version 13',
      '# # 1..1',
      '# # ok 1 deep',
      'ok 3 selftests: phyr: wrapped',
      '# Totals: pass:2 fail:1 xfail:0 xpass:0 skip:0 error:0',
    )
    expect(shape(run.tests)).toBe(
      'selftests: phyr: pin:pass[a:pass no memory:skip c:pass] ' +
        'selftests: phyr: bad:fail[a:pass b:fail] selftests: phyr: wrapped:pass[deep:pass]',
    )
    expect(numbers(run)).toBe('fail 2/1/0/0 errors 0')
    expect(run.cases).toMatchObject({ passed: 4, failed: 1, skipped: 1, crashed: 0, total: 6 })
    expect(run.tests[1]?.reason).toBe('exit=1')
  })

  test('a comment inside a comment that talks of another level is a child of the next result', () => {
    const run = lines('TAP version 13', '1..1', '# 1..1', '# # 1..1', '# # ok 1 x', '# ok 1 y', 'ok 1 z')
    expect(shape(run.tests)).toBe('z:pass[y:pass[x:pass]]')
  })

  test('several documents in one log are added up', () => {
    const run = lines('KTAP version 1', '1..1', 'ok 1 a', 'between', 'TAP version 13', '1..1', 'not ok 1 b')
    expect(shape(run.tests)).toBe('a:pass b:fail')
    expect(numbers(run)).toBe('fail 1/1/0/0 errors 0')
  })
})

describe('directives', () => {
  test.each([
    ['ok 1 a # SKIP no device', 'skip', 'no device'],
    ['not ok 1 a # SKIP', 'skip', undefined],
    ['ok 1 # SKIP the name', 'skip', 'the name'],
    ['not ok 1 a # XFAIL known', 'skip', 'XFAIL known'],
    ['ok 1 a # XFAIL', 'pass', 'XFAIL'],
    ['not ok 1 a # TODO later', 'skip', 'TODO later'],
    ['not ok 1 a # TIMEOUT 45 seconds', 'fail', 'TIMEOUT 45 seconds'],
    ['ok 1 a # TIMEOUT 45 seconds', 'fail', 'TIMEOUT 45 seconds'],
    ['not ok 1 a # ERROR no memory', 'fail', 'ERROR no memory'],
    ['ok 1 a # ERROR', 'fail', 'ERROR'],
    ['not ok 1 a # exit=139', 'fail', 'exit=139'],
    ['ok 1 a # SKIPPING stones', 'pass', 'SKIPPING stones'],
  ])('%s', (line, outcome, reason) => {
    const run = lines('KTAP version 1', '1..1', line)
    expect(run.tests[0]?.outcome).toBe(outcome)
    expect(run.tests[0]?.reason).toBe(reason)
  })

  test('a whole program that skips: its reason stays', () => {
    const run = lines('TAP version 13', '1..0 # SKIP no CMB')
    expect(numbers(run)).toBe('skip 0/0/0/1 errors 0')
    expect(run.tests[0]?.reason).toBe('no CMB')
    const inner = lines('TAP version 13', '1..1', '# TAP version 13', '# 1..0 # SKIP no CMB', 'ok 1 x # SKIP')
    expect(inner.tests[0]).toMatchObject({ outcome: 'skip', reason: 'no CMB', children: [] })
  })

  test('Bail out! crashes what was running and ends the document', () => {
    const run = lines(
      'KTAP version 1',
      '1..3',
      'ok 1 a',
      '# b: starting',
      'Bail out! no disk',
      'ok 2 b',
      'ok 3 c',
    )
    expect(shape(run.tests)).toBe('a:pass b:crashed test 3:crashed')
    expect(run.errors).toEqual(['Bail out! no disk'])
    const inner = lines(
      'KTAP version 1',
      '1..2',
      '  KTAP version 1',
      '  1..2',
      '  ok 1 x',
      '  Bail out! mmap: ENODEV',
      'not ok 1 a # status 1',
      'ok 2 b',
    )
    expect(shape(inner.tests)).toBe('a:crashed[x:pass test 2:crashed] b:pass')
    expect(inner.tests[0]?.errors).toEqual(['Bail out! mmap: ENODEV'])
    const unplanned = lines('KTAP version 1', 'ok 1 a', 'Bail out!')
    expect(unplanned.status).toBe('crashed')
  })
})

describe('faulty logs', () => {
  test('no KTAP at all', () => {
    expect(numbers(parseKtap(''))).toBe('no-ktap 0/0/0/0 errors 1')
    expect(numbers(parseKtap('ok 1 a\nnot ok 2 b\n'))).toBe('no-ktap 0/0/0/0 errors 1')
    expect(parseKtap('[ 1.0] kunit executor: error filtering suites: -22').errors).toEqual([
      'kunit executor: error filtering suites: -22',
    ])
  })

  test('nothing ran', () => {
    expect(numbers(lines('KTAP version 1', '1..0'))).toBe('no-tests 0/0/0/0 errors 1')
    const empty = lines('KTAP version 1', '1..1', '  # Subtest: s', '  1..0', 'ok 1 s')
    expect(shape(empty.tests)).toBe('s:no-tests')
    expect(numbers(empty)).toBe('no-tests 0/0/0/0 errors 1')
  })

  test('plan missing, late, too small, too large, twice', () => {
    expect(numbers(lines('KTAP version 1', 'ok 1 a', 'ok 2 b'))).toBe('pass 2/0/0/0 errors 0')
    expect(numbers(lines('KTAP version 1', 'ok 1 a', 'ok 2 b', '1..2'))).toBe('pass 2/0/0/0 errors 0')
    expect(lines('KTAP version 1', '1..1', 'ok 1 a', 'ok 2 b').errors).toEqual(['planned 1 tests, found 2'])
    expect(numbers(lines('KTAP version 1', '1..3', 'ok 1 a'))).toBe('crashed 1/0/2/0 errors 2')
    expect(lines('KTAP version 1', '1..1', '1..2', 'ok 1 a').errors).toEqual([
      'a second plan: 1..2 after 1..1',
    ])
  })

  test('an absurd plan costs neither time nor memory', () => {
    const run = lines('KTAP version 1', '1..999999999', 'ok 1 a')
    expect(run.counts.crashed).toBe(999_999_998)
    expect(run.tests.length).toBeLessThan(200)
    const inner = lines('KTAP version 1', '1..1', '  # Subtest: s', '  1..999999999', '  ok 1 a', 'ok 1 s')
    expect(inner.counts.crashed).toBe(999_999_998)
  })

  test('wrong test number', () => {
    const run = lines('KTAP version 1', '1..2', 'ok 1 a', 'ok 3 b')
    expect(run.tests[1]?.errors).toEqual(['expected test number 2, found 3'])
    expect(numbers(run)).toBe('pass 2/0/0/0 errors 1')
  })

  test('unknown versions', () => {
    expect(lines('KTAP version 2', '1..1', 'ok 1 a').counts.errors).toBe(1)
    expect(lines('TAP version 12', '1..1', 'ok 1 a').counts.errors).toBe(1)
  })

  test('a log that is cut off names the test that was running', () => {
    const start = [
      'KTAP version 1',
      '1..2',
      '    KTAP version 1',
      '    # Subtest: phyr',
      '    1..3',
      '    ok 1 one',
    ]
    const named = lines(...start, '    # two: initializing')
    expect(shape(named.tests)).toBe('phyr:crashed[one:pass two:crashed test 3:crashed] test 2:crashed')
    expect(named.lastStarted).toBe('phyr.two')
    expect(lines(...start).lastStarted).toBe('phyr (after one)')
    const result = lines(...start.slice(0, 4), '    1..1', '    ok 1 one')
    expect(shape(result.tests)).toBe('phyr:crashed[one:pass] test 2:crashed')
    expect(numbers(result)).toBe('crashed 1/0/2/0 errors 2')
    const program = lines(
      'TAP version 13',
      '1..2',
      '# selftests: phyr: pin',
      '# TAP version 13',
      '# 1..2',
      '# ok 1 a',
    )
    expect(shape(program.tests)).toBe('selftests: phyr: pin:crashed[a:pass test 2:crashed] test 2:crashed')
    expect(program.lastStarted).toBe('selftests: phyr: pin')
  })

  test("a suite's lost result line in the middle: that suite crashed, the next is read on", () => {
    const run = lines(
      'KTAP version 1',
      '1..2',
      '    # Subtest: a',
      '    1..1',
      '    ok 1 x',
      '    # Subtest: b',
      '    1..1',
      '    ok 1 y',
      'ok 2 b',
    )
    expect(shape(run.tests)).toBe('a:crashed[x:pass] b:pass[y:pass]')
    expect(numbers(run)).toBe('crashed 2/0/1/0 errors 1')
    const other = lines('KTAP version 1', '1..2', '    # Subtest: a', '    1..1', '    ok 1 x', 'ok 2 b')
    expect(shape(other.tests)).toBe('a:crashed[x:pass] b:pass')
  })

  test('a parent that says ok over a failure is a failure', () => {
    expect(lines('KTAP version 1', '1..1', '  # Subtest: s', '  1..1', '  not ok 1 a', 'ok 1 s').status).toBe(
      'fail',
    )
    const program = lines('TAP version 13', '1..1', '# ok 1 a', '# not ok 2 b', 'ok 1 p')
    expect(program.status).toBe('fail')
    expect(program.counts.errors).toBe(1)
    const parent = lines('KTAP version 1', '1..1', '  # Subtest: s', '  1..1', '  ok 1 a', 'not ok 1 s')
    expect(numbers(parent)).toBe('fail 1/1/0/0 errors 0')
  })

  test('noise of every kind never throws and never passes', () => {
    const noise = Array.from({ length: 400 }, (_, i) => String.fromCharCode((i * 7919) % 65536)).join('')
    expect(parseKtap(noise).status).toBe('no-ktap')
    expect(parseKtap(`KTAP version 1\n${noise}`).counts.errors).toBeGreaterThan(0)
    const deep = Array.from({ length: 5000 }, (_, i) => `${' '.repeat(i)}KTAP version 1`).join('\n')
    expect(parseKtap(deep).status).toBe('crashed')
  })
})
