// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import type { BenchOutput } from '../../../tools/result/bench-record.ts'
import { tooMuchLoad, whyNotComparable } from '../../../tools/result/comparable.ts'
import { benchSample } from './bench-sample.ts'

const quiet = { before: 0.02, after: 0.04, highest: 0.1 }
const sample = benchSample()
const here: BenchOutput = { ...sample, fio: 'fio-3.33', host: { ...sample.host, load: quiet } }

test('a record and one of another day, series and load may be compared', () => {
  const there = {
    ...here,
    time: '2026-01-02T03:04:05.000Z',
    seconds: 3,
    seriesOf: { ...here.seriesOf, version: 9, hash: 'x' },
    host: { ...here.host, memoryBytes: 1, load: { ...quiet, highest: 0.2 } },
  }
  expect(whyNotComparable(there, here)).toEqual([])
  expect(whyNotComparable(there, here, 'wall-clock')).toEqual([])
})

const host = (changes: Partial<BenchOutput['host']>): Partial<BenchOutput> => ({
  host: { ...here.host, ...changes },
})

test.each<[string, Partial<BenchOutput>, Partial<BenchOutput>, string]>([
  [
    'QEMU',
    { qemu: 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)' },
    { qemu: 'QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2~bpo12+1)' },
    'QEMU 7.2.22 there, 10.0.2 here',
  ],
  [
    "QEMU's package",
    { qemu: 'version 7.2.22 (u17)' },
    { qemu: 'version 7.2.22 (u18)' },
    'QEMU version 7.2.22 (u17) there, version 7.2.22 (u18) here',
  ],
  ['fio', { fio: 'fio-3.33' }, { fio: 'fio-3.36' }, 'fio 3.33 there, 3.36 here'],
  ['CPU', host({ cpu: 'A' }), host({ cpu: 'B' }), 'host CPU A there, B here'],
  ['CPUs', host({ cpus: 2 }), host({ cpus: 8 }), 'host CPUs 2 there, 8 here'],
  ['architecture', host({ arch: 'x64' }), host({ arch: 'arm64' }), 'host architecture x64 there, arm64 here'],
  ['compiler', { compiler: 'gcc 12' }, { compiler: 'gcc 14' }, 'compiler gcc 12 there, gcc 14 here'],
  ['config', { config: 'lab' }, { config: 'debug' }, 'config lab there, debug here'],
])('refused: another %s', (_what, there, now, reason) => {
  for (const kind of ['deterministic', 'wall-clock'] as const)
    expect(whyNotComparable({ ...here, ...there }, { ...here, ...now }, kind)).toEqual([reason])
})

test('every difference has its reason', () => {
  const there = { ...here, compiler: 'gcc 3', config: 'old', qemu: 'QEMU 1.2' }
  expect(whyNotComparable(there, here)).toHaveLength(3)
})

test('the accelerator that counts is the one of the figures that are compared', () => {
  const kvm = { used: 'kvm', reason: 'it answers' } as const
  const tcg = { used: 'tcg', reason: 'no kvm' } as const
  const there = { ...here, accel: { deterministic: tcg, wallClock: kvm } }
  const now = { ...here, accel: { deterministic: tcg, wallClock: tcg } }
  expect(whyNotComparable(there, now, 'deterministic')).toEqual([])
  expect(whyNotComparable(there, now, 'wall-clock')).toEqual(['accelerator kvm there, tcg here'])
})

test('fio matters only to records that both used it', () => {
  expect(whyNotComparable({ ...here, fio: null }, here)).toEqual([])
  expect(whyNotComparable(here, { ...here, fio: null })).toEqual([])
})

test('load above the bound refuses times, not instructions', () => {
  const busy = { ...here, ...host({ load: { ...quiet, highest: 1.4 } }) }
  expect(whyNotComparable(busy, here)).toEqual([])
  expect(whyNotComparable(busy, here, 'wall-clock')).toEqual([
    'there others used 1.40 processors while this measured, more than 0.25',
  ])
  expect(whyNotComparable(here, busy, 'wall-clock')[0]).toMatch(/^here others used/)
})

test('the bound, and when it was above it', () => {
  expect(tooMuchLoad({ before: 0.25, after: 0.25, highest: 0.25 })).toBeUndefined()
  expect(tooMuchLoad({ before: 0.5, after: 0, highest: 0 })).toBe(
    'others used 0.50 processors before, more than 0.25',
  )
  expect(tooMuchLoad({ before: 0, after: 0.26, highest: 0 })).toContain('after')
})

test('modes: only figures that both have', () => {
  const of = (mode: BenchOutput['mode']): BenchOutput => ({ ...here, mode })
  expect(whyNotComparable(of('deterministic'), of('both'))).toEqual([])
  expect(whyNotComparable(of('deterministic'), of('wall-clock'))).toEqual([
    'no wall-clock figures there, wall-clock here',
  ])
  expect(whyNotComparable(of('wall-clock'), of('both'))).toEqual([
    'no deterministic figures there, deterministic here',
  ])
  expect(whyNotComparable(of('both'), of('wall-clock'))).toEqual([
    'cases measured in deterministic there, wall-clock here',
  ])
  expect(whyNotComparable(of('both'), of('wall-clock'), 'wall-clock')).toEqual([])
})
