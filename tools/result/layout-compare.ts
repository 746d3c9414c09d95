// SPDX-License-Identifier: GPL-2.0-only
import type { Layout, Struct } from '../kernel/layout.ts'
import { changesOf } from './bench-context.ts'

/** A structure that is there on both sides and lies in memory in another way. */
export interface StructChange {
  /** "struct bio" */
  readonly name: string
  /** sizeof after, and by how many bytes it grew. */
  readonly bytes: number
  readonly bytesDelta: number
  /** Bytes in holes and padding. */
  readonly holes: number
  readonly holesDelta: number
  readonly cachelinesDelta: number
  /** Members that moved, grew, came or went. */
  readonly members: readonly string[]
}

export interface LayoutComparison {
  /** Why nothing can be said; the lists are then empty and mean nothing. */
  readonly absent?: string
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly StructChange[]
  /** Headers that only one side could compile: what is in them may be among those added or removed. */
  readonly uncertain: readonly string[]
}

/** What became of the structures of one kernel in another (readLayout of each). */
export function compareLayouts(before: Layout | undefined, after: Layout | undefined): LayoutComparison {
  const nothing = { added: [], removed: [], changed: [], uncertain: [] }
  if (before === undefined || after === undefined) {
    return { ...nothing, absent: 'a kernel came without the layout of its structures' }
  }
  const absent = before.absent ?? after.absent
  if (absent !== undefined) return { ...nothing, absent }
  const names = (of: Layout, lacking: Layout): readonly string[] =>
    Object.keys(of.structs).filter((name) => !Object.hasOwn(lacking.structs, name))
  return {
    added: names(after, before),
    removed: names(before, after),
    changed: Object.entries(before.structs).flatMap(([name, was]) => {
      const is = Object.hasOwn(after.structs, name) ? after.structs[name] : undefined
      return is === undefined ? [] : structChange(name, was, is)
    }),
    uncertain: uncertainHeaders(before, after),
  }
}

function structChange(name: string, was: Struct, is: Struct): readonly StructChange[] {
  const members = changesOf(was, is)
  const change = {
    name,
    bytes: is.bytes,
    bytesDelta: is.bytes - was.bytes,
    holes: is.holes,
    holesDelta: is.holes - was.holes,
    cachelinesDelta: is.cachelines - was.cachelines,
    members,
  }
  return members.length === 0 && change.bytesDelta === 0 && change.holesDelta === 0 ? [] : [change]
}

/** A header that does not compile hides its structures, also those of the headers that it includes. */
function uncertainHeaders(before: Layout, after: Layout): readonly string[] {
  const broken = (layout: Layout): readonly string[] =>
    layout.leftOut.filter(({ kind }) => kind === 'broken').map(({ header }) => header)
  const [was, is] = [new Set(broken(before)), new Set(broken(after))]
  return [...was, ...is].filter((header) => was.has(header) !== is.has(header)).sort()
}
