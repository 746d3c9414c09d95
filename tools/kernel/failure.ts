// SPDX-License-Identifier: GPL-2.0-only
import { basename } from 'node:path'
import { saysDiskFull } from '../lib/disk-full.ts'
import { staysInside } from '../lib/paths.ts'

/** The first thing that went wrong in a build, as the program that found it said it. */
export interface BuildFailure {
  /** Relative to the tree when it is in it; undefined when the message names no file. */
  readonly file: string | undefined
  readonly line: number | undefined
  /** One line: "block/bio.c:12:3: error: 'x' undeclared". */
  readonly message: string
  /** The message with what the compiler printed around it: where it was included from, the source line. */
  readonly excerpt: readonly string[]
  /** Files of the tree that the excerpt names, the failing one first. */
  readonly related: readonly string[]
}

/** What a failed step printed, most telling first: a compiler's error beats a linker's, that beats make's own. */
const KINDS: readonly { readonly pattern: RegExp; readonly place: boolean }[] = [
  // gcc, as, bison, kconfig, make: path:line[:column]: message
  {
    pattern:
      /^(?<file>[^\s:][^:]*):(?<line>\d+)(?::\d+)?: (?:fatal error|error|Error|internal compiler error): /,
    place: true,
  },
  { pattern: /^(?<file>[^\s:][^:]*):(?<line>\d+): \*\*\* /, place: true },
  {
    pattern: /^\S*ld(?:\.bfd|\.lld)?: (?<file>[^\s:]+\.[chS]):(?<line>\d+): undefined reference/,
    place: true,
  },
  { pattern: /^(?:\S*ld(?:\.bfd|\.lld)?: )?(?<file>[^\s:(]+):\(\.[^)]*\): undefined reference/, place: true },
  {
    pattern: /^(?<file>[^\s:]+\.[chS]):(?<line>\d+): (?:undefined reference|multiple definition)/,
    place: true,
  },
  { pattern: /^\S*ld(?:\.bfd|\.lld)?: .*(?:multiple definition|cannot find|undefined|error)/, place: false },
  { pattern: /^ERROR: modpost: /, place: false },
  { pattern: /^(?<file>[^\s:]+): error: objtool: /, place: false },
  { pattern: /^make(?:\[\d+\])?: \*\*\* No rule to make target '(?<file>[^']+)'/, place: true },
  { pattern: /(?:^|: )error: /i, place: false },
  { pattern: /^make(?:\[\d+\])?: \*\*\* /, place: false },
]

/** Lines in front of an error that belong to it. */
const LEAD = /^(?:In file included from |\s+from |\S.*: In (?:function|member function|static assertion))/
const LEAD_LD = /: in function `/

/**
 * Finds the first error in what a build wrote to stderr.
 *
 * @param source the tree's directory; paths below it are given relative to it.
 */
export function findFailure(stderr: string, source: string): BuildFailure {
  const lines = tidy(stderr, source)
  for (const kind of KINDS) {
    const at = lines.findIndex((line) => kind.pattern.test(line) && !isSummary(line))
    const message = lines[at]
    if (message === undefined) continue
    const groups = kind.pattern.exec(message)?.groups ?? {}
    const excerpt = excerptAround(lines, at)
    const file = kind.place ? treePath(groups['file']) : undefined
    const named = excerpt.flatMap((line) =>
      [...line.matchAll(/([\w./-]+\.[choS])\b/g)].map((m) => m[1] as string),
    )
    const related = [file, ...named].filter((name) => name !== undefined && treePath(name) !== undefined)
    return {
      file,
      line: groups['line'] === undefined ? undefined : Number(groups['line']),
      message,
      excerpt,
      related: [...new Set(related)] as string[],
    }
  }
  const last = lines.findLast((line) => line.trim() !== '') ?? 'make failed and said nothing'
  return { file: undefined, line: undefined, message: last, excerpt: lines.slice(-20), related: [] }
}

/** The compiler's warnings, one line each, each once, at most `limit`. */
export function findWarnings(stderr: string, source: string, limit = 100): readonly string[] {
  const warnings = tidy(stderr, source).filter((line) => /: [Ww]arning: |^WARNING: modpost: /.test(line))
  return [...new Set(warnings)].slice(0, limit)
}

/**
 * Why a build broke that is not the sources' fault: no disk, no memory, a compiler that crashed. Undefined when
 * there is no sign of that.
 */
export function findLabFault(stderr: string): { readonly why: string; readonly fix: string } | undefined {
  if (saysDiskFull(stderr)) {
    return { why: 'the disk is full', fix: 'make room (./phyr gc), or point PHYR_CACHE at another disk' }
  }
  if (/Killed signal terminated program|virtual memory exhausted|: Cannot allocate memory/.test(stderr)) {
    return {
      why: 'the machine ran out of memory',
      fix: 'build with fewer jobs (--jobs 1), or give it more memory',
    }
  }
  if (/internal compiler error: Segmentation fault/.test(stderr)) {
    return { why: 'the compiler crashed', fix: 'run it again; if it stays, the compiler has a bug' }
  }
  return undefined
}

/** make's "*** [file:line: target] Error 1" only repeats that something failed before. */
function isSummary(line: string): boolean {
  return /^make(?:\[\d+\])?: \*\*\* (?:\[.*\] Error \d+|Waiting for unfinished jobs|\[.*\] (?:Killed|Terminated))/.test(
    line,
  )
}

function excerptAround(lines: readonly string[], at: number): readonly string[] {
  let from = at
  while (
    from > 0 &&
    at - from < 12 &&
    (LEAD.test(lines[from - 1] ?? '') || LEAD_LD.test(lines[from - 1] ?? ''))
  )
    from--
  let to = at + 1
  // The source line, its caret, and the notes that explain the error.
  while (to < lines.length && to - at < 12 && /^\s*\d* *\|| note: |^\s+\|/.test(lines[to] ?? '')) to++
  return lines.slice(from, to)
}

function tidy(text: string, source: string): string[] {
  const inTree = treeRelative(source)
  return text
    .split('\n')
    .map(inTree)
    .filter((line) => line !== '')
}

/**
 * Makes the paths in a line of a build's output relative to the tree: make names it whole, ccache from the O= directory
 * (../../trees/NAME/...).
 */
export function treeRelative(source: string): (line: string) => string {
  const name = basename(source).replaceAll(/[^\w-]/g, '\\$&')
  const fromObject = new RegExp(`(?<![^\\s])(?:\\.\\./)+(?:[^\\s:/]+/)*?${name}/`, 'g')
  return (line) =>
    line
      .replaceAll(`${source}/`, '')
      .replaceAll(fromObject, '')
      .replaceAll(/(^|\s)(?:\.\.\/)+(?=[a-z])/g, '$1')
      .trimEnd()
}

/** A path of the tree: relative, inside, and not one of the system's headers. */
function treePath(path: string | undefined): string | undefined {
  if (path === undefined || !staysInside(path)) return undefined
  return path.replace(/^\.\//, '')
}
