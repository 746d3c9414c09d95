// SPDX-License-Identifier: GPL-2.0-only
import { buildKernel } from '../kernel/build.ts'
import type { Arch, Kernel } from '../kernel/kernel.ts'
import { UsageError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import type { Project } from '../lib/project.ts'
import { withTree } from '../series/checkout.ts'
import type { Applied } from '../series/series.ts'
import type { Cell } from './matrix.ts'

/** Which kernel to build. */
export interface KernelChoice {
  readonly arch: Arch
  /** Name of the config; undefined: "lab" on x86_64, "i386" on i386. */
  readonly config: string | undefined
  readonly jobs: number | undefined
  /** false: without the series' own tests; default true. */
  readonly tests?: boolean
  /** true: with the symbols of its objects, see readSymbols(). */
  readonly symbols?: boolean
}

export interface BuiltKernel {
  readonly kernel: Kernel
  readonly treeDir: string
  readonly treeId: string
}

const configsOf: Readonly<Record<Arch, readonly string[]>> = {
  x86_64: ['lab', 'debug'],
  i386: ['i386', 'i386-pae'],
}

/** The kernel of an applied series, with the selftests that the suites to come need. */
export async function getKernel(
  project: Project,
  applied: Applied,
  choice: KernelChoice,
  cells: readonly Cell[],
  signal: AbortSignal,
): Promise<BuiltKernel> {
  const config = choice.config ?? configsOf[choice.arch][0]!
  if (!configsOf[choice.arch].includes(config)) {
    throw new UsageError(
      `no config ${config} for ${choice.arch}`,
      `configs: ${configsOf[choice.arch].join(', ')}`,
    )
  }
  return withTree(applied, { slot: 'build', signal }, async (tree) => {
    const kernel = await buildKernel({
      tree,
      arch: choice.arch,
      config,
      fragments: project.kernelConfig,
      ...(choice.tests === undefined ? {} : { tests: choice.tests }),
      ...(choice.symbols === undefined ? {} : { symbols: choice.symbols }),
      selftests: [...new Set(cells.flatMap((cell) => cell.suite.selftests))],
      ...(choice.jobs === undefined ? {} : { jobs: choice.jobs }),
      signal,
    })
    log.info(
      `build   ${kernel.release} ${config} ${kernel.key}${kernel.cached ? '  cached' : `  ${kernel.record.seconds.toFixed(0)} s`}`,
    )
    return { kernel, treeDir: tree.dir, treeId: applied.tree }
  })
}
