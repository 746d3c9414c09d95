// SPDX-License-Identifier: GPL-2.0-only
// The contract: what other programs read from `./phyr run --json`, run as a user would.
import { existsSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { runOutputSchema, type RunOutput } from '../../tools/result/record.ts'
import { phyr } from './lab.ts'

let first: RunOutput

beforeAll(async () => {
  const { code, stdout, stderr } = await phyr(['run', '--json'])
  // The table of a failed run is what its reader needs.
  expect(code, `${stderr}\n${stdout.slice(0, 4000)}`).toBe(0)
  first = runOutputSchema.parse(JSON.parse(stdout))
})

describe('./phyr run --json', () => {
  test('passes, and says on what', () => {
    expect(first.outcome).toBe('pass')
    expect(first.base.version).toMatch(/^7\.3/)
    expect(first.base.identity).toContain('linux-source-7.3')
    expect(first.series.patches).toBeGreaterThan(0)
    expect(first.kernel?.release).toMatch(/^7\.3/)
    expect(first.accel?.reason).not.toBe('')
  })

  test('ran KUnit, kselftests and fio on three machines, P2PDMA, DMA, pinning and RDMA on their own', () => {
    const ran = first.runs.map((r) => `${r.machine} ${r.suite}`).toSorted()
    const everywhere = ['fio', 'kselftest', 'kunit']
    expect(ran).toEqual(
      [
        ...['virtio', 'nvme', 'p2pdma'].flatMap((m) => everywhere.map((s) => `${m} ${s}`)),
        'p2pdma dma',
        'p2pdma p2p',
        'virtio gup',
        'virtio rdma',
      ].toSorted(),
    )
    for (const run of first.runs) {
      expect(run, `${run.machine} ${run.suite}`).toMatchObject({ outcome: 'pass', failed: 0 })
      expect(run.passed).toBeGreaterThan(0)
      expect(existsSync(run.log)).toBe(true)
    }
    const kunit = first.runs.find((r) => r.suite === 'kunit')
    expect(kunit?.passed).toBeGreaterThanOrEqual(30)
  })

  test('has every fio job, and data that verified, on every machine', () => {
    for (const machine of ['virtio', 'nvme', 'p2pdma']) {
      const jobs = first.fio.filter((f) => f.machine === machine)
      for (const rw of ['randread', 'randwrite'])
        for (const ioengine of ['io_uring', 'psync'])
          for (const iodepth of [1, 32])
            expect(
              jobs.filter(
                (j) => j.rw === rw && j.ioengine === ioengine && j.iodepth === iodepth && j.bs === '4k',
              ),
            ).toHaveLength(1)
      expect(jobs.filter((j) => j.bs === '1M').length).toBeGreaterThanOrEqual(2)
      expect(jobs.some((j) => j.verified === true)).toBe(true)
      for (const job of jobs) expect(job.iops).toBeGreaterThan(0)
    }
  })

  test('writes a report that loads nothing from elsewhere', () => {
    const html = readFileSync(first.report!, 'utf8')
    expect(html).toContain('p2pdma')
    expect(html).not.toMatch(/(?:src|href)="?https?:/)
  })

  test('with nothing changed does no work, in seconds', async () => {
    const again = await phyr(['run', '--json'])
    expect(again.code).toBe(0)
    const output = runOutputSchema.parse(JSON.parse(again.stdout))
    expect(output.kernel?.cached).toBe(true)
    expect(output.runs.every((r) => r.cached)).toBe(true)
    expect(output.fio).toEqual(first.fio)
    expect(again.seconds).toBeLessThan(20)
  })
})

describe('./phyr in the hands of somebody who errs', () => {
  test.each([
    [['run', '--machine', 'nvne'], /nvme/],
    [['test', 'knuit'], /kunit/],
    [['run', '--up-to', '-1'], /whole number/],
    [['run', '--linux', '/nonexistent'], /nonexistent/],
    [['rnu'], /run/],
    [['run', '--frobnicate'], /frobnicate/],
  ])('phyr %s: exit code 2, and a word that helps', async (args, help) => {
    const { code, stdout, stderr } = await phyr(args)
    expect(stderr).toMatch(help)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})
