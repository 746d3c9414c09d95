// SPDX-License-Identifier: GPL-2.0-only
// The script of qemu/suites/gup.yaml, run here by sh with programs that act: what it makes of their ends.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../../../tools/lib/exec.ts'
import { judge, type SuiteResult } from '../../../tools/suite/judge.ts'
import { loadSuite } from '../../../tools/suite/suite.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-gup-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const good = 'echo "TAP version 13"; echo "1..1"; echo "# said: $*"; echo "ok 1 a"'
const bad = 'echo "TAP version 13"; echo "1..1"; echo "not ok 1 a"; exit 1'
const cannot = 'echo "TAP version 13"; echo "1..0 # SKIP needs CONFIG_FAILSLAB"; exit 4'
const skips = 'echo "TAP version 13"; echo "1..0 # SKIP no gup_test"; exit 4'

async function play(
  programs: { readonly test: string; readonly stress: string; readonly fault?: string },
  set: Record<string, number> = {},
): Promise<SuiteResult & { output: string }> {
  for (const [name, body] of [
    ['gup_phyrs', programs.test],
    ['gup_phyrs_stress', programs.stress],
    ['gup_phyrs_fault', programs.fault ?? cannot],
  ] as const) {
    writeFileSync(join(dir, name), `#!/bin/sh\n${body}\n`)
    chmodSync(join(dir, name), 0o755)
  }
  const suite = loadSuite('gup', undefined, undefined, {
    length: 'usual',
    set: new Map(Object.entries(set)),
  })
  const script = suite.script
    .replace('. /phyr/lib.sh', '')
    .replaceAll('/tmp/', `${dir}/`)
    .replaceAll('/selftests/mm', dir)
  const { stdout, code } = await run('sh', ['-c', script])
  const boot = { end: 'done', status: code, deadline: undefined, splats: [] } as const
  return { ...judge({ suite, boot, console: '', results: stdout }), output: stdout }
}

test('all pass; a kernel that cannot be told to fail skips the faults, with the reason', async () => {
  const result = await play({ test: good, stress: good }, { seed: 7 })
  expect(result).toMatchObject({ outcome: 'pass', passed: 2, failed: 0, skipped: 1, reasons: [] })
  expect(result.tests.map((t) => t.name)).toEqual(['gup_phyrs', 'gup_phyrs_stress', 'gup_phyrs_fault'])
  expect(result.tests[2]?.reason).toBe('needs CONFIG_FAILSLAB')
  expect(result.output).toContain('# said: -r 1000 -s 7\n')
  expect(result.output).toContain('# said: -t 60 -s 7\n')
})

test('a debug kernel has the faults, and without stress there is none', async () => {
  const result = await play({ test: good, stress: bad, fault: good }, { stress: 0 })
  expect(result).toMatchObject({ outcome: 'pass', passed: 2, skipped: 1 })
  expect(result.tests[1]).toMatchObject({ outcome: 'skip', reason: 'stress=0' })
})

test.each([
  ['a test that fails', bad, good],
  ['stress that fails', good, bad],
  ['a program that dies', good, 'echo "TAP version 13"; echo "1..2"; echo "ok 1 a"; kill -9 $$'],
  [
    'an exit code that its KTAP does not tell',
    good,
    'echo "TAP version 13"; echo "1..1"; echo "ok 1 a"; exit 1',
  ],
  ['a program that says nothing and passes', good, 'exit 0'],
  ['a plan that is not kept', 'echo "TAP version 13"; echo "1..3"; echo "ok 1 a"', good],
])('%s is a failure', async (_, first, stress) => {
  expect(await play({ test: first, stress })).toMatchObject({ outcome: 'fail' })
})

test('everything skipped is a skip, never green', async () => {
  const result = await play({ test: skips, stress: skips })
  expect(result).toMatchObject({ outcome: 'skip', passed: 0, failed: 0 })
  expect(result.tests[0]).toMatchObject({ outcome: 'skip', reason: 'no gup_test' })
})
