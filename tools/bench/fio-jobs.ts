// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'

/** A job file taken apart: the lines below `[global]`, and below each job's name. */
export interface JobFile {
  readonly global: readonly string[]
  readonly jobs: ReadonlyMap<string, readonly string[]>
}

/** Reads a fio job file; comments and empty lines are dropped. */
export function parseJobFile(text: string): JobFile {
  const jobs = new Map<string, string[]>()
  let lines: string[] = []
  const global = lines
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const head = /^\[([^\]]+)\]$/.exec(line)
    if (!head) lines.push(line)
    else if (head[1] === 'global') lines = global
    else jobs.set(head[1]!, (lines = []))
  }
  return { global, jobs }
}

/** One measurement by fio. */
export interface FioRun {
  /** Name that fio shows it under; also a file's name in the guest. */
  readonly name: string
  readonly job: string
  /** Options that are put after the job's own, and so hold over them. */
  readonly options: readonly string[]
}

/**
 * A job file in which the runs come one after the other, each as its job with some more options.
 *
 * @param path what messages call the file.
 * @throws UsageError when the file has no such job.
 */
export function composeJobs(file: JobFile, path: string, runs: readonly FioRun[]): string {
  const parts = ['[global]', ...file.global]
  for (const { name, job, options } of runs) {
    const own = file.jobs.get(job)
    if (!own) {
      throw new UsageError(`${path} has no job [${job}]`, `jobs there: ${[...file.jobs.keys()].join(', ')}`)
    }
    parts.push('', `[${name}]`, 'stonewall', ...own.filter((line) => line !== 'stonewall'), ...options)
  }
  return `${parts.join('\n')}\n`
}
