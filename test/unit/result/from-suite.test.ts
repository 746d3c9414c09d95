// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { fioResult, testNode } from '../../../tools/result/from-suite.ts'
import { fioSchema, testNodeSchema } from '../../../tools/result/result.ts'
import type { FioResult } from '../../../tools/suite/fio.ts'
import { parseKtap } from '../../../tools/suite/ktap.ts'

test('a tree of the KTAP reader becomes a tree of the record', () => {
  const log = [
    'KTAP version 1',
    '1..2',
    '    KTAP version 1',
    '    # Subtest: phyr',
    '    1..3',
    '    ok 1 first',
    '    not ok 2 second',
    '    ok 3 third # SKIP no memory',
    'not ok 1 phyr',
  ].join('\n')
  const nodes = parseKtap(log).tests.map(testNode)
  for (const node of nodes) expect(testNodeSchema.parse(JSON.parse(JSON.stringify(node)))).toEqual(node)
  expect(nodes[0]).toMatchObject({
    name: 'phyr',
    outcome: 'fail',
    children: [
      { name: 'first', outcome: 'pass' },
      { name: 'second', outcome: 'fail' },
      { name: 'third', outcome: 'skip', reason: 'no memory' },
    ],
  })
  expect(nodes[1]).toMatchObject({ outcome: 'crashed' })
})

test('a suite without tests is a failure, and unnamed planned tests are not lost', () => {
  const base = { name: 's', children: [], diagnostics: [], errors: [], inComment: false, unlisted: 0 }
  expect(testNode({ ...base, outcome: 'no-tests' })).toEqual({
    name: 's',
    outcome: 'fail',
    reason: 'it ran no tests',
    children: [],
  })
  expect(testNode({ ...base, outcome: 'crashed', unlisted: 7 }).children).toEqual([
    { name: '7 more planned tests', outcome: 'crashed', reason: 'no result in the log', children: [] },
  ])
})

test('a fio job', () => {
  const job: FioResult = {
    job: 'verify',
    rw: 'randwrite',
    bs: '4k',
    ioengine: 'psync',
    iodepth: 32,
    numjobs: 32,
    iops: 1000.5,
    bw: 4098048,
    lat_p99_ns: 410_000,
    lat: { '50.000000': 148_000, '99.000000': 410_000, '99.900000': 1_352_000 },
    error: 84,
    verify: true,
    verified: false,
    runtimeMs: 1000,
  }
  const line = fioResult('nvme', job)
  expect(fioSchema.parse(line)).toEqual(line)
  expect(line).toMatchObject({
    machine: 'nvme',
    verified: false,
    error: 'wrong data (EILSEQ)',
    latNs: { p50: 148_000, p99: 410_000, 'p99.9': 1_352_000 },
  })
  const plain = fioResult('nvme', { ...job, verify: false, error: 0, lat: {}, lat_p99_ns: undefined })
  expect(plain).toMatchObject({ verified: null, lat_p99_ns: null })
  expect(plain).not.toHaveProperty('error')
  expect(plain).not.toHaveProperty('latNs')
})
