// SPDX-License-Identifier: GPL-2.0-only
import { type CodeLine, codeLines } from './code-lines.ts'
import { addedLines } from './added-lines.ts'
import { classify, objectOf, type FileClass } from './classify.ts'
import { includersOf } from './includers.ts'
import { type Step, textAt } from './point.ts'

/** A touched file that can be compiled, and the objects that would do it. */
export interface Unit {
  readonly file: string
  readonly kind: 'source' | 'header'
  /** Sources whose objects compile it: its own, then those that include it, nearest first. */
  readonly sources: readonly string[]
  /** What it holds after the patch. */
  readonly code: readonly CodeLine[]
  /** Those of the code lines that the patch adds. */
  readonly added: readonly CodeLine[]
}

/** What a patch touches. */
export interface Plan {
  readonly units: readonly Unit[]
  /** Files that are not compiled as objects of the kernel, and why. */
  readonly others: readonly { readonly file: string; readonly class: FileClass | 'removed' }[]
}

/** Looks at every file that a patch touches, as it is after the patch. */
export async function planOf(step: Step, signal: AbortSignal | undefined): Promise<Plan> {
  const units: Unit[] = []
  const others: { file: string; class: FileClass | 'removed' }[] = []
  const added = addedLines(step.patch.text)
  for (const file of step.patch.paths) {
    const kind = classify(file)
    const text = await textAt(step.after, file)
    if (text === undefined || (kind !== 'source' && kind !== 'header')) {
      others.push({ file, class: text === undefined ? 'removed' : kind })
      continue
    }
    const code = codeLines(text)
    const lines = new Set(added.get(file))
    units.push({
      file,
      kind,
      sources: [...(kind === 'source' ? [file] : []), ...(await usersOf(step, file, signal))],
      code,
      added: code.filter((c) => lines.has(c.line)),
    })
  }
  return { units, others }
}

/** Sources that include a file, directly, or through one header in between. */
async function usersOf(
  step: Step,
  file: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const direct = await includersOf(step.after, file, { signal })
  const isTouched = (path: string): boolean => step.patch.paths.includes(path)
  const sources = direct.filter((path) => /\.[cS]$/.test(path))
  if (sources.length > 0) return [...sources.filter(isTouched), ...sources.filter((path) => !isTouched(path))]
  const through = await Promise.all(
    direct.slice(0, 4).map((header) => includersOf(step.after, header, { signal })),
  )
  return [...new Set(through.flat().filter((path) => /\.[cS]$/.test(path)))]
}

/** Every object that the plan may need, for questions to the Makefiles. At most `limit` users of a header. */
export function candidates(plan: Plan, limit = 40): readonly string[] {
  return [...new Set(plan.units.flatMap((unit) => unit.sources.slice(0, limit).map(objectOf)))]
}
