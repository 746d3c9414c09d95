// SPDX-License-Identifier: GPL-2.0-only
import { readLine, type KtapLine } from './ktap-line.ts'
import type { KtapTest } from './ktap.ts'

type ResultLine = Extract<KtapLine, { kind: 'result' }>

/** A document, or a test whose subtests are being read. */
interface Level {
  readonly indent: number
  /** From `# Subtest:`; empty when the log does not say. */
  name: string
  plan: number | undefined
  /** Reason of a plan `1..0 # SKIP reason`. */
  skip: string | undefined
  readonly children: KtapTest[]
  readonly errors: string[]
  /** Lines since the last result: they belong to whatever comes next. */
  pending: string[]
}

export interface KtapDocument {
  readonly tests: readonly KtapTest[]
  readonly errors: readonly string[]
  readonly diagnostics: readonly string[]
  readonly skipped: string | undefined
  readonly unlisted: number
  readonly lastStarted: string | undefined
}

/** A plan may promise a billion tests: this many of the missing ones get an entry, the rest are only counted. */
const LISTED = 100
const KEPT_DIAGNOSTICS = 200
const KEPT_PENDING = 20_000
/** Comments in comments in comments: kselftest nests two deep. */
const DEPTH = 6
/** Levels by indentation: KUnit has three. Deeper ones are noise, and would exhaust the stack. */
const LEVELS = 64

/**
 * Builds the tree of one document from its lines, by indentation: a result closes every level that is indented
 * deeper than itself, and is the result of the outermost of them when the names agree. The kernel's wrapper goes
 * by plans and names alone; indentation also finds the place again after lines were lost.
 */
export class TreeBuilder {
  readonly #levels: [Level, ...Level[]]
  readonly #depth: number
  #cut: string | undefined
  #bailed = false

  constructor(depth = 0) {
    this.#levels = [level(0)]
    this.#depth = depth
  }

  take(line: KtapLine): void {
    if (this.#bailed) return
    if (line.kind !== 'other' && this.#levels.length >= LEVELS && line.indent > this.#top().indent) return
    if (line.kind === 'version') this.#version(line)
    else if (line.kind === 'subtest') this.#subtest(line.indent, line.name)
    else if (line.kind === 'plan') this.#plan(line)
    else if (line.kind === 'result') this.#result(line)
    else if (line.kind === 'bail') this.#bail(line.indent, line.reason)
    else if (line.text.trim() !== '') {
      const pending = this.#top().pending
      pending.push(line.text)
      if (pending.length > KEPT_PENDING) pending.shift()
    }
  }

  /** Ends the document: whatever is open or missing now, the log was cut off in. */
  finish(): KtapDocument {
    const open = this.#top()
    if (this.#levels.length > 1 || missing(open) > 0) this.#cut ??= this.#whereabouts()
    this.#closeTo(1)
    const root = this.#levels[0]
    const unlisted = addMissing(root, this.#depth)
    if (this.#bailed && !root.children.some((t) => t.outcome === 'crashed')) {
      root.children.push(
        crashed(hint(root) ?? 'bailed out', root.errors.at(-1) ?? 'bailed out', root.pending),
      )
    }
    if (root.children.length === 0 && unlisted === 0 && root.skip === undefined)
      root.errors.push('0 tests run')
    return {
      tests: root.children,
      errors: root.errors,
      diagnostics: root.pending.slice(-KEPT_DIAGNOSTICS),
      skipped: root.children.length === 0 ? root.skip : undefined,
      unlisted,
      lastStarted: this.#cut,
    }
  }

  #top(): Level {
    return this.#levels.at(-1) ?? this.#levels[0]
  }

  #version(line: Extract<KtapLine, { kind: 'version' }>): void {
    const accepted = line.format === 'KTAP' ? [1] : [13, 14]
    if (isFresh(this.#levels[0]) && line.indent === 0) {
      // the document's own
    } else if (line.indent === 0) {
      this.#top().pending.push(`${line.format} version ${line.version}`)
      return
    } else {
      this.#closeFrom(line.indent)
      this.#levels.push(level(line.indent))
    }
    if (!accepted.includes(line.version)) {
      this.#top().errors.push(`${line.format} version ${line.version} is not known (${accepted.join(', ')})`)
    }
  }

  #subtest(indent: number, name: string): void {
    const top = this.#top()
    if (top.indent === indent && isFresh(top) && top.name === '') {
      top.name = name
    } else if (indent === 0) {
      this.#top().pending.push(`# Subtest: ${name}`)
    } else {
      this.#closeFrom(indent)
      this.#levels.push(level(indent, name))
    }
  }

  #plan(line: Extract<KtapLine, { kind: 'plan' }>): void {
    this.#closeTo(this.#holder(line.indent) + 1)
    let top = this.#top()
    if (top.indent < line.indent && (top.plan !== undefined || top.children.length > 0)) {
      top = level(line.indent) // subtests without a header
      this.#levels.push(top)
    }
    if (top.plan !== undefined) {
      top.errors.push(`a second plan: 1..${line.count} after 1..${top.plan}`)
      return
    }
    top.plan = line.count
    if (line.count === 0) top.skip = line.skip
  }

  #result(line: ResultLine): void {
    const at = this.#holder(line.indent)
    this.#closeTo(at + 2)
    const holder = this.#levels[at] ?? this.#levels[0]
    const below = this.#levels[at + 1]
    if (below !== undefined && below.name !== '' && below.name !== line.name) this.#closeTo(at + 1)
    const own = this.#levels.length > at + 1 ? this.#levels.pop() : undefined
    const test = own ? parent(own, line, this.#depth) : leaf(holder, line, this.#depth)
    const expected = holder.children.length + 1
    const wrong = line.number === expected ? [] : [`expected test number ${expected}, found ${line.number}`]
    holder.children.push({ ...test, errors: [...test.errors, ...wrong] })
    holder.pending = []
  }

  /** A program that gives up takes its own document with it, not the one that it was started from. */
  #bail(indent: number, reason: string): void {
    const at = this.#holder(indent)
    if (at > 0) {
      this.#closeTo(at + 1)
      this.#top().errors.push(`Bail out! ${reason}`.trim())
      return
    }
    this.#cut = this.#whereabouts()
    this.#bailed = true
    this.#levels[0].errors.push(`Bail out! ${reason}`.trim())
  }

  /** Index of the innermost level that a line of this indentation can belong to. */
  #holder(indent: number): number {
    return Math.max(
      0,
      this.#levels.findLastIndex((l) => l.indent <= indent),
    )
  }

  #closeFrom(indent: number): void {
    const first = this.#levels.findIndex((l, i) => i > 0 && l.indent >= indent)
    if (first > 0) this.#closeTo(first)
  }

  /** Closes the innermost levels without a result line until `count` are left. */
  #closeTo(count: number): void {
    while (this.#levels.length > count) {
      const closed = this.#levels.pop()
      if (closed) this.#top().children.push(parent(closed, undefined, this.#depth))
    }
  }

  /** The open levels' names, and the test that was running in the innermost. */
  #whereabouts(): string {
    const top = this.#top()
    const path = this.#levels.slice(1).map((l) => (l.name === '' ? '(unnamed)' : l.name))
    const running = hint(top)
    if (running !== undefined) return [...path, running].join('.')
    const last = top.children.at(-1)?.name
    const where = path.join('.')
    if (last === undefined) return where === '' ? 'the first test' : where
    return where === '' ? `the test after ${last}` : `${where} (after ${last})`
  }
}

function level(indent: number, name = ''): Level {
  return { indent, name, plan: undefined, skip: undefined, children: [], errors: [], pending: [] }
}

function isFresh(l: Level): boolean {
  return l.plan === undefined && l.children.length === 0 && l.name === ''
}

function missing(l: Level): number {
  return Math.max(0, (l.plan ?? 0) - l.children.length)
}

/** Adds a crashed test for each planned one without a result; returns how many got no entry of their own. */
function addMissing(l: Level, depth: number): number {
  const lacking = missing(l)
  if (l.plan !== undefined && l.children.length > l.plan) {
    l.errors.push(`planned ${l.plan} tests, found ${l.children.length}`)
  }
  const after = l.children.at(-1)?.name
  const before = after === undefined ? 'before the first result' : `after ${after}`
  for (let i = 0; i < Math.min(lacking, LISTED); i++) {
    const number = l.children.length + 1
    const running = i === 0 ? hint(l) : undefined
    const inner = i === 0 ? fromComments(l.pending, depth) : undefined
    const reason = running === undefined ? `no result: the log ends ${before}` : 'no result: it was running'
    const test = crashed(running ?? `test ${number}`, reason, i === 0 ? l.pending : [])
    l.children.push({ ...test, children: inner?.tests ?? [], errors: ['missing result of a planned test'] })
  }
  return Math.max(0, lacking - LISTED)
}

function crashed(name: string, reason: string, diagnostics: readonly string[]): KtapTest {
  return {
    name,
    outcome: 'crashed',
    reason,
    children: [],
    diagnostics: diagnostics.slice(-KEPT_DIAGNOSTICS),
    errors: [],
    inComment: false,
    unlisted: 0,
  }
}

/** A test without levels of its own; its program may have printed results as comments. */
function leaf(holder: Level, line: ResultLine, depth: number): KtapTest {
  const inner = fromComments(holder.pending, depth)
  const said = outcomeOf(line)
  const reason = reasonOf(line) || inner?.skipped
  const children = inner?.tests ?? []
  const outcome = worst(said, children)
  const errors = [...(inner?.errors ?? [])]
  if (inner && inner.unlisted > 0) errors.push(`${inner.unlisted} more planned results are missing`)
  if (said !== 'fail' && outcome !== said) errors.push('it says ok, but a result inside does not')
  return {
    name: line.name,
    outcome,
    ...(reason === undefined || reason === '' ? {} : { reason }),
    children,
    diagnostics: holder.pending.slice(-KEPT_DIAGNOSTICS),
    errors,
    inComment: false,
    unlisted: 0,
  }
}

function parent(l: Level, line: ResultLine | undefined, depth: number): KtapTest {
  const unlisted = addMissing(l, depth)
  const said = line ? outcomeOf(line) : 'crashed'
  let outcome = unlisted > 0 ? 'crashed' : worst(said, l.children)
  if (line === undefined) l.errors.push('missing result line')
  else if (l.children.length === 0 && l.skip !== undefined && said !== 'fail') outcome = 'skip'
  else if (l.children.length === 0 && said === 'pass') {
    outcome = 'no-tests'
    l.errors.push('0 tests run')
  }
  const reason = (line && reasonOf(line)) || l.skip || (line ? '' : 'the log has no result line of it')
  return {
    name: l.name === '' ? (line?.name ?? '(unnamed)') : l.name,
    outcome,
    ...(reason === '' ? {} : { reason }),
    children: l.children,
    diagnostics: l.pending.slice(-KEPT_DIAGNOSTICS),
    ...(l.plan === undefined ? {} : { planned: l.plan }),
    errors: l.errors,
    inComment: false,
    unlisted,
  }
}

/** What a result line says. A failure that was announced (TODO, XFAIL) proves nothing: skipped. */
function outcomeOf(line: ResultLine): 'pass' | 'fail' | 'skip' {
  if (line.directive === 'SKIP') return 'skip'
  if (line.directive === 'TIMEOUT' || line.directive === 'ERROR') return 'fail'
  if (!line.ok) return line.directive === undefined ? 'fail' : 'skip'
  return 'pass'
}

/** The reason in the log's words; `TIMEOUT 45 seconds`, because "45 seconds" alone says nothing. */
function reasonOf(line: ResultLine): string {
  const word = line.directive === undefined || line.directive === 'SKIP' ? '' : line.directive
  return `${word} ${line.reason}`.trim()
}

function worst(said: KtapTest['outcome'], children: readonly KtapTest[]): KtapTest['outcome'] {
  if (children.some((t) => t.outcome === 'crashed')) return 'crashed'
  if (said !== 'crashed' && children.some((t) => t.outcome === 'fail')) return 'fail'
  return said
}

/** Reads the results that a program printed behind `# `, as kselftest's runner passes them on. */
function fromComments(lines: readonly string[], depth: number): KtapDocument | undefined {
  if (depth >= DEPTH) return undefined
  const comments = lines.map((l) => l.trimStart()).filter((l) => l.startsWith('#'))
  if (comments.length === 0) return undefined
  const stripped = comments.map((l) => l.replace(/^# ?/, ''))
  const inner = stripped.map(readLine)
  // A runner that runs a runner: the level in between may print nothing of its own.
  if (!inner.some(says)) return fromComments(stripped, depth + 1)
  const builder = new TreeBuilder(depth + 1)
  for (const l of inner) builder.take(l)
  const document = builder.finish()
  return { ...document, tests: document.tests.map((t) => ({ ...t, inComment: true })) }
}

function says(line: KtapLine): boolean {
  return line.kind === 'version' || line.kind === 'result' || line.kind === 'bail'
}

/** The test that was running when the lines stop: announced by the runner, or named in KUnit's messages. */
function hint(l: Level): string | undefined {
  for (const line of l.pending.toReversed()) {
    const program = /^\s*# (selftests: \S+: \S+)/.exec(line)
    if (program) return program[1]
    const kunit = /^\s*# ([\w-]+)(?:\.(?:speed|module|is_init))?: /.exec(line)
    if (kunit && kunit[1] !== l.name && kunit[1] !== 'module' && kunit[1] !== 'Totals') return kunit[1]
  }
  return undefined
}
