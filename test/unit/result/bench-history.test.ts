// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { compareRecords, historyTable, trendsOf } from '../../../tools/result/bench-history.ts'
import { benchOutputSchema, type BenchOutput } from '../../../tools/result/bench-record.ts'
import { benchHistory, benchSample } from './bench-sample.ts'

const records = benchHistory()
const CASE = 'nvme/randread-4k-psync'

/** The record with every sample of its series' point times `by`, and of its base's too where `base` says so. */
function slower(output: BenchOutput, by: number, base = 1): BenchOutput {
  return {
    ...output,
    cases: output.cases.map((c) => ({
      ...c,
      base: c.base === null ? null : c.base * base,
      series: c.series === null ? null : c.series * by,
      samples: { base: c.samples.base.map((v) => v * base), series: c.samples.series.map((v) => v * by) },
    })),
  }
}

test('a trend has a point in every record, and breaks where records must not be compared', () => {
  const trend = trendsOf(records).find((t) => t.name === CASE)
  expect(trend?.points.map((p) => p.at)).toEqual([0, 1, 2, 3, 4, 5, 6])
  expect(trend?.points.map((p) => p.broken)).toEqual([
    [],
    [],
    [],
    ['QEMU 7.2.22 there, 10.0.2 here'],
    ['QEMU 10.0.2 there, 7.2.22 here'],
    [],
    [],
  ])
})

test('a case that a record lacks: the next point is compared with the last there is', () => {
  const gap = records.map((r, i) => (i === 3 ? { ...r, cases: r.cases.filter((c) => c.name !== CASE) } : r))
  const trend = trendsOf(gap).find((t) => t.name === CASE)
  expect(trend?.points.map((p) => p.at)).toEqual([0, 1, 2, 4, 5, 6])
  expect(trend?.points.flatMap((p) => p.broken)).toEqual([])
})

test('one record is no trend, nor is a case that only one has, nor one of another unit', () => {
  expect(trendsOf(records.slice(0, 1))).toEqual([])
  expect(historyTable(records.slice(0, 1))).toBe('')
  const [a, b] = records
  const renamed = { ...b!, cases: b!.cases.map((c) => ({ ...c, unit: `k${c.unit}` })) }
  expect(trendsOf([a!, renamed])).toEqual([])
  expect(trendsOf(records).some((t) => t.name === 'gup/pin-1g')).toBe(false)
})

test('two records compared: equal ones are the same, a slower one costs more', () => {
  const [then, now] = [records[5]!, records[6]!]
  const same = compareRecords(then, slower(then, 1)).cases.find((c) => c.name === CASE)
  expect(same).toMatchObject({ ratio: 1, resolvable: true })
  const more = compareRecords(then, slower(now, 1.01)).cases.find((c) => c.name === CASE)
  expect(more?.ratio).toBeCloseTo(1.0099, 4)
  expect(more).toMatchObject({ resolvable: true })
  expect(more?.low).toBeGreaterThan(1)
})

test('a comparison has the shape of a record', () => {
  const compared = compareRecords(records[5]!, records[6]!)
  expect(benchOutputSchema.parse(compared)).toEqual(compared)
  expect(compared.mode).toBe('deterministic')
  expect(compared).not.toHaveProperty('walk')
  expect(compared).not.toHaveProperty('gate')
})

test('the same base image that gave another cost makes the comparison say nothing', () => {
  const then = records[5]!
  const drifted = compareRecords(then, slower(then, 1.01, 1.002)).cases.find((c) => c.name === CASE)
  expect(drifted).toMatchObject({
    resolvable: false,
    why: 'the same base image differs by 0.20 % between the two records',
  })
  const other = slower(then, 1.01, 1.002)
  const base = { ...other.points.base, allocatedHash: '11'.repeat(32) }
  const moved = compareRecords(then, { ...other, points: { ...other.points, base } })
  expect(moved.cases.find((c) => c.name === CASE)).toMatchObject({ resolvable: true })
})

test('what either record could not resolve, their comparison cannot, and says whose fault it is', () => {
  const name = 'virtio-blk/randwrite-4k-io_uring-qd32'
  const open = compareRecords(records[5]!, records[6]!).cases.find((c) => c.name === name)
  expect(open).toMatchObject({
    resolvable: false,
    why: expect.stringMatching(/^in this record: the same image/),
  })
  const now = { ...records[6]!, cases: records[6]!.cases.map((c) => ({ ...c, resolvable: true })) }
  const older = compareRecords(records[5]!, now).cases.find((c) => c.name === name)
  expect(older).toMatchObject({ resolvable: false, why: expect.stringMatching(/^in the older record: /) })
})

test('times are compared as well where both records have them and nobody disturbed', () => {
  const output = benchSample()
  const quiet = { ...output, host: { ...output.host, load: { before: 0, after: 0, highest: 0.1 } } }
  expect(compareRecords(quiet, quiet).cases.some((c) => c.wall)).toBe(true)
  expect(compareRecords(quiet, quiet).mode).toBe('both')
  const busy = compareRecords(output, output)
  expect(busy.cases.some((c) => c.wall)).toBe(false)
  expect(busy.mode).toBe('deterministic')
})
