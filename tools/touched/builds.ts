// SPDX-License-Identifier: GPL-2.0-only
import type { Toolchain } from '../kernel/toolchain.ts'
import { artefact, cachedArtefact } from '../lib/cache.ts'
import { log } from '../lib/log.ts'
import { withTree } from '../series/checkout.ts'
import type { Applied } from '../series/series.ts'
import { type Attempt, compilePlan, compileSources } from './compile.ts'
import { type Before, judge, toCompare, type TouchedRow } from './judge.ts'
import { labLines } from './lab-lines.ts'
import { type Plan, planOf, withUsers } from './plan.ts'
import { type Step, stepOf } from './point.ts'
import { type Target, targets, toolchainFor } from './target.ts'

export interface TouchedRequest {
  /** The whole series, or its first patches with the one in question among them. */
  readonly applied: Applied
  /** Position of the patch in the series, from 1. */
  readonly patchNumber: number
  /** Architectures: "x86_64", "i386", "arm64", "s390"; default all. */
  readonly archs?: readonly string[]
  /** O= directory of the lab config; default the one that was used last for this base. It is only read. */
  readonly labObject?: string
  readonly jobs?: number
  readonly signal?: AbortSignal
}

export interface TouchedBuilds {
  /** Every touched source and header, under every configuration. */
  readonly touched: readonly TouchedRow[]
  /** Lines that the patch adds and that no configuration compiled, the lab's own among them. */
  readonly uncompiled: readonly { readonly file: string; readonly line: number; readonly text: string }[]
  /** Touched files that the lab's build compiles. */
  readonly lab: readonly string[]
  /** Touched files that are no source of the kernel, by class. */
  readonly others: readonly { readonly file: string; readonly class: string }[]
  /** True when nothing was compiled for this answer. */
  readonly cached: boolean
}

/** Changes whenever the same inputs would give another answer. */
const STAGE_VERSION = 3
/** The work tree, beside the build's, that objects are compiled from. */
const SLOT = 'touched'

interface Stored {
  readonly rows: readonly TouchedRow[]
  readonly lines: Readonly<Record<string, readonly number[]>>
}

/**
 * Compiles every source and header that a patch touches under allmodconfig of every architecture that has a compiler
 * here, object by object, with W=1, and says which lines that the patch adds no configuration compiles.
 *
 * An object that is not made any more is a finding (outcome fail), and so is a warning that the same object does not
 * give at the patch before. A missing compiler, and a configuration that does not have the object, is a skip that
 * says why. Each answer is kept in the cache, by the trees before and after, the target and the compiler.
 *
 * @throws UsageError when the patch is not applied, or an architecture is not known.
 * @throws LabError when the disk is full, kconfig does not run, or `signal` was aborted.
 */
export async function touchedBuilds(request: TouchedRequest): Promise<TouchedBuilds> {
  const { signal } = request
  const step = await stepOf(request.applied, request.patchNumber)
  const plan = await planOf(step)
  const chosen = targets.filter((target) => request.archs?.includes(target.arch) ?? true)
  if (plan.units.length === 0)
    return { touched: [], uncompiled: [], lab: [], others: plan.others, cached: true }
  const jobs = await Promise.all(chosen.map((target) => jobOf(step, target, signal)))
  const missing = jobs.filter((job) => job.toolchain !== undefined && job.known() === undefined)
  if (missing.length > 0) await compileAll(step, plan, missing, request)
  const rows: TouchedRow[] = []
  const compiled = new Map<string, Set<number>>(plan.units.map((unit) => [unit.file, new Set()]))
  for (const job of jobs) {
    const stored = job.known()
    rows.push(...(stored?.rows ?? skipped(plan, job.target, job.missing)))
    for (const [file, lines] of Object.entries(stored?.lines ?? {}))
      for (const line of lines) compiled.get(file)?.add(line)
  }
  const lab = await labLines(step, plan, request.labObject, signal)
  for (const [file, lines] of lab) for (const line of lines) compiled.get(file)?.add(line)
  return {
    touched: rows,
    uncompiled: plan.units.flatMap((unit) =>
      unit.added
        .filter((c) => !compiled.get(unit.file)?.has(c.line))
        .map(({ line, text }) => ({ file: unit.file, line, text })),
    ),
    lab: [...lab.keys()],
    others: plan.others,
    cached: missing.length === 0,
  }
}

interface Job {
  readonly target: Target
  readonly toolchain: Toolchain | undefined
  readonly missing: string
  readonly inputs: Readonly<Record<string, unknown>>
  known(): Stored | undefined
}

async function jobOf(step: Step, target: Target, signal: AbortSignal | undefined): Promise<Job> {
  const found = await toolchainFor(target, signal)
  const toolchain = 'missing' in found ? undefined : found
  const inputs = {
    version: STAGE_VERSION,
    before: step.before.tree,
    after: step.after.tree,
    files: step.patch.paths,
    target,
    toolchain: toolchain?.identity,
  }
  return {
    target,
    toolchain,
    missing: 'missing' in found ? found.missing : '',
    inputs,
    known: () => toolchain && cachedArtefact<Stored>('touched', inputs)?.manifest,
  }
}

function skipped(plan: Plan, target: Target, why: string): readonly TouchedRow[] {
  const { config, arch } = target
  return plan.units.map(({ file }) => ({ file, config, arch, outcome: 'skip', why, warnings: [] }))
}

/** All targets at the patch, then those with something to compare at the patch before: the tree moves once. */
async function compileAll(
  step: Step,
  plan: Plan,
  jobs: readonly Job[],
  request: TouchedRequest,
): Promise<void> {
  const { signal } = request
  const options = { slot: SLOT, ...(signal ? { signal } : {}) }
  const doubtful = new Map<Job, Attempt>()
  const keep = async (job: Job, attempt: Attempt, before: Before | undefined): Promise<void> => {
    const rows = judge(attempt, before, { config: job.target.config, arch: job.target.arch })
    const lines = Object.fromEntries(attempt.files.map((file) => [file.file, file.lines]))
    await artefact<Stored>('touched', job.inputs, async () => ({ rows, lines }))
  }
  await withTree(step.after, options, async (tree) => {
    const whole = await withUsers(plan, step, tree.dir, signal)
    for (const job of jobs) {
      const attempt = await compilePlan(whole, at(job, tree))
      // Kept as it comes: what is interrupted goes on after the last whole one.
      if (toCompare(attempt).length === 0) await keep(job, attempt, undefined)
      else doubtful.set(job, attempt)
    }
  })
  if (doubtful.size > 0) {
    await withTree(step.before, options, async (tree) => {
      for (const [job, attempt] of doubtful)
        await keep(job, attempt, await compileSources(toCompare(attempt), at(job, tree)))
    })
  }
  log.progressDone()
  function at(job: Job, tree: Parameters<typeof compilePlan>[1]['tree']): Parameters<typeof compilePlan>[1] {
    return { tree, target: job.target, toolchain: job.toolchain!, jobs: request.jobs, signal }
  }
}
