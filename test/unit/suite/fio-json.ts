// SPDX-License-Identifier: GPL-2.0-only

export interface FakeJob {
  readonly name: string
  readonly rw: string
  /** Number of reads and of writes; IOPS too, since each job takes one second. */
  readonly read?: number
  readonly write?: number
  readonly error?: number
  readonly options?: Readonly<Record<string, string>>
}

/** JSON of the form that fio 3.33 prints, cut down to what is read of it. Blocks of 4 KiB. */
export function fioJson(jobs: readonly FakeJob[]): string {
  return JSON.stringify(
    {
      'fio version': 'fio-3.33',
      'global options': { thread: '1', bs: '4k', ioengine: 'io_uring' },
      jobs: jobs.map((job) => ({
        jobname: job.name,
        groupid: 0,
        error: job.error ?? 0,
        'job options': { rw: job.rw, ...job.options },
        read: side(job.read ?? 0),
        write: side(job.write ?? 0),
      })),
      disk_util: [],
    },
    null,
    2,
  )
}

function side(ios: number): object {
  const percentile = { '50.000000': 5000, '99.000000': 9900 }
  return {
    io_bytes: ios * 4096,
    bw_bytes: ios * 4096,
    iops: ios,
    runtime: ios === 0 ? 0 : 1000,
    total_ios: ios,
    clat_ns: { min: 0, max: 0, N: ios, percentile: { '50.000000': 4000, '99.000000': 8000 } },
    lat_ns: ios === 0 ? { min: 0, N: 0 } : { min: 0, N: ios, percentile },
  }
}
