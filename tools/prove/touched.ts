// SPDX-License-Identifier: GPL-2.0-only
import { which } from '../lib/which.ts'
import type { PatchProof, ProofStage } from '../result/proof-record.ts'
import { applySeries } from '../series/apply.ts'
import type { Patch } from '../series/series.ts'
import { touchedBuilds } from '../touched/builds.ts'
import { sparseDelta } from '../touched/sparse.ts'
import { targets } from '../touched/target.ts'
import type { Proving } from './walk.ts'

/** What compiling the touched files alone says: with W=1, on other architectures, by sparse. */
export interface Touched extends Pick<PatchProof, 'touched' | 'uncompiled' | 'sparse'> {
  /** New warnings, with file and line; one that several architectures give counts once. */
  readonly warnings: readonly string[]
  readonly faults: readonly { readonly stage: ProofStage; readonly reasons: readonly string[] }[]
}

/** Compiles what a patch touches, object by object, on every architecture that was asked for. */
export async function lookAtTouched(proving: Proving, patch: Patch): Promise<Touched> {
  const { base, series, signal, archs, kernel } = proving
  if (archs.length === 0) {
    const sparse = { skipped: 'touched objects were not asked for' }
    return { touched: [], uncompiled: [], sparse, warnings: [], faults: [] }
  }
  const applied = await applySeries(base, series, { upTo: patch.number, signal })
  const request = { applied, patchNumber: patch.number, signal }
  const jobs = kernel.jobs === undefined ? {} : { jobs: kernel.jobs }
  const built = await touchedBuilds({ ...request, ...jobs, archs })
  const sparse = await sparseDelta(request)
  const failed = built.touched.filter((row) => row.outcome === 'fail')
  const isWarning = (text: string): boolean => /\b[Ww]arning: /.test(text)
  const warnings = [...new Set(failed.flatMap((row) => row.warnings.filter(isWarning)))]
  const broken = failed.filter((row) => !isWarning(row.why ?? ''))
  return {
    touched: built.touched.map(({ file, config, arch, outcome, why }) => ({
      file,
      config,
      arch,
      outcome,
      ...(why === undefined ? {} : { why }),
    })),
    uncompiled: built.uncompiled,
    sparse,
    warnings,
    faults: [
      ...(warnings.length > 0 ? [{ stage: 'warnings' as const, reasons: warnings }] : []),
      ...(broken.length > 0
        ? [
            {
              stage: 'touched' as const,
              reasons: broken.map((row) => `${row.file} (${row.arch} ${row.config}): ${row.why ?? ''}`),
            },
          ]
        : []),
    ],
  }
}

/** What an answer depends on beside the trees: which compilers there are for what was asked for. */
export function touchedInputs(archs: readonly string[]): object {
  return {
    targets: targets
      .filter((target) => archs.includes(target.arch))
      .map(({ arch, config, cross }) => [arch, config, which(`${cross}gcc`) !== undefined]),
    sparse: which('sparse') !== undefined,
  }
}

/** Every architecture that touched objects can be compiled for. */
export const touchedArchs: readonly string[] = [...new Set(targets.map((target) => target.arch))]
