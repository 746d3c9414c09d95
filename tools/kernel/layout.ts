// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** How the structures of a kernel lie in memory, as its own compiler and options lay them. */
export interface Layout {
  readonly version: typeof VERSION
  /** Why there is none: `structs` is then empty and means nothing. */
  readonly absent?: string
  /** Headers that were asked for and whose structures are not here. */
  readonly leftOut: readonly LeftOut[]
  /** Keyed by "struct bio", "union ...": everything that the headers define and reach. */
  readonly structs: Readonly<Record<string, Struct>>
}

export interface LeftOut {
  readonly header: string
  /** absent: this tree has no such file; broken: it does not compile with this configuration. */
  readonly kind: 'absent' | 'broken'
  readonly why: string
}

export interface Struct {
  /** sizeof */
  readonly bytes: number
  /** Bytes of which no bit belongs to a member: holes, and padding at the end. */
  readonly holes: number
  /** Cache lines of 64 bytes that an aligned one touches. */
  readonly cachelines: number
  /** In the order of the source. Members of anonymous structures and unions stand in their place. */
  readonly members: readonly Member[]
}

export interface Member {
  /** "bi_bdev"; "u.x" for member x of an unnamed structure that is called u here. */
  readonly name: string
  /** Bytes from the start of the structure; of a bit field, the byte that its first bit is in. */
  readonly offset: number
  /** Bytes; of a bit field, those that it has a bit in. */
  readonly size: number
  /** Only of a bit field: its width, and which bit of the byte at `offset` is its first. */
  readonly bits?: { readonly width: number; readonly first: number }
  /** As C writes it, without the member's name: "struct bio *". */
  readonly type: string
}

const VERSION = 1
const FILE = 'layout.json'

/** The layout of what could not be looked at. */
export function noLayout(why: string): Layout {
  return { version: VERSION, absent: why, leftOut: [], structs: {} }
}

/** What was found; structures are put in the order of their names, so that equal layouts are equal files. */
export function asLayout(structs: ReadonlyMap<string, Struct>, leftOut: readonly LeftOut[]): Layout {
  const sorted = [...structs].sort(([a], [b]) => (a < b ? -1 : 1))
  return { version: VERSION, leftOut, structs: Object.fromEntries(sorted) }
}

/** Puts a layout beside the kernel that it is of. */
export function writeLayout(dir: string, layout: Layout): void {
  writeFileSync(join(dir, FILE), `${JSON.stringify(layout)}\n`)
}

/** The layout that was made with a kernel; undefined when the file is not there or cannot be understood. */
export function readLayout(kernel: { readonly dir: string }): Layout | undefined {
  try {
    const layout = JSON.parse(readFileSync(join(kernel.dir, FILE), 'utf8')) as Layout
    return layout.version === VERSION && typeof layout.structs === 'object' ? layout : undefined
  } catch {
    return undefined
  }
}
