// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs'
import { artefact } from '../lib/cache.ts'
import { sha256 } from '../lib/hash.ts'
import { withTree } from '../series/checkout.ts'
import { objectOf } from './classify.ts'
import { cmdPath, readCmdFile } from './cmd-file.ts'
import { compiledLines } from './code-lines.ts'
import { findLabDir } from './lab-dir.ts'
import { type Plan, withUsers } from './plan.ts'
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
  const isThere = (source: string): boolean => existsSync(cmdPath(lab.object, objectOf(source)))
  const inputs = {
    version: 1,
    after: step.after.tree,
    files: step.patch.paths,
    there: plan.units.filter((unit) => unit.kind === 'source' && isThere(unit.file)).map((unit) => unit.file),
    config: sha256(lab.config),
  }
  const made = await artefact<Record<string, readonly number[]>>('touched-lab', inputs, async () =>
    withTree(step.after, { slot: 'touched', ...(signal ? { signal } : {}) }, async (tree) => {
      const whole = await withUsers(plan, step, tree.dir, signal)
      const sources = new Set(
        whole.units.flatMap((unit) => {
          const there = unit.sources.filter(isThere)
          return there.includes(unit.file) ? [unit.file] : there.slice(0, 2)
        }),
      )
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
