// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import { cacheRoot } from '../lib/paths.ts'
import { listStored, saveStored } from './json-files.ts'
import { proofSchema, type PatchProof, type Proof } from './proof-record.ts'

/**
 * Stores what `phyr prove` found and returns the file.
 *
 * @throws ZodError when it does not hold to the schema; LabError when the disk is full.
 */
export function saveProof(proof: Proof, root: string = cacheRoot(), now: Date = new Date()): string {
  return saveStored(proofSchema.parse(proof), join(root, 'proofs'), now)
}

/**
 * The newest proof, patch by patch, of the series with this hash: proofs of parts of it (shards, single patches) on the
 * same base and config are put together, the newest word about a patch counting. Undefined when there is none.
 *
 * Whether it is whole and passes is the caller's to ask: weakness().
 */
export function latestProof(seriesHash: string, root: string = cacheRoot()): Proof | undefined {
  const all = listStored(join(root, 'proofs'), proofSchema)
    .records.map(({ record }) => record)
    .filter((proof) => proof.series.hash === seriesHash)
  const newest = all.at(-1)
  if (newest === undefined) return undefined
  const same = all.filter(
    (proof) =>
      proof.config === newest.config &&
      proof.compiler === newest.compiler &&
      JSON.stringify(proof.base) === JSON.stringify(newest.base) &&
      newest.suites.every((suite) => proof.suites.includes(suite)),
  )
  const byNumber = new Map<number, PatchProof>()
  for (const patch of same.flatMap((proof) => proof.patches)) byNumber.set(patch.number, patch)
  const patches = [...byNumber.values()].toSorted((a, b) => a.number - b.number)
  const { shard: _, ...rest } = newest
  return { ...rest, patches, outcome: outcomeOfPatches(patches) }
}

/** pass only when every patch passes; a failure outweighs an error of the lab, which says nothing. */
export function outcomeOfPatches(patches: readonly Pick<PatchProof, 'outcome'>[]): Proof['outcome'] {
  if (patches.some((patch) => patch.outcome === 'fail')) return 'fail'
  return patches.some((patch) => patch.outcome === 'error') ? 'error' : 'pass'
}

/** Why a proof does not carry a series to a list; empty when it does. */
export function weakness(proof: Proof): readonly string[] {
  const reasons: string[] = []
  const there = new Set(proof.patches.map((patch) => patch.number))
  const missing = Array.from({ length: proof.series.patches }, (_, i) => i + 1).filter((n) => !there.has(n))
  if (missing.length > 0) {
    reasons.push(`${missing.length} of ${proof.series.patches} patches are not proved: ${rangesOf(missing)}`)
  }
  for (const patch of proof.patches) {
    if (patch.outcome !== 'pass') {
      const said = patch.reasons[0] ?? 'no reason given'
      reasons.push(`patch ${patch.number} (${patch.file}): ${patch.outcome} at ${patch.stage}: ${said}`)
    }
  }
  return reasons
}

/** "1-3, 7": numbers in order, as people write them. */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last && last[1] === number - 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
}
