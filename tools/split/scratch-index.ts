// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Base } from '../base/base.ts'
import { git, gitOk } from '../base/repo.ts'
import type { Patch } from '../series/series.ts'

/** What came of trying patches on a base. */
export type Tried =
  | { readonly applies: true; readonly tree: string }
  | { readonly applies: false; readonly message: string }

/**
 * Tries which patches apply on which others, in an index that holds only the files that the patches touch: a try
 * takes milliseconds where the whole tree of Linux takes a second, and no work tree is made. Whether two orders give
 * the same files is told by the hash of the tree. Nothing is written into the base's repository: new objects go to a
 * directory that is thrown away.
 */
export class ScratchIndex {
  readonly #repo: string
  readonly #options: { readonly env: Readonly<Record<string, string>>; readonly signal?: AbortSignal }
  readonly #known = new Map<string, Tried>()
  #entries = ''

  private constructor(repo: string, dir: string, signal: AbortSignal | undefined) {
    this.#repo = repo
    const env = {
      GIT_INDEX_FILE: join(dir, 'index'),
      GIT_OBJECT_DIRECTORY: join(dir, 'objects'),
      GIT_ALTERNATE_OBJECT_DIRECTORIES: join(repo, 'objects'),
    }
    this.#options = signal ? { env, signal } : { env }
  }

  /** Runs `use` with an index for these patches, which is gone afterwards. */
  static async with<T>(
    base: Base,
    patches: readonly Patch[],
    signal: AbortSignal | undefined,
    use: (index: ScratchIndex) => Promise<T>,
  ): Promise<T> {
    const dir = mkdtempSync(join(tmpdir(), 'phyr-split-'))
    try {
      mkdirSync(join(dir, 'objects'))
      const index = new ScratchIndex(base.repo, dir, signal)
      const paths = [...new Set(patches.flatMap((patch) => patch.paths))]
      index.#entries = await index.#baseEntries(base.commit, paths)
      return await use(index)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }

  /** Applies the patches, in this order, on the base. What was tried before is not tried again. */
  async try(patches: readonly Patch[]): Promise<Tried> {
    const key = patches.map((patch) => patch.number).join(' ')
    const known = this.#known.get(key)
    if (known) return known
    const tried = await this.#apply(patches)
    this.#known.set(key, tried)
    return tried
  }

  async #apply(patches: readonly Patch[]): Promise<Tried> {
    await gitOk(this.#repo, ['read-tree', '--empty'], this.#options)
    await gitOk(this.#repo, ['update-index', '-z', '--index-info'], {
      ...this.#options,
      input: this.#entries,
    })
    if (patches.length > 0) {
      // One call for all: git apply knows of a file what the patches before made of it.
      const done = await git(this.#repo, ['apply', '--cached', '--whitespace=nowarn', '-p1', '-'], {
        ...this.#options,
        input: patches.map((patch) => `${patch.text}\n`).join(''),
      })
      if (done.code !== 0) return { applies: false, message: done.stderr }
    }
    return { applies: true, tree: await gitOk(this.#repo, ['write-tree'], this.#options) }
  }

  async #baseEntries(commit: string, paths: readonly string[]): Promise<string> {
    if (paths.length === 0) return ''
    const args = ['--literal-pathspecs', 'ls-tree', '-r', '-z', commit, '--', ...paths]
    return gitOk(this.#repo, args, this.#options)
  }
}
