// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import type { Base } from '../base/base.ts'
import { log } from '../lib/log.ts'
import type { Project } from '../lib/project.ts'
import { probeAccelerator } from '../machine/accel.ts'
import type { Accelerator } from '../machine/boot.ts'
import type { BenchMode, BenchOutput } from '../result/bench-record.ts'
import { baseOf } from '../result/record.ts'
import { SCHEMA } from '../result/result.ts'
import { judgeTargets, type TargetTable } from '../result/targets.ts'
import { hostFacts } from '../run/host.ts'
import type { KernelChoice } from '../run/kernel.ts'
import { ready } from '../run/ready.ts'
import { getBase, type SourceChoice } from '../run/sources.ts'
import type { Series } from '../series/series.ts'
import { loadCases, loadCaseTargets, selectCases, type Case } from './case.ts'
import { benchCases, entriesOf } from './cases-of.ts'
import { contextBetween } from './context.ts'
import { countPoints, type Counted, type Counting, type Measuring } from './count-points.ts'
import { watchLoad } from './load.ts'
import { makeGuest } from './make-guest.ts'
import type { Measurement } from './measurement.ts'
import { compilePlugin } from './plugin.ts'
import { buildPoint, pointOf, recordedPoint, type Point } from './points.ts'
import { timePoints } from './time-points.ts'

/** Everything that `phyr bench` can be asked. */
export interface BenchChoice extends Pick<SourceChoice, 'linux' | 'baseVersion'> {
  /** Names, places or patterns of cases; empty: all. */
  readonly cases: readonly string[]
  readonly mode: BenchMode
  /** Boots of each point that are counted, and at least so many that are timed. */
  readonly repeats: number
  /** The two points, see pointOf(). */
  readonly from: string
  readonly to: string
  readonly config: string | undefined
  readonly jobs: number | undefined
  readonly accel: 'kvm' | 'tcg' | undefined
}

/** Instructions are counted under TCG on every host: only there does a plugin see them. */
const COUNTING: Accelerator = { used: 'tcg', reason: 'instructions are counted by a TCG plugin' }

/** What every way to use the bench begins with. */
export interface Bench {
  readonly project: Project
  readonly choice: BenchChoice
  readonly cases: readonly Case[]
  /** What the series promises of any cases. */
  readonly targets: readonly TargetTable[]
  readonly base: Base
  readonly series: Series
  readonly signal: AbortSignal
}

/** Reads cases and series, and gets the base. Bad names are found before anything is downloaded. */
export async function openBench(project: Project, choice: BenchChoice, signal: AbortSignal): Promise<Bench> {
  const all = loadCases(project.bench)
  const targets = loadCaseTargets(project.bench, all)
  const cases = selectCases(all, choice.cases, targets)
  await ready(signal)
  const { base, series } = await getBase(project, choice, signal)
  return { project, choice, cases, targets, base, series, signal }
}

/** The kernel of a point of the bench's series. */
export async function pointAt(bench: Bench, patches: number): Promise<Point> {
  const { config, jobs } = bench.choice
  const choice: KernelChoice = { arch: 'x86_64', config, jobs }
  return buildPoint(bench.project, bench, patches, choice, bench.signal)
}

/** What measuring at some points needs; the guest's init is of the first point's tree. */
async function measuringOf(bench: Bench, first: Pick<Point, 'treeDir' | 'treeId'>): Promise<Measuring> {
  const { project, cases, choice, signal } = bench
  return {
    cases,
    benchDir: project.bench,
    machinesDir: join(project.bench, 'machines'),
    guest: await makeGuest(first, cases, signal),
    repeats: choice.repeats,
    signal,
  }
}

/** The same with the plugin, which only counting needs: not every QEMU takes it. */
export async function countingOf(bench: Bench, first: Pick<Point, 'treeDir' | 'treeId'>): Promise<Counting> {
  const measuring = await measuringOf(bench, first)
  return { ...measuring, plugin: await compilePlugin('count', measuring.guest.qemu.version, bench.signal) }
}

/**
 * Compares two points of the series: builds both kernels and measures both in one run.
 *
 * @throws Finding when a point does not apply or build; UsageError for bad input; LabError when the lab broke.
 */
export async function compare(bench: Bench): Promise<BenchOutput> {
  const { choice, series } = bench
  const start = Date.now()
  const points = [
    await pointAt(bench, pointOf(series, choice.from)),
    await pointAt(bench, pointOf(series, choice.to)),
  ] as const
  const measuring = await measuringOf(bench, points[0])
  const counting = choice.mode === 'wall-clock' ? undefined : await countingOf(bench, points[0])
  const load = await watchLoad()
  const counted = counting && (await countPoints(points, counting))
  const counts = counted && ([counted.get(points[0])!, counted.get(points[1])!] as const)
  const timed = choice.mode === 'deterministic' ? undefined : await timeBoth(bench, points, measuring)
  const seen = await load.stop()
  const output = record(bench, { start, points, measuring, counts, timed, load: seen.load })
  const targets = judgeTargets(output, bench.targets)
  return targets.length > 0 ? { ...output, targets } : output
}

interface Timed {
  readonly accel: Accelerator
  readonly times: readonly [readonly Measurement[], readonly Measurement[]]
  readonly distrust: string | undefined
  readonly words: readonly string[]
}

async function timeBoth(bench: Bench, points: readonly [Point, Point], measuring: Measuring): Promise<Timed> {
  const { choice, signal } = bench
  const accel = await probeAccelerator({ ...(choice.accel ? { force: choice.accel } : {}), signal })
  log.info(`accel   ${accel.used}: ${accel.reason}`)
  const load = await watchLoad()
  const times = await timePoints(points, { ...measuring, accel })
  const { distrust, words } = await load.stop()
  return { accel, times, distrust, words }
}

function record(
  { choice, base, series, project, cases }: Bench,
  seen: {
    readonly start: number
    readonly points: readonly [Point, Point]
    readonly measuring: Measuring
    readonly counts: readonly [Counted, Counted] | undefined
    readonly timed: Timed | undefined
    readonly load: BenchOutput['host']['load']
  },
): BenchOutput {
  const { points, counts, timed, measuring } = seen
  const all = [...(counts?.flatMap((c) => c.measurements) ?? []), ...(timed?.times.flat() ?? [])]
  const cached = { base: counts?.[0].cached ?? 0, series: counts?.[1].cached ?? 0 }
  const { context, notes } = contextBetween(project.bench, points, counts)
  const { kernel } = points[0]
  const recorded = benchCases(cases, {
    counts: counts && [counts[0].measurements, counts[1].measurements],
    times: timed?.times,
    distrust: timed?.distrust,
  })
  const entries = entriesOf(cases, recorded)
  const {
    cpu = 'unknown',
    cpus = 1,
    memoryBytes = 0,
    kernel: release = 'unknown',
    arch = 'unknown',
    os,
  } = hostFacts()
  return {
    schema: SCHEMA,
    mode: choice.mode,
    time: new Date(seen.start).toISOString(),
    seconds: (Date.now() - seen.start) / 1000,
    linux: {
      version: base.identity.version,
      identity: baseOf(base.identity).identity,
      tree: base.identity.tree,
    },
    seriesOf: {
      name: series.name,
      version: series.version,
      changeId: series.changeId,
      hash: series.hash,
      patches: series.patches.length,
    },
    points: { base: recordedPoint(points[0]), series: recordedPoint(points[1]) },
    cases: recorded,
    context,
    ...(Object.keys(entries).length > 0 ? { entries } : {}),
    host: {
      ...(os === undefined ? {} : { os }),
      cpu,
      cpus,
      memoryBytes,
      kernel: release,
      arch,
      load: seen.load,
    },
    accel: { deterministic: counts ? COUNTING : null, wallClock: timed?.accel ?? null },
    qemu: `QEMU ${measuring.guest.qemu.version}`,
    fio: all.find((m) => m.fio)?.fio ?? null,
    compiler: kernel.record.compiler,
    config: kernel.config,
    cache: cached,
    boots: all.length - cached.base - cached.series,
    notes: [...new Set([...notes, ...(timed ? clockNotes(timed) : []), ...all.flatMap((m) => m.notes)])],
  }
}

/** Many intervals at once: what is said of each is not true of all of them together. */
function clockNotes({ times, words }: Timed): string[] {
  const count = Object.values(times[0][0]?.times ?? {}).filter((time) => typeof time === 'number').length
  const chance = Math.round(count * 0.05)
  if (chance < 1) return [...words]
  return [
    `of ${count} cases by the clock about ${chance} may show a change by chance: each interval is of 95 %`,
    ...words,
  ]
}
