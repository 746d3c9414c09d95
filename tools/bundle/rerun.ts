// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { UsageError } from '../lib/errors.ts'
import { sha256 } from '../lib/hash.ts'
import { findProject, type Project } from '../lib/project.ts'
import type { PatchProof, Proof } from '../result/proof-record.ts'
import type { Verified } from './verify.ts'

/** Proves one patch of a project anew, with these suites. */
export type ProveOne = (
  project: Project,
  wanted: { readonly number: number; readonly suites: readonly string[]; readonly config: string },
) => Promise<Proof>

/** What came of running one patch's proof again. */
export interface Rerun {
  readonly number: number
  readonly file: string
  readonly seed: string
  readonly outcome: PatchProof['outcome']
  /** Where the new proof contradicts the one in the bundle. */
  readonly problems: readonly string[]
  /** What could not be compared, and why. */
  readonly notes: readonly string[]
}

/**
 * Runs the proof of one patch of a bundle again, from the patches and configs that are in it, and compares what comes
 * out with what the bundle says. `seed` chooses the patch: whoever made the bundle cannot know it.
 *
 * @throws UsageError when the bundle has no proof.
 */
export async function rerun(verified: Verified, seed: string, prove: ProveOne): Promise<Rerun> {
  const { proof, contents } = verified
  const chosen = proof && choose(proof, seed)
  if (!proof || !chosen) throw new UsageError('the bundle has no proof that could be run again')
  const dir = mkdtempSync(join(tmpdir(), 'phyr-bundle-'))
  try {
    for (const [name, bytes] of contents) {
      if (!/^(?:patches|kernel-config)\//.test(name)) continue
      mkdirSync(dirname(join(dir, name)), { recursive: true })
      writeFileSync(join(dir, name), bytes)
    }
    const suites = [...new Set(proof.suites.map((pair) => pair.split(' ').at(-1) ?? ''))]
    const anew = await prove(findProject(dir), { number: chosen.number, suites, config: proof.config })
    const again = anew.patches.find((patch) => patch.number === chosen.number)
    const { number, file } = chosen
    if (!again)
      return { number, file, seed, outcome: 'error', problems: [`patch ${number} was not proved`], notes: [] }
    return { number, file, seed, outcome: again.outcome, ...compareProofs(proof, chosen, anew, again) }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** One of the proof's patches; the same seed, the same patch. */
export function choose(proof: Proof, seed: string): PatchProof | undefined {
  const at =
    Number.parseInt(sha256(`phyr bundle ${seed}`).slice(0, 12), 16) % Math.max(1, proof.patches.length)
  return proof.patches[at]
}

function compareProofs(
  was: Proof,
  before: PatchProof,
  is: Proof,
  after: PatchProof,
): Pick<Rerun, 'problems' | 'notes'> {
  const problems: string[] = []
  const notes: string[] = []
  const { number } = before
  if (is.series.hash !== was.series.hash) problems.push('it was proved with other patches')
  if (after.outcome !== before.outcome) {
    const why = after.reasons[0] ?? 'no reason given'
    problems.push(
      `patch ${number}: ${after.outcome} at ${after.stage} (${why}); the bundle says ${before.outcome}`,
    )
  }
  if (before.tree !== undefined && after.tree !== undefined && before.tree !== after.tree)
    problems.push(`patch ${number}: leads to tree ${after.tree}, the bundle says ${before.tree}`)
  if (was.compiler !== is.compiler) {
    notes.push(`code is not compared: built by ${is.compiler} here, by ${was.compiler} there`)
  } else if (before.allocatedHash === undefined || after.allocatedHash === undefined) {
    notes.push('code is not compared: one of the proofs has no kernel')
  } else if (before.allocatedHash !== after.allocatedHash) {
    problems.push(`patch ${number}: the kernel's code and data differ from those of the bundle`)
  }
  if (was.suites.join() !== is.suites.join())
    notes.push(`other suites were run: ${is.suites.join(', ')}; the bundle has ${was.suites.join(', ')}`)
  return { problems, notes }
}
