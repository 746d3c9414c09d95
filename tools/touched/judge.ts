// SPDX-License-Identifier: GPL-2.0-only
import type { Attempt, FileAttempt } from './compile.ts'
import { type Diagnostic, normalised } from './diagnostics.ts'

/** What became of one touched file under one configuration. */
export interface TouchedRow {
  readonly file: string
  readonly config: string
  readonly arch: string
  readonly outcome: 'pass' | 'fail' | 'skip'
  /** For fail the first message, with file and line; for skip the reason. */
  readonly why?: string
  /** New warnings and errors, against the same objects at the patch before, each with file and line. */
  readonly warnings: readonly string[]
}

/** What the compiler said about the same sources at the patch before. */
export interface Before {
  readonly diagnostics: readonly Diagnostic[]
  readonly broken: readonly string[]
}

/**
 * A verdict for each touched file: an object that is not made any more, or a new warning, is the patch's fault.
 *
 * @param before undefined when nothing was said at the patch, so that there is nothing to compare.
 */
export function judge(
  attempt: Attempt,
  before: Before | undefined,
  place: { readonly config: string; readonly arch: string },
): readonly TouchedRow[] {
  const fresh = newOnes(before?.diagnostics ?? [], attempt.diagnostics)
  const sources = new Set(attempt.files.map((f) => f.file))
  const compiled = attempt.files.filter((file) => file.through.length > 0)
  // What belongs to none of the files is told all the same; but a warning in a source that make's preparations compile
  // is there once, when they are cold, and says nothing about the patch.
  const orphans = fresh.filter(
    (d) =>
      (d.kind === 'error' || d.root === undefined) && !compiled.some((file) => concerns(d, file, sources)),
  )
  const keeper = compiled.find((file) => file.file.endsWith('.h')) ?? compiled[0]
  return attempt.files.map((file) => {
    const row = { file: file.file, ...place }
    if (file.through.length === 0) return { ...row, outcome: 'skip', why: file.whyNot ?? '', warnings: [] }
    const broken = file.through.filter((source) => attempt.broken.includes(source))
    const mine = [...fresh.filter((d) => concerns(d, file, sources)), ...(file === keeper ? orphans : [])]
    const errors = mine.filter((d) => d.kind === 'error')
    const warnings = mine.map((d) => d.message)
    if (broken.length > 0 && broken.every((source) => before?.broken.includes(source))) {
      return {
        ...row,
        outcome: 'skip',
        why: `does not compile before the patch either: ${said(attempt, broken)}`,
        warnings: [],
      }
    }
    if (broken.length > 0)
      return { ...row, outcome: 'fail', why: errors[0]?.message ?? said(attempt, broken), warnings }
    if (warnings[0] !== undefined) return { ...row, outcome: 'fail', why: warnings[0], warnings }
    return { ...row, outcome: 'pass', ...viaOf(file), warnings }
  })
}

/** Sources to compile at the patch before: those that have something to compare. */
export function toCompare(attempt: Attempt): readonly string[] {
  const asked = new Set(attempt.files.flatMap((file) => file.through))
  const roots = new Set(attempt.diagnostics.map((d) => d.root ?? ''))
  const touched = new Set(attempt.files.map((file) => file.file))
  // A message without a source, or one about a touched header from make's preparations, may come from any of them.
  const all =
    roots.has('') ||
    attempt.diagnostics.some((d) => !asked.has(d.root ?? '') && d.file !== undefined && touched.has(d.file))
  return [...asked].filter((source) => all || roots.has(source) || attempt.broken.includes(source))
}

function newOnes(before: readonly Diagnostic[], now: readonly Diagnostic[]): readonly Diagnostic[] {
  const left = new Map<string, number>()
  const keyOf = (d: Diagnostic): string => `${d.root ?? ''}\0${normalised(d.message)}`
  for (const d of before) left.set(keyOf(d), (left.get(keyOf(d)) ?? 0) + 1)
  return now.filter((d) => {
    const count = left.get(keyOf(d)) ?? 0
    left.set(keyOf(d), count - 1)
    return count <= 0
  })
}

/** A message belongs to the file that it is in, else to the touched source that was compiled, else to its header. */
function concerns(d: Diagnostic, file: FileAttempt, touched: ReadonlySet<string>): boolean {
  if (d.file === file.file || d.root === file.file) return true
  if (d.file !== undefined && touched.has(d.file)) return false
  if (d.root !== undefined && touched.has(d.root)) return false
  // Compiled for the sake of a touched header, or by make's preparations.
  return d.root === undefined ? d.kind === 'error' : file.through.includes(d.root)
}

function said(attempt: Attempt, broken: readonly string[]): string {
  const errors = attempt.diagnostics.filter((d) => d.kind === 'error')
  const own = errors.find((d) => d.root !== undefined && broken.includes(d.root)) ?? errors[0]
  return own?.message ?? attempt.tail
}

function viaOf(file: FileAttempt): { readonly why?: string } {
  return file.through.includes(file.file) ? {} : { why: `through ${file.through.join(', ')}` }
}
