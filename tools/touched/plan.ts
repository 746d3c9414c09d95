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

/** Looks at every file that a patch touches, as it is after the patch. A unit's sources are its own alone. */
export async function planOf(step: Step): Promise<Plan> {
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
    const sources = kind === 'source' ? [file] : []
    units.push({ file, kind, sources, code, added: code.filter((c) => lines.has(c.line)) })
  }
  return { units, others }
}

/**
 * The plan with the sources that include each file.
 *
 * @param tree a work tree of the point after the patch.
 */
export async function withUsers(
  plan: Plan,
  step: Step,
  tree: string,
  signal: AbortSignal | undefined,
): Promise<Plan> {
  const files = plan.units.map(({ file }) => file)
  const users = await usersOf(step, tree, files, signal)
  const units = plan.units.map((unit) => ({
    ...unit,
    sources: [...unit.sources, ...(users.get(unit.file) ?? [])],
  }))
  return { ...plan, units }
}

/** Sources that include each file, directly, or through one header in between. */
async function usersOf(
  step: Step,
  tree: string,
  files: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const out = new Map<string, readonly string[]>()
  const direct = await includersOf(tree, files, { signal })
  const isTouched = (path: string): boolean => step.patch.paths.includes(path)
  const headers = new Map<string, readonly string[]>()
  for (const file of files) {
    const all = direct.get(file) ?? []
    const sources = all.filter(isSource)
    out.set(file, [...sources.filter(isTouched), ...sources.filter((path) => !isTouched(path))])
    if (sources.length === 0) headers.set(file, all.slice(0, 4))
  }
  const between = [...new Set([...headers.values()].flat())]
  const further = between.length === 0 ? new Map() : await includersOf(tree, between, { signal })
  for (const [file, through] of headers) {
    const sources = through.flatMap((header) => further.get(header) ?? []).filter(isSource)
    out.set(file, [...new Set(sources)])
  }
  return out
}

function isSource(path: string): boolean {
  return /\.[cS]$/.test(path)
}

/** Users of a file that are asked about; the nearest are first. */
const MOST = 40

/** The sources that may compile a file on an architecture, nearest first: other architectures have their own. */
export function usersFor(unit: Unit, srcarch: string): readonly string[] {
  const own = `arch/${srcarch}/`
  const possible = unit.sources.filter(
    (path) => path === unit.file || !path.startsWith('arch/') || path.startsWith(own),
  )
  return possible.slice(0, MOST)
}

/** Every object that the plan may need on an architecture, for questions to the Makefiles. */
export function candidates(plan: Plan, srcarch: string): readonly string[] {
  return [...new Set(plan.units.flatMap((unit) => usersFor(unit, srcarch).map(objectOf)))]
}
