// SPDX-License-Identifier: GPL-2.0-only
import type { FioResult as FioJob } from '../suite/fio.ts'
import type { KtapTest } from '../suite/ktap.ts'
import type { FioResult, TestNode } from './result.ts'

/**
 * A test of the KTAP reader as results keep it: without the lines that belong to it (they are in the log). A suite
 * that ran no tests is a failure here, and planned tests that the log does not even name are one crashed test.
 */
export function testNode(test: KtapTest): TestNode {
  const empty = test.outcome === 'no-tests'
  const reason = test.reason ?? (empty ? 'it ran no tests' : test.errors[0])
  const lost: TestNode[] =
    test.unlisted > 0
      ? [
          {
            name: `${test.unlisted} more planned tests`,
            outcome: 'crashed',
            reason: 'no result in the log',
            children: [],
          },
        ]
      : []
  return {
    name: test.name,
    outcome: test.outcome === 'no-tests' ? 'fail' : test.outcome,
    ...(reason === undefined ? {} : { reason }),
    children: [...test.children.map(testNode), ...lost],
  }
}

/** A fio job's figures as the record has them. */
export function fioResult(machine: string, job: FioJob): FioResult {
  const latNs = Object.fromEntries(
    Object.entries(job.lat).map(([percentile, ns]) => [`p${Number(percentile)}`, ns]),
  )
  return {
    machine,
    job: job.job,
    rw: job.rw,
    bs: job.bs,
    ioengine: job.ioengine,
    iodepth: job.iodepth,
    iops: job.iops,
    bw: job.bw,
    lat_p99_ns: job.lat_p99_ns ?? null,
    verified: job.verify ? job.verified : null,
    ...(Object.keys(latNs).length > 0 ? { latNs } : {}),
    ms: job.runtimeMs,
    ...(job.error === 0 ? {} : { error: errorText(job.error) }),
  }
}

/** fio's error is an errno of Linux; 84 is what its verify gives for wrong data. */
function errorText(errno: number): string {
  return errno === 84 ? 'wrong data (EILSEQ)' : `errno ${errno}`
}
