// SPDX-License-Identifier: GPL-2.0-only
import { artefact } from '../lib/cache.ts'
import { sha256 } from '../lib/hash.ts'
import { withTree } from '../series/checkout.ts'
import { objectOf } from './classify.ts'
import { readCmdFile } from './cmd-file.ts'
import { compiledLines } from './code-lines.ts'
import { findLabDir, type LabDir } from './lab-dir.ts'
import type { Plan } from './plan.ts'
import type { Step } from './point.ts'
import { preprocessedLines } from './preprocess.ts'

/**
 * The added lines that the lab's own build compiles, by touched file; a file that it does not compile is left out.
 * Told by its saved commands, which are run with the preprocessor alone on the sources of this point.
 */
export async function labLines(
  step: Step,
  plan: Plan,
  labObject: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const lab = findLabDir(step.after, labObject)
  if (!lab) return new Map()
  const users = plan.units.map((unit) => ({ unit, sources: usersIn(lab, unit.file, unit.sources) }))
  const sources = [...new Set(users.flatMap((user) => user.sources))]
  if (sources.length === 0) return new Map()
  const inputs = {
    version: 1,
    after: step.after.tree,
    files: step.patch.paths,
    sources,
    config: sha256(lab.config),
  }
  const made = await artefact<Record<string, readonly number[]>>('touched-lab', inputs, async () =>
    withTree(step.after, { slot: 'touched', ...(signal ? { signal } : {}) }, async (tree) => {
      const files = new Set(plan.units.map((unit) => unit.file))
      const seen = new Map<string, Set<number>>()
      for (const source of sources) {
        const cmd = readCmdFile(lab.object, objectOf(source), lab.source)
        const place = { object: lab.object, from: lab.source, to: tree.dir, signal }
        for (const [file, lines] of (cmd && (await preprocessedLines(cmd, place, files))) ?? [])
          seen.set(file, new Set([...(seen.get(file) ?? []), ...lines]))
      }
      return Object.fromEntries(
        plan.units
          .filter((unit) => seen.has(unit.file))
          .map((unit) => {
            const live = compiledLines(unit.code, seen.get(unit.file) ?? new Set())
            return [unit.file, unit.added.map((c) => c.line).filter((line) => live.has(line))]
          }),
      )
    }),
  )
  return new Map(Object.entries(made.manifest))
}

/** Of the sources that compile a file, those that the lab has; two are enough. */
function usersIn(lab: LabDir, file: string, sources: readonly string[]): readonly string[] {
  const there = sources.filter(
    (source) => readCmdFile(lab.object, objectOf(source), lab.source) !== undefined,
  )
  return there.includes(file) ? [file] : there.slice(0, 2)
}
