// SPDX-License-Identifier: GPL-2.0-only
import type { Base } from '../base/base.ts'
import { gitOk } from '../base/repo.ts'
import { Finding } from '../lib/errors.ts'
import type { Project } from '../lib/project.ts'
import type { Accelerator } from '../machine/boot.ts'
import type { QemuProbe } from '../machine/qemu-probe.ts'
import { getKernel, type BuiltKernel, type KernelChoice } from '../run/kernel.ts'
import type { Cell } from '../run/matrix.ts'
import { applySeries } from '../series/apply.ts'
import type { Applied, Series } from '../series/series.ts'

/** What every patch of one proof has in common. */
export interface Proving {
  readonly project: Project
  readonly base: Base
  readonly series: Series
  readonly kernel: KernelChoice
  readonly cells: readonly Cell[]
  /** Architectures that touched files are compiled on, object by object; empty: not at all. */
  readonly archs: readonly string[]
  readonly accel: Accelerator
  readonly qemu: QemuProbe
  /** Boot and look again, even where a stored proof would do. */
  readonly again: boolean
  readonly signal: AbortSignal
}

/** The series from the base up to where it applies. */
export interface Points {
  /** Patches that apply. */
  readonly applied: number
  /** Why the next one does not; undefined when all do. */
  readonly finding: Finding | undefined
  /** Hash of git's tree with the first `patches` applied, 0 to `applied`. */
  readonly tree: (patches: number) => string
}

/** Applies as much of the series as can be. */
export async function pointsOf({ base, series, signal }: Proving): Promise<Points> {
  let all: Applied
  let finding: Finding | undefined
  try {
    all = await applySeries(base, series, { signal })
  } catch (error) {
    if (!(error instanceof Finding) || error.stage !== 'apply') throw error
    const upTo = series.patches.findIndex((patch) => patch.file === error.blame)
    if (upTo < 0) throw error
    finding = error
    all = await applySeries(base, series, { upTo, signal })
  }
  const revisions = [base.commit, ...all.commits.map(({ commit }) => commit)].map((c) => `${c}^{tree}`)
  const trees = (await gitOk(base.repo, ['rev-parse', ...revisions])).split('\n')
  return { applied: all.commits.length, finding, tree: (patches) => trees[patches]! }
}

/**
 * Kernels of the points, built one after the other in the same O= directory, so that each build compiles what one patch
 * changed. The last two are remembered: a walk asks for each point twice.
 */
export class Walk {
  readonly #proving: Proving
  readonly #built = new Map<number, BuiltKernel>()

  constructor(proving: Proving) {
    this.#proving = proving
  }

  /**
   * The kernel with the first `patches` applied. The work tree is at this point when it has not been asked for before.
   *
   * @throws Finding when an option does not hold or it does not compile; LabError when the lab broke.
   */
  async kernelAt(patches: number): Promise<BuiltKernel> {
    const known = this.#built.get(patches)
    if (known) return known
    const { project, base, series, kernel, cells, signal } = this.#proving
    const applied = await applySeries(base, series, { upTo: patches, signal })
    const built = await getKernel(project, applied, kernel, cells, signal)
    for (const old of this.#built.keys()) if (old !== patches - 1) this.#built.delete(old)
    this.#built.set(patches, built)
    return built
  }
}
