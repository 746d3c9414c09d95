// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GuestFile } from '../guest/initramfs.ts'
import type { Case } from './case.ts'
import { composeJobs, parseJobFile, type FioRun } from './fio-jobs.ts'

/** What a guest runs to measure some cases, and the files that it needs for that. */
export interface Plan {
  readonly script: string
  readonly files: readonly GuestFile[]
  /** The case that a fio job's name stands for. */
  readonly jobs: ReadonlyMap<string, Case>
}

/** Seconds that fio runs a job when it is timed, and before that to warm up. */
const TIMED = { runtime: '250ms', warmUp: '50ms' }

/**
 * The guest's part of a boot that counts: for each case a region to warm up, one of the short length, and one of the
 * long length.
 *
 * @param dir where the fio job files are.
 * @throws UsageError when a job file lacks a job.
 */
export function countingPlan(cases: readonly Case[], dir: string): Plan {
  return plan(cases, dir, {
    fioRuns: (one, id) =>
      lengthsOf(one).map((operations, i) => ({
        name: `${id}-${i}`,
        job: one.fio!.job,
        options: [
          // Sequential requests begin again at the end of a small disk; no statistics but what is asked for.
          'io_size=1t',
          'gtod_reduce=1',
          `number_ios=${operations}`,
          `exec_prerun=/phyr/bin/mark begin ${one.name} ${operations}`,
          'exec_postrun=/phyr/bin/mark end',
        ],
      })),
    lengths: lengthsOf,
    // Its figures are the plugin's; what it prints is only of use when it fails.
    fio: (file, failed) => [
      `fio --output=/tmp/fio.out --output-format=normal ${file} >/tmp/fio.err 2>&1 || {`,
      '\tstatus=$?',
      '\tcat /tmp/fio.err /tmp/fio.out',
      ...failed.map((one) => `\techo "phyr: fail ${one.name} fio ended with $status"`),
      '}',
    ],
    // What was executed since power-on is the boot.
    begin: ['mark end'],
  })
}

/** The guest's part of a boot that measures time: each case once, after a warm-up. */
export function timingPlan(cases: readonly Case[], dir: string): Plan {
  return plan(cases, dir, {
    fioRuns: (one, id) => [
      {
        name: id,
        job: one.fio!.job,
        options: ['time_based=1', `runtime=${TIMED.runtime}`, `ramp_time=${TIMED.warmUp}`],
      },
    ],
    lengths: (one) => (one.steps?.at === 'mark' ? one.lengths.slice(1) : one.lengths),
    fio: (file) => [
      `echo 'phyr: fio begin ${file}'`,
      `fio --output-format=json ${file} 2>&1`,
      'status=$?',
      'echo',
      `echo "phyr: fio end ${file} status=$status"`,
    ],
    begin: [],
  })
}

interface How {
  readonly fioRuns: (one: Case, id: string) => readonly FioRun[]
  readonly lengths: (one: Case) => readonly number[]
  readonly fio: (file: string, cases: readonly Case[]) => readonly string[]
  readonly begin: readonly string[]
}

function plan(cases: readonly Case[], dir: string, how: How): Plan {
  const files: GuestFile[] = []
  const jobs = new Map<string, Case>()
  const ids = new Map(cases.map((one, i) => [one, `c${i}`]))
  const places = [...new Set(cases.map((one) => one.placeName))]
  const body = places.flatMap((placeName) => {
    const here = cases.filter((one) => one.placeName === placeName)
    const work = here.filter((one) => one.run).flatMap((one) => programLines(one, how.lengths(one)))
    const withFio = here.filter((one) => one.fio)
    for (const file of new Set(withFio.map((one) => one.fio!.file))) {
      const ofFile = withFio.filter((one) => one.fio!.file === file)
      for (const one of ofFile) jobs.set(ids.get(one)!, one)
      const path = `/phyr/bench/${placeName}-${file}`
      const template = join(dir, file)
      const text = composeJobs(parseJobFile(readFileSync(template, 'utf8')), template, [
        ...primeRuns(here[0]!.place.prime),
        ...ofFile.flatMap((one) => how.fioRuns(one, ids.get(one)!)),
      ])
      files.push({ path, mode: 0o644, data: text })
      work.push(...how.fio(path, ofFile))
    }
    return placeLines(placeName, here, work)
  })
  const script = [
    '#!/bin/sh',
    '. /phyr/lib.sh',
    // fio leaves the output of its marks beside it.
    'cd /tmp || exit 1',
    ...how.begin,
    // Until the kernel trusts the TSC, reading the time costs some instructions more: about a second.
    'for _ in 1 2 3 4 5 6 7 8 9 10; do',
    '\tread -r clock </sys/devices/system/clocksource/clocksource0/current_clocksource',
    '\t[ "$clock" = tsc ] && break',
    '\tsleep 0.3',
    'done',
    ...(jobs.size > 0 ? ['echo "phyr: fio version $(fio --version)"'] : []),
    ...body,
    `awk '/^Slab:/ { printf "phyr: count slab bytes %d\\n", $2 * 1024 }' /proc/meminfo`,
    'exit 0',
  ].join('\n')
  return { script: `${script}\n`, files, jobs }
}

/** Not measured. Few requests do: what is left to chance is where the search for a free tag begins. */
function primeRuns(job: string | undefined): FioRun[] {
  return job === undefined ? [] : [{ name: 'prime', job, options: ['number_ios=320'] }]
}

/** A place's set-up, its work when that succeeded, and a word on each of its cases when it did not. */
function placeLines(name: string, cases: readonly Case[], work: readonly string[]): string[] {
  const { disk, setup, teardown } = cases[0]!.place
  const id = name.replace(/[^a-z0-9]/g, '_')
  const find =
    disk === undefined
      ? ['DISK=']
      : disk.startsWith('/')
        ? [`DISK=${disk}`, '[ -b "$DISK" ] || { echo "no $DISK here"; return 1; }']
        : [`DISK=$(disk ${disk}) || return 1`]
  return [
    `setup_${id}() {`,
    ...[...find, 'export DISK', ...setup.trim().split('\n'), ':'].map((line) => `\t${line}`),
    '}',
    `if setup_${id} >/tmp/setup.out 2>&1; then`,
    '\t:',
    ...[...work, ...teardown.trim().split('\n')].map((line) => `\t${line}`),
    'else',
    '\twhy=$(tail -n 1 /tmp/setup.out)',
    ...cases.map((one) => `\techo "phyr: fail ${one.name} set-up of ${name}: $why"`),
    'fi',
  ]
}

function programLines(one: Case, lengths: readonly number[]): string[] {
  const [program = '', ...args] = one.run!
  return [
    `CASE=${one.name}`,
    ...lengths.flatMap((operations) => [
      `N=${operations}`,
      `${program} ${args.map((arg) => `"${arg}"`).join(' ')} || echo "phyr: fail $CASE ${program} ended with $?"`,
    ]),
  ]
}

/**
 * The warm-up is as long as the short one; what is counted by steps has no short one, and a program that marks its
 * own steps warms up by itself.
 */
function lengthsOf(one: Case): number[] {
  const [short, long] = one.lengths
  if (one.steps?.at === 'mark') return [long]
  return one.steps ? [short, long] : [short, short, long]
}
