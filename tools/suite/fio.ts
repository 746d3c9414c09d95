// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'

/** One job of fio, or its threads taken together (group_reporting). */
export interface FioResult {
  readonly job: string
  /** fio's rw option: read, write, randread, randwrite... */
  readonly rw: string
  /** Block size in fio's notation, "4k"; a bssplit as it stands in the job. */
  readonly bs: string
  readonly ioengine: string
  /** Requests in flight: fio's iodepth, and for engines that block (psync) the number of threads. */
  readonly iodepth: number
  readonly numjobs: number
  /** Of the job's own direction; for a write that is verified, of the writing. */
  readonly iops: number
  /** Bytes a second. */
  readonly bw: number
  /** Nanoseconds from submission to completion; undefined when fio gave no such percentile. */
  readonly lat_p99_ns: number | undefined
  /** Percentile ("99.000000") to nanoseconds. */
  readonly lat: Readonly<Record<string, number>>
  /** fio's error number of the job, an errno; 84 (EILSEQ) is a verify that found wrong data. */
  readonly error: number
  /** Whether the job was to check data. */
  readonly verify: boolean
  /** It was, it read back at least all that it wrote, and found no error. */
  readonly verified: boolean
  readonly runtimeMs: number
}

export interface FioOutput {
  readonly results: readonly FioResult[]
  /** Why this is no whole output of fio; empty when it is. */
  readonly errors: readonly string[]
}

const direction = z.object({
  io_bytes: z.number(),
  bw_bytes: z.number(),
  iops: z.number(),
  runtime: z.number(),
  total_ios: z.number(),
  clat_ns: z.object({ percentile: z.record(z.string(), z.number()).optional() }),
  lat_ns: z.object({ percentile: z.record(z.string(), z.number()).optional() }),
})

const options = z.record(z.string(), z.string())

const output = z.object({
  'fio version': z.string(),
  'global options': options.optional(),
  jobs: z
    .array(
      z.object({
        jobname: z.string(),
        error: z.number(),
        'job options': options,
        read: direction,
        write: direction,
      }),
    )
    .min(1),
})

type Output = z.infer<typeof output>

/**
 * Reads what `fio --output-format=json` wrote (checked with fio 3.33). fio prints warnings and errors before the
 * JSON, and some after it, on the same stream; they are passed over. A cut-off or malformed output gives errors
 * and no results, never half a result.
 */
export function parseFio(text: string): FioOutput {
  const begin = text.search(/^\{\s*$/m)
  if (begin < 0) return { results: [], errors: [`no JSON from fio${firstLine(text)}`] }
  const rest = text.slice(begin)
  const end = /^\}\s*$/m.exec(rest)
  if (!end) return { results: [], errors: ['the JSON from fio is cut off'] }
  let json: unknown
  try {
    json = JSON.parse(rest.slice(0, end.index + 1))
  } catch (error) {
    return { results: [], errors: [`the JSON from fio is broken: ${String(error)}`] }
  }
  const parsed = output.safeParse(json)
  if (!parsed.success) {
    return { results: [], errors: [`not the JSON of fio 3: ${z.prettifyError(parsed.error)}`] }
  }
  const { data } = parsed
  return { results: data.jobs.map((job) => resultOf(job, data['global options'] ?? {})), errors: [] }
}

function resultOf(job: Output['jobs'][number], global: Readonly<Record<string, string>>): FioResult {
  const option = { ...global, ...job['job options'] }
  const rw = option['rw'] ?? option['readwrite'] ?? 'read'
  const ioengine = option['ioengine'] ?? 'psync'
  const numjobs = Number(option['numjobs'] ?? 1)
  const depth = Number(option['iodepth'] ?? 1)
  const side = rw.includes('write') || job.read.total_ios === 0 ? job.write : job.read
  const lat = side.lat_ns.percentile ?? side.clat_ns.percentile ?? {}
  const verify = option['verify'] !== undefined && option['verify'] !== 'null'
  const readBack = job.read.total_ios > 0 && job.read.io_bytes >= job.write.io_bytes
  return {
    job: job.jobname,
    rw,
    bs: option['bssplit'] ?? option['bs'] ?? option['blocksize'] ?? '4k',
    ioengine,
    iodepth: blocks(ioengine) ? numjobs : depth,
    numjobs,
    iops: side.iops,
    bw: side.bw_bytes,
    lat_p99_ns: lat['99.000000'],
    lat,
    error: job.error,
    verify,
    verified: verify && job.error === 0 && readBack,
    runtimeMs: side.runtime,
  }
}

/** Engines that have one request in flight per thread, whatever iodepth says (fio(1), "iodepth"). */
function blocks(ioengine: string): boolean {
  return ['sync', 'psync', 'vsync', 'pvsync', 'pvsync2', 'mmap'].includes(ioengine)
}

function firstLine(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? ''
  return line === '' ? '' : `: ${line.slice(0, 200)}`
}

/** What one job file printed in the guest, between the marker lines that the fio suite's script writes. */
export interface FioSection {
  readonly file: string
  /** fio's exit status; undefined when the closing marker is missing. */
  readonly status: number | undefined
  readonly text: string
}

/** Splits a results log at `phyr: fio begin FILE` and `phyr: fio end FILE status=N`. */
export function fioSections(results: string): FioSection[] {
  const sections: FioSection[] = []
  let open: { file: string; lines: string[] } | undefined
  const close = (status: number | undefined): void => {
    if (open) sections.push({ file: open.file, status, text: open.lines.join('\n') })
    open = undefined
  }
  for (const raw of results.split('\n')) {
    const line = raw.trimEnd()
    const begin = /^phyr: fio begin (\S+)$/.exec(line)
    const end = /^phyr: fio end (\S+) status=(\d{1,3})$/.exec(line)
    if (begin) {
      close(undefined)
      open = { file: begin[1] ?? '', lines: [] }
    } else if (end && open && end[1] === open.file) {
      close(Number(end[2]))
    } else {
      open?.lines.push(line)
    }
  }
  close(undefined)
  return sections
}

/**
 * What the fio suite's script found in the guest's vmstat when all jobs were done: pages that they pinned (an I/O of
 * n pages counts n), and how many of those are pinned still. undefined when it did not come to that.
 */
export function fioPins(results: string): { acquired: number; left: number } | undefined {
  const said = /^phyr: fio pins acquired=(\d{1,15}) left=(-?\d{1,15})\s*$/m.exec(results)
  return said ? { acquired: Number(said[1]), left: Number(said[2]) } : undefined
}
