// SPDX-License-Identifier: GPL-2.0-only
import type { Layout, Member, Struct } from '../kernel/layout.ts'
import { UsageError } from '../lib/errors.ts'
import type { BenchContext, StructLayout } from './bench-record.ts'

/** What is compared of one kernel, beside its speed. */
export interface ContextFacts {
  readonly bytes: { readonly text: number; readonly data: number; readonly bss: number }
  /** Slab of /proc/meminfo at the end of the boot, bytes; undefined when it was not measured. */
  readonly slab?: number | undefined
  readonly layout?: Layout | undefined
}

/**
 * The list of structures in qemu/bench/structs.txt: "struct NAME" or "union NAME" a line, # begins a comment.
 *
 * @throws UsageError with file:line for anything else, and for a name that comes twice.
 */
export function parseStructList(text: string, file: string): readonly string[] {
  const names: string[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/#.*$/, '').trim()
    if (line === '') continue
    const where = `${file}:${index + 1}`
    const [, keyword, tag] = /^(struct|union)\s+(\w+)$/.exec(line) ?? []
    if (keyword === undefined || tag === undefined) {
      throw new UsageError(`${where}: not a structure: ${line}`, 'write "struct NAME" or "union NAME"')
    }
    const name = `${keyword} ${tag}`
    if (names.includes(name)) throw new UsageError(`${where}: ${name} is there already`)
    names.push(name)
  }
  return names
}

/**
 * Compares two kernels by their sizes and layouts. `structs` has those of `names`, in their order, that one of the
 * kernels has; it is empty when either kernel has no layout (contextGaps says why).
 */
export function contextOf(base: ContextFacts, series: ContextFacts, names: readonly string[]): BenchContext {
  const pair = (key: keyof ContextFacts['bytes']): { base: number; series: number } => ({
    base: base.bytes[key],
    series: series.bytes[key],
  })
  const slab =
    base.slab === undefined || series.slab === undefined
      ? {}
      : { slab: { base: base.slab, series: series.slab } }
  return {
    ...slab,
    text: pair('text'),
    data: pair('data'),
    bss: pair('bss'),
    structs: compareStructs(base.layout, series.layout, names),
  }
}

/** What a context cannot tell, and why, as sentences for a record's notes. */
export function contextGaps(base: ContextFacts, series: ContextFacts): readonly string[] {
  const sides = [
    { label: 'base', layout: base.layout },
    { label: 'series', layout: series.layout },
  ]
  return sides.flatMap(({ label, layout }) => {
    if (layout === undefined) return [`${label}: the kernel came without the layout of its structures`]
    if (layout.absent !== undefined) return [`${label}: no layout of structures: ${layout.absent}`]
    return broken(layout).map(({ header, why }) => `${label}: structures of ${header} are left out: ${why}`)
  })
}

function compareStructs(
  base: Layout | undefined,
  series: Layout | undefined,
  names: readonly string[],
): readonly StructLayout[] {
  if (!isThere(base) || !isThere(series)) return []
  return names.flatMap((name) => {
    const [was, is] = [own(base, name), own(series, name)]
    if (!was && !is) return []
    const sides = (of: (s: Struct) => number): { base: number | null; series: number | null } => ({
      base: was ? of(was) : null,
      series: is ? of(is) : null,
    })
    const changes = was && is ? changesOf(was, is) : [oneSided(was ? series : base, was ? 'gone' : 'new')]
    return {
      name,
      bytes: sides((s) => s.bytes),
      holes: sides((s) => s.holes),
      cachelines: sides((s) => s.cachelines),
      changes,
    }
  })
}

/** A structure that a kernel lacks may be in a header that does not compile there: then nobody knows. */
function oneSided(lacking: Layout, word: 'new' | 'gone'): string {
  const headers = broken(lacking).map(({ header }) => header)
  return headers.length === 0 ? word : `${word}, or in a header that does not compile (${headers.join(', ')})`
}

/**
 * What became of the members: those of the base in their order, then those that came. Three or more neighbours that
 * only moved, all by as much, are one line.
 */
export function changesOf(was: Struct, is: Struct): readonly string[] {
  const now = new Map(is.members.map((member) => [member.name, member]))
  const before = new Set(was.members.map((member) => member.name))
  const lines: string[] = []
  let run: Move[] = []
  const flush = (): void => {
    lines.push(...moves(run))
    run = []
  }
  for (const member of was.members) {
    const other = now.get(member.name)
    const moved = other && onlyMoved(member, other)
    if (moved !== undefined && (run.length === 0 || run[0]!.by === moved.by)) {
      run.push(moved)
      continue
    }
    flush()
    if (moved !== undefined) run.push(moved)
    else if (!other) lines.push(`${member.name} gone`)
    else lines.push(...difference(member, other))
  }
  flush()
  const came = is.members.filter((member) => !before.has(member.name))
  return [...lines, ...came.map((m) => `${m.name} new: ${m.type} at offset ${place(m)}, ${extent(m)}`)]
}

interface Move {
  readonly line: string
  readonly name: string
  readonly by: number
}

function moves(run: readonly Move[]): readonly string[] {
  const [first, last] = [run[0], run.at(-1)]
  if (!first || !last || run.length < 3) return run.map((move) => move.line)
  const by = `${first.by > 0 ? '+' : ''}${first.by}`
  return [`${first.name} to ${last.name}: ${run.length} members, offset ${by}`]
}

/** Undefined unless the two differ in their offset, by whole bytes, and in nothing else. */
function onlyMoved(was: Member, is: Member): Move | undefined {
  const by = is.offset - was.offset
  const lines = difference(was, is)
  if (by === 0 || lines.length !== 1) return undefined
  const alike = difference(was, { ...is, offset: was.offset }).length === 0
  return alike ? { line: lines[0]!, name: was.name, by } : undefined
}

/** One line that has all that is different; none when nothing is. */
function difference(was: Member, is: Member): readonly string[] {
  const parts = [
    place(was) === place(is) ? '' : `offset ${place(was)} -> ${place(is)}`,
    extent(was) === extent(is) ? '' : `${extent(was)} -> ${extent(is)}`,
    was.type === is.type ? '' : `${was.type} -> ${is.type}`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? [] : [`${was.name}: ${parts.join(', ')}`]
}

/** "96"; of a bit field "96:3", byte and bit in it. */
function place({ offset, bits }: Member): string {
  return bits ? `${offset}:${bits.first}` : String(offset)
}

function extent({ size, bits }: Member): string {
  const [count, unit] = bits ? [bits.width, 'bit'] : [size, 'byte']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

function isThere(layout: Layout | undefined): layout is Layout {
  return layout !== undefined && layout.absent === undefined
}

function own(layout: Layout, name: string): Struct | undefined {
  return Object.hasOwn(layout.structs, name) ? layout.structs[name] : undefined
}

function broken(layout: Layout): Layout['leftOut'] {
  return layout.leftOut.filter(({ kind }) => kind === 'broken')
}
