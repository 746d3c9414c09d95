// SPDX-License-Identifier: GPL-2.0-only
import type { Base } from '../base/base.ts'
import { UsageError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import type { Project } from '../lib/project.ts'
import { probeAccelerator } from '../machine/accel.ts'
import { probeQemu } from '../machine/qemu-probe.ts'
import { findToolchain } from '../kernel/toolchain.ts'
import type { PatchProof, Proof } from '../result/proof-record.ts'
import { outcomeOfPatches, saveProof } from '../result/proof-store.ts'
import { baseOf, seriesIdentity } from '../result/record.ts'
import { SCHEMA } from '../result/result.ts'
import type { KernelChoice } from '../run/kernel.ts'
import { matrixOf } from '../run/matrix.ts'
import { ready } from '../run/ready.ts'
import { getBase, type SourceChoice } from '../run/sources.ts'
import { applySeries } from '../series/apply.ts'
import type { Patch, Series } from '../series/series.ts'
import { groupSeries } from '../split/group-series.ts'
import { NOTHING, provePatch } from './patch.ts'
import { touchedArchs } from './touched.ts'
import { pointsOf, Walk, type Points, type Proving } from './walk.ts'

/** Everything that `phyr prove` can be asked. */
export interface ProveChoice extends Pick<SourceChoice, 'linux' | 'baseVersion'>, KernelChoice {
  /** Only this group of patches/groups.yaml, as a series on the base and the groups that it needs. */
  readonly group?: string | undefined
  /** Which patches; undefined: all. */
  readonly patches?: ((series: Series) => readonly Patch[]) | undefined
  /** The i-th (from 1) of n parts of them. */
  readonly shard?: { readonly i: number; readonly n: number } | undefined
  /** Only the last so many of them; what is left out is said. */
  readonly atMost?: number | undefined
  readonly machines?: readonly string[] | undefined
  readonly suites?: readonly string[] | undefined
  /** Architectures that touched files are compiled on; undefined: all; empty: not at all. */
  readonly archs?: readonly string[] | undefined
  readonly accel: 'kvm' | 'tcg' | undefined
  readonly again: boolean
  /** Go on behind a patch whose kernel does not build or stand. */
  readonly keepGoing: boolean
}

/** What a patch has to pass where nothing else is asked for: what a minute's boot can tell. */
const SUITES = ['kunit', 'kselftest', 'p2p'] as const

/** Behind these nothing can be said of the patches that follow: they stand on what is broken. */
const FATAL: ReadonlySet<PatchProof['stage']> = new Set(['apply', 'config', 'build', 'boot', 'test'])

/**
 * Proves a series patch by patch, in order, and stores the proof. It ends at the first patch that does not apply, build,
 * boot or pass its suites: what follows is not proved, and is not blamed.
 *
 * @throws UsageError for bad names; LabError when the lab breaks before the first patch, or `signal` is aborted.
 */
export async function prove(project: Project, choice: ProveChoice, signal: AbortSignal): Promise<Proof> {
  const start = Date.now()
  const archs = choice.archs ?? touchedArchs
  const unknown = archs.find((name) => !touchedArchs.includes(name))
  if (unknown !== undefined) {
    throw new UsageError(
      `touched objects cannot be compiled for ${JSON.stringify(unknown)}`,
      `one of ${touchedArchs.join(', ')}, or none`,
    )
  }
  const cells = matrixOf(project, {
    machines: choice.machines,
    suites: choice.suites ?? SUITES,
    arch: choice.arch,
  })
  await ready(
    signal,
    cells.map((cell) => cell.suite.name),
  )
  const accel = await probeAccelerator({ ...(choice.accel ? { force: choice.accel } : {}), signal })
  log.info(`accel   ${accel.used}: ${accel.reason}`)
  const { base, series } = await seriesOf(project, choice, signal)
  const { arch, config, jobs, again } = choice
  const qemu = await probeQemu({ signal })
  const kernel = { arch, config, jobs, symbols: true }
  const proving: Proving = { project, base, series, kernel, cells, archs, accel, qemu, again, signal }
  const wanted = limited(sharded(choice.patches?.(series) ?? series.patches, choice.shard), choice.atMost)
  const points = await pointsOf(proving)
  const patches = await proveEach(proving, points, wanted, choice.keepGoing)
  const proof: Proof = {
    schema: SCHEMA,
    time: new Date(start).toISOString(),
    outcome: outcomeOfPatches(patches),
    base: baseOf(base.identity),
    series: seriesIdentity(series),
    config: config ?? 'lab',
    compiler: (await findToolchain({ signal })).compiler,
    qemu: qemu.version,
    accel,
    suites: cells.map((cell) => `${cell.machine.name} ${cell.suite.name}`),
    ...(choice.shard ? { shard: `${choice.shard.i}/${choice.shard.n}` } : {}),
    seconds: (Date.now() - start) / 1000,
    patches,
  }
  saveProof(proof)
  return proof
}

/** The series, or a group of it on top of those it stands on. */
async function seriesOf(
  project: Project,
  choice: ProveChoice,
  signal: AbortSignal,
): Promise<{ base: Base; series: Series }> {
  const { base, series } = await getBase(project, choice, signal)
  if (choice.group === undefined) return { base, series }
  const whole = await applySeries(base, series, { signal })
  return (await groupSeries(project.patches, whole, choice.group, signal)).applied
}

async function proveEach(
  proving: Proving,
  points: Points,
  wanted: readonly Patch[],
  keepGoing: boolean,
): Promise<PatchProof[]> {
  const walk = new Walk(proving)
  const proofs: PatchProof[] = []
  for (const patch of wanted) {
    const proof =
      patch.number > points.applied
        ? unapplied(patch, points)
        : await provePatch(proving, points, walk, patch)
    proofs.push(proof)
    say(proof, proving.series.patches.length)
    if (proof.stage === 'apply' || (!keepGoing && proof.outcome === 'fail' && FATAL.has(proof.stage))) break
  }
  const left = wanted.length - proofs.length
  if (left > 0)
    log.warn(`prove   ${left} more patches are not looked at: they stand on patch ${proofs.at(-1)!.number}`)
  return proofs
}

function unapplied(patch: Patch, { finding }: Points): PatchProof {
  const culprit = finding?.blame === patch.file
  return {
    ...NOTHING,
    number: patch.number,
    file: patch.file,
    subject: patch.subject,
    outcome: 'fail',
    stage: 'apply',
    reasons: culprit
      ? [finding.message, ...finding.detail]
      : [`${finding?.blame ?? 'a patch before it'} does not apply: ${finding?.message ?? 'unknown'}`],
    cached: false,
    seconds: 0,
  }
}

/** @throws UsageError when there is no such shard. */
function sharded(patches: readonly Patch[], shard: ProveChoice['shard']): readonly Patch[] {
  if (!shard) return patches
  const { i, n } = shard
  if (i < 1 || i > n) throw new UsageError(`there is no shard ${i}/${n}`, `1/${n} to ${n}/${n}`)
  // Neighbours, so that a shard builds few kernels that another builds as well.
  const from = Math.floor(((i - 1) * patches.length) / n)
  const to = Math.floor((i * patches.length) / n)
  return patches.slice(from, to)
}

function limited(patches: readonly Patch[], atMost: number | undefined): readonly Patch[] {
  if (atMost === undefined || patches.length <= atMost) return patches
  const left = patches.slice(0, -atMost).map((patch) => patch.number)
  log.warn(`prove   at most ${atMost} patches: not looked at are ${left.join(', ')}`)
  return patches.slice(-atMost)
}

function say(proof: PatchProof, of: number): void {
  const { number, outcome, stage, cached, seconds, subject, reasons } = proof
  const took = cached ? 'cached' : `${seconds.toFixed(0)} s`
  const where = outcome === 'pass' ? '' : ` at ${stage}: ${reasons[0] ?? ''}`
  log.info(
    `prove   ${String(number).padStart(String(of).length)}/${of} ${outcome}${where}  ${took}  ${subject}`,
  )
}
