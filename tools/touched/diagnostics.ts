// SPDX-License-Identifier: GPL-2.0-only
import { normalize } from 'node:path'
import { treeRelative } from '../kernel/failure.ts'

/** One warning or error of a compiler, of kernel-doc or of sparse. */
export interface Diagnostic {
  readonly kind: 'warning' | 'error'
  /** Relative to the tree; undefined when the message names no place. */
  readonly file: string | undefined
  readonly line: number | undefined
  /** One line, with its place: "block/bio.c:12:3: warning: unused variable 'x' [-Wunused-variable]". */
  readonly message: string
  /** The source that was being compiled: `file` itself, or what includes it. */
  readonly root: string | undefined
}

const GCC = /^([^\s:][^:]*):(\d+)(?::\d+)?: (?:(?:fatal |internal compiler )?(error|Error)|([Ww]arning)): /
/** kernel-doc, which W=1 runs on every source: "Warning: block/bio.c:12 function parameter 'x' not described". */
const DOC = /^(Warning|Error): ([^\s:]+):(\d+) /
/** objtool and the assembler: "mm/gup.o: warning: objtool: ...". */
const OBJECT = /^([^\s:]+\.o): (warning|error): /
const INCLUDED = /^(?:In file included from|\s+from) ([^\s:]+):\d+(?::\d+)?[,:]/

/**
 * The diagnostics in what a build wrote to stderr.
 *
 * @param source the tree's directory; paths below it are given relative to it.
 */
export function diagnostics(stderr: string, source: string): readonly Diagnostic[] {
  const out: Diagnostic[] = []
  /** The last source that a chain of "included from" led to: gcc writes the same chain only once. */
  let root: string | undefined
  const inTree = treeRelative(source)
  for (const raw of stderr.split('\n')) {
    const line = inTree(raw)
    const included = INCLUDED.exec(line)
    if (included) {
      root = treePath(included[1])
      continue
    }
    const doc = DOC.exec(line)
    const gcc = doc ? null : GCC.exec(line)
    const object = doc || gcc ? null : OBJECT.exec(line)
    const file = treePath(doc?.[2] ?? gcc?.[1] ?? object?.[1]?.replace(/\.o$/, '.c'))
    const isError = doc?.[1] === 'Error' || gcc?.[3] !== undefined || object?.[2] === 'error'
    if (!doc && !gcc && !object) continue
    if (file?.endsWith('.c')) root = file
    out.push({
      kind: isError ? 'error' : 'warning',
      file,
      line: doc ? Number(doc[3]) : gcc ? Number(gcc[2]) : undefined,
      message: line,
      root: file !== undefined && /\.[cS]$/.test(file) ? file : root,
    })
  }
  return out
}

/**
 * What makes two diagnostics of two points the same: the text without line and column, which move with every patch.
 */
export function normalised(message: string): string {
  return (
    message
      .replace(/^([^\s:]+):\d+(?::\d+)?: /, '$1: ')
      .replace(/^(Warning|Error): ([^\s:]+):\d+ /, '$1: $2 ')
      // "this is the location of the previous definition at line 12", sparse's "different base types from file:12:3"
      .replaceAll(/\b([\w./-]+\.[chS]):\d+(?::\d+)?/g, '$1')
  )
}

/** The messages that are in `now` and not in `before`, each as often as it is more there. */
export function newMessages(before: readonly string[], now: readonly string[]): readonly string[] {
  const left = new Map<string, number>()
  for (const message of before) left.set(normalised(message), (left.get(normalised(message)) ?? 0) + 1)
  return now.filter((message) => {
    const key = normalised(message)
    const count = left.get(key) ?? 0
    left.set(key, count - 1)
    return count <= 0
  })
}

function treePath(path: string | undefined): string | undefined {
  if (path === undefined || path.startsWith('/') || path.startsWith('..')) return undefined
  return normalize(path)
}
