// SPDX-License-Identifier: GPL-2.0-only
import type { Toolchain } from '../kernel/toolchain.ts'
import { log } from '../lib/log.ts'
import type { Tree } from '../series/series.ts'
import { objectOf } from './classify.ts'
import { readCmdFile } from './cmd-file.ts'
import { compiledLines } from './code-lines.ts'
import type { Diagnostic } from './diagnostics.ts'
import { ObjectList } from './guards.ts'
import { compileObjects, withObjectDir } from './object-dir.ts'
import { candidates, type Plan, type Unit } from './plan.ts'
import { preprocessedLines } from './preprocess.ts'
import type { Target } from './target.ts'

/** What compiling the touched files under one target gave, before it is compared with the patch before. */
export interface Attempt {
  /** For each file that can be compiled, through which sources; or why it is not. */
  readonly files: readonly FileAttempt[]
  readonly diagnostics: readonly Diagnostic[]
  /** Sources whose objects were asked for and were not made. */
  readonly broken: readonly string[]
  /** make's last words, for when it broke and no diagnostic says why. */
  readonly tail: string
}

export interface FileAttempt {
  readonly file: string
  /** Sources whose objects compile the file; empty when none does. */
  readonly through: readonly string[]
  readonly whyNot: string | undefined
  /** Added lines that went through the preprocessor. */
  readonly lines: readonly number[]
}

export interface CompileOptions {
  readonly tree: Tree
  readonly target: Target
  readonly toolchain: Toolchain
  readonly jobs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Users of a header that are compiled for its sake, when no touched source includes it. */
const USERS = 2

/** Compiles every object of a plan that the target's configuration has, in one call of make. */
export async function compilePlan(plan: Plan, options: CompileOptions): Promise<Attempt> {
  const { tree, target, signal } = options
  return withObjectDir(options, async (dir) => {
    const list = new ObjectList(tree.dir, target, dir.config, candidates(plan))
    const chosen = new Map<Unit, Choice>()
    const touched = new Set(plan.units.filter((u) => u.kind === 'source').map((u) => u.file))
    for (const unit of plan.units) chosen.set(unit, choose(unit, list, touched))
    const sources = [...new Set([...chosen.values()].flatMap((choice) => choice.sources))]
    if (sources.length === 0) {
      const files = plan.units.map((unit) => attemptOf(unit, [], chosen.get(unit)?.whyNot, new Set()))
      return { files, diagnostics: [], broken: [], tail: '' }
    }
    const objects = sources.map(objectOf)
    log.progress(`touched ${target.arch} ${target.config}  ${objects.length} objects`)
    const compiled = await compileObjects(dir, objects, { signal })
    const broken = sources.filter((source) => !compiled.made.has(objectOf(source)))
    const { seen, deps } = await look(
      sources.filter((source) => !broken.includes(source)),
      { object: dir.make.object, tree: tree.dir, files: new Set(plan.units.map((u) => u.file)), signal },
    )
    const files = plan.units.map((unit) => {
      const choice = chosen.get(unit)
      const asked = choice?.sources ?? []
      // What did not compile was looked at by the compiler all the same: that finding stands for its lines.
      const failed = asked.filter((source) => broken.includes(source))
      const through = sources.filter((source) => failed.includes(source) || deps.get(source)?.has(unit.file))
      const lines =
        failed.length > 0 ? new Set(unit.code.map((c) => c.line)) : (seen.get(unit.file) ?? new Set())
      return attemptOf(unit, through, choice?.whyNot, lines)
    })
    const tail = compiled.stderr.trim().split('\n').slice(-3).join('; ')
    return { files, diagnostics: compiled.diagnostics, broken, tail }
  })
}

/** Compiles sources again at another point, for what the compiler says there. */
export async function compileSources(
  sources: readonly string[],
  options: CompileOptions,
): Promise<{ readonly diagnostics: readonly Diagnostic[]; readonly broken: readonly string[] }> {
  return withObjectDir(options, async (dir) => {
    const compiled = await compileObjects(dir, sources.map(objectOf), { signal: options.signal })
    const broken = sources.filter((source) => !compiled.made.has(objectOf(source)))
    return { diagnostics: compiled.diagnostics, broken }
  })
}

interface Choice {
  readonly sources: readonly string[]
  readonly whyNot: string | undefined
}

function choose(unit: Unit, list: ObjectList, touched: ReadonlySet<string>): Choice {
  let whyNot: string | undefined
  const take = (sources: readonly string[], limit: number): string[] => {
    const out: string[] = []
    for (const source of sources.slice(0, 40)) {
      if (out.length === limit) break
      const why = list.whyNot(objectOf(source))
      if (why === undefined) out.push(source)
      else whyNot ??= why
    }
    return out
  }
  if (unit.kind === 'source') {
    const own = take([unit.file], 1)
    if (own.length > 0) return { sources: own, whyNot: undefined }
    // No object of its own: a source that others include.
    const others = take(unit.sources.slice(1), USERS)
    return { sources: others, whyNot: others.length > 0 ? undefined : whyNot }
  }
  const users = take(unit.sources, USERS)
  if (users.some((source) => touched.has(source))) return { sources: users.slice(0, 1), whyNot: undefined }
  if (users.length > 0) return { sources: users, whyNot: undefined }
  return { sources: [], whyNot: whyNot ?? 'no source was found that includes it' }
}

function attemptOf(
  unit: Unit,
  through: readonly string[],
  whyNot: string | undefined,
  seen: ReadonlySet<number>,
): FileAttempt {
  const live = compiledLines(unit.code, seen)
  return {
    file: unit.file,
    through,
    whyNot: through.length > 0 ? undefined : (whyNot ?? 'no object that was compiled includes it'),
    lines: unit.added.filter((c) => live.has(c.line)).map((c) => c.line),
  }
}

/** Preprocesses what was compiled, two at a time, for the lines of the touched files in it. */
async function look(
  sources: readonly string[],
  at: {
    readonly object: string
    readonly tree: string
    readonly files: ReadonlySet<string>
    readonly signal: AbortSignal | undefined
  },
): Promise<{
  readonly seen: ReadonlyMap<string, ReadonlySet<number>>
  readonly deps: ReadonlyMap<string, ReadonlySet<string>>
}> {
  const seen = new Map<string, Set<number>>()
  const deps = new Map<string, ReadonlySet<string>>()
  const queue = [...sources]
  const worker = async (): Promise<void> => {
    for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
      const cmd = readCmdFile(at.object, objectOf(source), at.tree)
      if (!cmd) continue
      deps.set(source, cmd.deps)
      const place = { object: at.object, from: at.tree, to: at.tree, signal: at.signal }
      const lines = await preprocessedLines(cmd, place, at.files)
      for (const [file, numbers] of lines ?? []) {
        const all = seen.get(file) ?? new Set()
        for (const number of numbers) all.add(number)
        seen.set(file, all)
      }
    }
  }
  await Promise.all([worker(), worker()])
  return { seen, deps }
}
