// SPDX-License-Identifier: GPL-2.0-only

/** Exactly which Linux a base is: goes into every record. */
export interface BaseIdentity {
  readonly provider: 'debian' | 'git' | 'tarball'
  /** From the tree's Makefile, for example "7.3.4" or "7.3.0-rc7". */
  readonly version: string
  /** Hash of the git tree (content only: the same sources give the same hash from every provider). */
  readonly tree: string
  /** The user's commit for provider git; for package and tarball the commit that phyr made of it. */
  readonly commit: string
  readonly package?: { readonly name: string; readonly version: string; readonly sha256: string }
  /** SHA-256 and name of the archive, for provider tarball. */
  readonly archive?: { readonly name: string; readonly sha256: string }
}

/** A base, ready to have a series applied. */
export interface Base {
  /** phyr's own bare repository that holds (or borrows, through alternates) the base's objects. */
  readonly repo: string
  readonly commit: string
  readonly identity: BaseIdentity
  readonly cached: boolean
}

/** What the user asked for; all empty means: the base that patches/series.json names. */
export interface BaseRequest {
  /** `DIR[@rev]` (git) or `FILE.tar[.xz|.gz]` (tarball). */
  readonly linux?: string | undefined
  /** A version for the debian provider: "7.3", "7.2", "7.3-rc". */
  readonly version?: string | undefined
}
