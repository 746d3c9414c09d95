// SPDX-License-Identifier: GPL-2.0-only
// What qemu/suites/pyverbs.yaml makes of Python's tests, run here over tests of our own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../../../tools/lib/exec.ts'
import { parseKtap, type KtapRun } from '../../../tools/suite/ktap.ts'
import { loadSuite } from '../../../tools/suite/suite.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-pyverbs-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** The script's runner over one module of tests, a method a line. */
async function play(methods: readonly string[]): Promise<{ code: number | null; ktap: KtapRun }> {
  const [, python] = /<<'PYTHON'\n([\s\S]*?)\nPYTHON\n/.exec(loadSuite('pyverbs').script) ?? []
  if (python === undefined) throw new Error('the script has no runner')
  mkdirSync(join(dir, 'tests'))
  writeFileSync(join(dir, 'tests/__init__.py'), '')
  writeFileSync(
    join(dir, 'tests/args_parser.py'),
    'import sys\nclass Parser:\n  def parse_args(self): sys.argv[1:] = []\nparser = Parser()\n',
  )
  const body = methods.map((method) => `    def ${method}\n`).join('')
  writeFileSync(join(dir, 'tests/test_x.py'), `import unittest\nclass X(unittest.TestCase):\n${body}`)
  writeFileSync(join(dir, 'ktap.py'), python.replaceAll('/tmp/py', dir))
  const { code, stdout } = await run('python3', [join(dir, 'ktap.py'), 'test_x'])
  return { code, ktap: parseKtap(stdout) }
}

test('passes and skips are told, with the reason', async () => {
  const { code, ktap } = await play([
    'test_a(self): pass',
    'test_b(self): self.skipTest("no such device")',
    'test_odp_rc_huge_traffic(self): self.fail("it was run")',
    'test_resize_cq(self): self.fail("it was run")',
  ])
  expect(code).toBe(0)
  expect(ktap).toMatchObject({ errors: [], counts: { passed: 1, skipped: 3, failed: 0, total: 4 } })
  expect(ktap.tests.map((one) => [one.name, one.reason])).toEqual([
    ['test_x.X.test_a', undefined],
    ['test_x.X.test_b', 'no such device'],
    ['test_x.X.test_odp_rc_huge_traffic', 'needs IBV_ACCESS_HUGETLB on demand'],
    ['test_x.X.test_resize_cq', 'does not wait for the completions that are to be too many'],
  ])
})

test.each([
  ['a failure', 'test_b(self): self.fail("no")'],
  ['an error', 'test_b(self): raise ValueError()'],
])('%s is one', async (_, method) => {
  const { code, ktap } = await play(['test_a(self): pass', method])
  expect(code).toBe(1)
  expect(ktap.counts).toMatchObject({ passed: 1, failed: 1, total: 2 })
})

test('a module that cannot be loaded is a failure', async () => {
  const { code, ktap } = await play(['test_a(self): pass', 'broken('])
  expect(code).not.toBe(0)
  expect(ktap.counts.passed).toBe(0)
})
