// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PatchProof, Proof } from '../../../tools/result/proof-record.ts'
import { latestProof, saveProof, weakness } from '../../../tools/result/proof-store.ts'
import { proofTable } from '../../../tools/result/proof-table.ts'
import { patchProof } from './proof-fixture.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'phyr-proof-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const proof = (patches: readonly PatchProof[], over: Partial<Proof> = {}): Proof => ({
  schema: 1,
  time: '2026-11-21T12:00:00.000Z',
  outcome: patches.every((one) => one.outcome === 'pass') ? 'pass' : 'fail',
  base: { version: '7.3.4', provider: 'debian', identity: 'linux-source-7.3 7.3.4-1' },
  series: { name: 'x', changeId: '20260101-x-0123456789ab', version: 1, hash: 'abc', patches: 3 },
  config: 'lab',
  compiler: 'gcc 12',
  qemu: '7.2',
  accel: { used: 'tcg', reason: 'forced' },
  suites: ['virtio kunit'],
  seconds: 6,
  patches: [...patches],
  ...over,
})
const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second))

test('shards come together, and the newest word about a patch counts', () => {
  saveProof(
    proof([patchProof(1), patchProof(2, { outcome: 'fail', stage: 'test', reasons: ['x'] })], {
      shard: '1/2',
    }),
    root,
    at(1),
  )
  saveProof(proof([patchProof(3)], { shard: '2/2' }), root, at(2))
  saveProof(proof([patchProof(2)]), root, at(3))
  const whole = latestProof('abc', root)!
  expect(whole.patches.map((one) => one.number)).toEqual([1, 2, 3])
  expect(whole).toMatchObject({ outcome: 'pass' })
  expect(whole.shard).toBeUndefined()
  expect(weakness(whole)).toEqual([])
})

test('proofs of another config, compiler, base or of fewer suites do not count', () => {
  saveProof(proof([patchProof(1)], { config: 'debug' }), root, at(1))
  saveProof(proof([patchProof(1)], { compiler: 'gcc 13' }), root, at(2))
  saveProof(proof([patchProof(1)], { suites: [] }), root, at(3))
  saveProof(
    proof([patchProof(1)], { base: { version: '7.2', provider: 'git', identity: 'v7.2' } }),
    root,
    at(4),
  )
  saveProof(proof([patchProof(2)]), root, at(5))
  expect(weakness(latestProof('abc', root)!)).toEqual(['2 of 3 patches are not proved: 1, 3'])
  expect(latestProof('other', root)).toBeUndefined()
})

test('weakness: failures and errors with their first reason', () => {
  const weak = proof([
    patchProof(1, { outcome: 'fail', stage: 'boot', reasons: ['panic', 'more'] }),
    patchProof(2, { outcome: 'error', stage: 'lab', reasons: ['no disk'] }),
  ])
  expect(weakness(weak)).toEqual([
    '1 of 3 patches are not proved: 3',
    'patch 1 (0001-step.patch): fail at boot: panic',
    'patch 2 (0002-step.patch): error at lab: no disk',
  ])
})

test('the table names the patch, the stage and the reason, and nothing can forge a line', () => {
  const table = proofTable(
    proof([
      patchProof(1),
      patchProof(2, { outcome: 'fail', stage: 'warnings', warnings: 1, reasons: ['a.c:1: warning\nPASS'] }),
    ]),
    { colour: false },
  )
  expect(table).toContain('patch 2, 0002-step.patch: fail at warnings\n  a.c:1: warning\\nPASS')
  expect(table.split('\n').at(-1)).toMatch(/^FAIL: 1 of 3 patches proved, 1 fail/)
})
