// SPDX-License-Identifier: GPL-2.0-only
import type { Toolchain } from '../kernel/toolchain.ts'
import { log } from '../lib/log.ts'
import type { Tree } from '../series/series.ts'
import { objectOf } from './classify.ts'
import { readCmdFile } from './cmd-file.ts'
import { compiledLines } from './code-lines.ts'
import type { Diagnostic } from './diagnostics.ts'
import { ObjectList } from './guards.ts'
import { type Compiled, compileObjects, withObjectDir } from './object-dir.ts'
import { candidates, type Plan, type Unit, usersFor } from './plan.ts'
import { preprocessedLines } from './preprocess.ts'
import type { Target } from './target.ts'

/** Why a header is not compiled: it is new, and the patches that use it come later. */
export const NO_INCLUDER = 'no source was found that includes it'

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

/**
 * Compiles every object of a plan that the target's configuration has: in one call of make those of the touched
 * sources, in a second one users of the headers that none of them includes.
 */
export async function compilePlan(plan: Plan, options: CompileOptions): Promise<Attempt> {
  const { tree, target, signal } = options
  return withObjectDir(options, async (dir) => {
    const list = new ObjectList(tree.dir, target, dir.config, candidates(plan, target.srcarch))
    const files = new Set(plan.units.map((unit) => unit.file))
    const done = new Outcome()
    const chosen = new Map<Unit, Choice>()
    const compile = async (units: readonly Unit[], limit: number): Promise<void> => {
      for (const unit of units) chosen.set(unit, choose(unit, list, target.srcarch, limit))
      const wanted = [...new Set(units.flatMap((unit) => chosen.get(unit)?.sources ?? []))]
      const sources = wanted.filter((source) => !done.sources.has(source))
      if (sources.length === 0) return
      log.progress(`touched ${target.arch} ${target.config}  ${sources.length} objects`)
      const compiled = await compileObjects(dir, sources.map(objectOf), { signal })
      done.add(sources, compiled)
      const whole = sources.filter((source) => !done.broken.has(source))
      await look(whole, { object: dir.make.object, tree: tree.dir, files, signal }, done)
    }
    const isSource = (unit: Unit): boolean => unit.kind === 'source'
    await compile(plan.units.filter(isSource), 1)
    await compile(
      plan.units.filter((unit) => !isSource(unit) && done.through(unit.file).length === 0),
      USERS,
    )
    const attempts = plan.units.map((unit) => {
      const choice = chosen.get(unit)
      const failed = (choice?.sources ?? []).filter((source) => done.broken.has(source))
      const through = [...new Set([...failed, ...done.through(unit.file)])]
      // What did not compile was looked at by the compiler all the same: that finding stands for its lines.
      const lines = failed.length > 0 ? new Set(unit.code.map((c) => c.line)) : done.seen.get(unit.file)
      return attemptOf(unit, through, choice?.whyNot, lines ?? new Set())
    })
    return { files: attempts, diagnostics: done.diagnostics, broken: [...done.broken], tail: done.tail }
  })
}

/** What several calls of make left. */
class Outcome {
  readonly sources = new Set<string>()
  readonly broken = new Set<string>()
  readonly diagnostics: Diagnostic[] = []
  readonly seen = new Map<string, Set<number>>()
  readonly deps = new Map<string, ReadonlySet<string>>()
  tail = ''

  add(sources: readonly string[], compiled: Compiled): void {
    for (const source of sources) {
      this.sources.add(source)
      if (!compiled.made.has(objectOf(source))) this.broken.add(source)
    }
    this.diagnostics.push(...compiled.diagnostics)
    if (this.broken.size > 0) this.tail = compiled.stderr.trim().split('\n').slice(-3).join('; ')
  }

  /** The compiled sources that a file is part of, its own first. */
  through(file: string): readonly string[] {
    const users = [...this.deps].filter(([, deps]) => deps.has(file)).map(([source]) => source)
    return users.includes(file) ? [file] : users
  }
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

/** The sources to compile for a file's sake: at most `limit`. */
function choose(unit: Unit, list: ObjectList, srcarch: string, limit: number): Choice {
  let whyNot: string | undefined
  const out: string[] = []
  for (const source of usersFor(unit, srcarch)) {
    const why = list.whyNot(objectOf(source))
    if (why === undefined) out.push(source)
    else whyNot ??= why
    if (out.length === limit) break
  }
  if (out.length > 0) return { sources: out, whyNot: undefined }
  return { sources: [], whyNot: whyNot ?? NO_INCLUDER }
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
  done: Outcome,
): Promise<void> {
  const queue = [...sources]
  const place = { object: at.object, from: at.tree, to: at.tree, signal: at.signal }
  const worker = async (): Promise<void> => {
    for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
      const cmd = readCmdFile(at.object, objectOf(source), at.tree)
      if (!cmd) continue
      done.deps.set(source, cmd.deps)
      for (const [file, numbers] of (await preprocessedLines(cmd, place, at.files)) ?? []) {
        const all = done.seen.get(file) ?? new Set()
        for (const number of numbers) all.add(number)
        done.seen.set(file, all)
      }
    }
  }
  await Promise.all([worker(), worker()])
}
