// SPDX-License-Identifier: GPL-2.0-only
import type { Base } from '../base/base.ts'

/** One patch file of the series. */
export interface Patch {
  /** Position, from 1. */
  readonly number: number
  /** File name inside the series directory, for example "0001-block-fix.patch". */
  readonly file: string
  readonly subject: string
  readonly text: string
  /** Paths that the patch touches, relative to the tree, checked to stay inside it. */
  readonly paths: readonly string[]
}

export interface Series {
  readonly dir: string
  readonly name: string
  readonly version: number
  readonly changeId: string
  readonly base: { readonly provider: 'debian'; readonly package: string; readonly version: string }
  /** What goes into the subjects' brackets, from series.json: "PATCH", "RFC PATCH", "PATCH net-next". */
  readonly prefix?: string | undefined
  readonly patches: readonly Patch[]
  /** Hash over the patches' names and bytes, in order. */
  readonly hash: string
  /** Which group of a longer series this is: options of that one's tests may then not be there. */
  readonly group?: string
}

/** A series applied to a base as commits in the base's repository; nothing is checked out yet. */
export interface Applied {
  readonly base: Base
  readonly series: Series
  /** Tip commit; the base's own when the series is empty. */
  readonly commit: string
  /** Hash of the tip's git tree. */
  readonly tree: string
  /** One a patch, in order. */
  readonly commits: readonly { readonly patch: Patch; readonly commit: string }[]
  readonly cached: boolean
}

/** A work tree that has an applied series checked out. */
export interface Tree {
  readonly dir: string
  readonly applied: Applied
}
