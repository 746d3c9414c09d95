// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { RunOutput } from '../../../tools/result/record.ts'
import type { RunResult } from '../../../tools/result/result.ts'
import { saveResult } from '../../../tools/result/store.ts'
import { exportRuns } from '../../../tools/run/exports.ts'
import { parseKtap } from '../../../tools/suite/ktap.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-export-'))
  vi.stubEnv('PHYR_CACHE', join(dir, 'cache'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true, force: true })
})

const result: RunResult = {
  schema: 1,
  key: 'abcd1234',
  time: '2026-01-01T00:00:00.000Z',
  machine: 'nvme',
  suite: 'kunit',
  outcome: 'fail',
  reasons: ['kernel: WARNING: at mm/gup.c:1'],
  passed: 1,
  failed: 1,
  skipped: 0,
  seconds: 2,
  kernel: { key: 'k', release: '7.3.4', config: 'lab', arch: 'x86_64' },
  accel: { used: 'tcg', reason: 'test' },
  qemu: '7.2',
  command: [],
  end: 'done',
  status: 0,
  qemuExit: 33,
  ms: { total: 2000 },
  tests: [
    {
      name: 'phyr',
      outcome: 'fail',
      children: [
        { name: 'good', outcome: 'pass', children: [] },
        { name: 'bad <&">', outcome: 'fail', reason: 'why', children: [] },
      ],
    },
  ],
  fio: [],
  splats: [{ kind: 'warning', title: 'WARNING: at mm/gup.c:1', lines: [] }],
  tail: [],
  log: '/log',
}

const output = { runs: [{ key: result.key }] } as unknown as RunOutput

test('one file a run and kind, and nothing that was not asked for', () => {
  saveResult(result)
  expect(exportRuns(output, { junit: undefined, ktap: undefined })).toEqual([])
  const files = exportRuns(output, { junit: join(dir, 'a/b'), ktap: join(dir, 'k') })
  expect(files.map((f) => f.slice(dir.length))).toEqual(['/a/b/nvme-kunit.xml', '/k/nvme-kunit.ktap'])
  expect(readdirSync(join(dir, 'a/b'))).toEqual(['nvme-kunit.xml'])
})

test('what failed beside the tests is a failure in both forms', () => {
  saveResult({ ...result, tests: [{ name: 'phyr', outcome: 'pass', children: [] }], failed: 0 })
  const [junit, ktap] = exportRuns(output, { junit: dir, ktap: dir }).map((f) => readFileSync(f, 'utf8'))
  expect(junit).toMatch(/failures="1"/)
  expect(junit).toContain('WARNING: at mm/gup.c:1')
  expect(parseKtap(ktap!).status).toBe('fail')
})

test('hostile names stay text', () => {
  saveResult(result)
  const [junit] = exportRuns(output, { junit: dir, ktap: undefined }).map((f) => readFileSync(f, 'utf8'))
  expect(junit).not.toContain('bad <&">')
  expect(junit).toContain('bad &lt;&amp;&quot;')
})
