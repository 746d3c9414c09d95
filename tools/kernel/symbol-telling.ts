// SPDX-License-Identifier: GPL-2.0-only
import type { Atom } from './symbol-atoms.ts'

/** How a reference is told. */
export interface Telling {
  /** Line numbers in instructions: whether there are any, and whether they are told without their value. */
  readonly lines: { found: boolean; readonly hidden: boolean }
  /** Ambiguous names are told with a hash of what they stand for; not within such a hash itself: it could be a circle. */
  readonly deep: boolean
  /** Ambiguous names that were told so far, in their order: two uses of the same are not two uses of two. */
  readonly told: Map<Atom, number>
  /** Tables within tables. */
  readonly depth: number
  /** Whose content it is: a renamed function that calls itself is the same function. */
  readonly owner: Atom
  /** Names that are told by their number here; undefined: they are told themselves. */
  readonly names: string[] | undefined
  /** What is referred to anywhere in this piece of code. */
  readonly others: () => ReadonlySet<Atom>
}

/** A name, or a star and its number among those that were told before. */
export function nameIn({ names }: Telling, name: string): string {
  if (names === undefined) return name
  const at = names.indexOf(name)
  return `*${at === -1 ? names.push(name) - 1 : at}`
}
