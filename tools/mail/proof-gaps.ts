// SPDX-License-Identifier: GPL-2.0-only
import { plural } from '../result/format.ts'
import type { PatchProof, Proof } from '../result/proof-record.ts'
import { NO_INCLUDER } from '../touched/compile.ts'
import { NO_SOURCE } from '../touched/sparse.ts'

/** What a proof says nothing about, a sentence each; empty when it covers all. The reasons in full are in the record. */
export function proofGaps({ patches }: Proof): string[] {
  return [...uncompiled(patches), ...elsewhere(patches), ...sparse(patches), ...skippedSuites(patches)]
}

/** Lines that came out of no compiler, and headers that nothing included where they were added. */
function uncompiled(patches: readonly PatchProof[]): string[] {
  const lonely = new Set<string>()
  const counts = new Map<string, number>()
  for (const patch of patches) {
    const alone = new Set(patch.touched.filter((one) => one.why === NO_INCLUDER).map(({ file }) => file))
    for (const file of alone) lonely.add(`${file} at patch ${patch.number}`)
    for (const { file } of patch.uncompiled)
      if (!alone.has(file)) counts.set(file, (counts.get(file) ?? 0) + 1)
  }
  const lines = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const files = [...counts].map(([file, count]) => `${file} (${count})`)
  return [
    ...(lines > 0 ? [`${plural(lines, 'changed line')} that no config compiled: ${files.join(', ')}`] : []),
    ...(lonely.size > 0 ? [`headers that no source included yet: ${[...lonely].join(', ')}`] : []),
  ]
}

/** Files that a config of an architecture leaves out, by the architectures. */
function elsewhere(patches: readonly PatchProof[]): string[] {
  const archs = new Map<string, Set<string>>()
  for (const { file, arch, outcome, why } of patches.flatMap((patch) => patch.touched)) {
    if (outcome !== 'skip' || why === NO_INCLUDER) continue
    archs.set(file, (archs.get(file) ?? new Set()).add(arch))
  }
  const files = new Map<string, string[]>()
  for (const [file, of] of archs) {
    const names = [...of].toSorted().join(', ')
    files.set(names, [...(files.get(names) ?? []), file])
  }
  return [...files].map(([of, names]) => `not compiled for ${of}: ${names.toSorted().join(', ')}`)
}

function sparse(patches: readonly PatchProof[]): string[] {
  const whys = new Set(
    patches.flatMap(({ sparse: one }) =>
      // Documentation and selftests have nothing for sparse, which is no gap.
      'skipped' in one && one.skipped !== NO_SOURCE ? [one.skipped] : [],
    ),
  )
  return whys.size > 0 ? [`sparse: ${[...whys].join('; ')}`] : []
}

function skippedSuites(patches: readonly PatchProof[]): string[] {
  const skipped = new Map<string, { count: number; whys: Set<string> }>()
  for (const { machine, suite, outcome, reasons } of patches.flatMap((patch) => patch.runs)) {
    if (outcome !== 'skip') continue
    const name = `${suite} on ${machine}`
    const { count, whys } = skipped.get(name) ?? { count: 0, whys: new Set() }
    skipped.set(name, { count: count + 1, whys: new Set([...whys, ...reasons]) })
  }
  return [...skipped].map(
    ([name, { count, whys }]) =>
      `${name} at ${plural(count, 'patch', 'patches')}: ${[...whys].join('; ') || 'no reason given'}`,
  )
}
