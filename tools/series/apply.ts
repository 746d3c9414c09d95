// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Base } from '../base/base.ts'
import { git, gitOk, hasObject, PHYR_IDENT } from '../base/repo.ts'
import { LabError, UsageError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import { keyOf } from '../lib/hash.ts'
import { withLock } from '../lib/lock.ts'
import { gitEnv } from '../base/repo.ts'
import { reportConflict } from './conflict.ts'
import type { Applied, Patch, Series } from './series.ts'

export interface ApplyOptions {
  /** Only the first so many patches of the series; 0 gives the base itself. */
  readonly upTo?: number
  /** Patch file names to leave out: proves that a test notices when a fix is gone. */
  readonly without?: readonly string[]
  /** Where a patch that does not apply leaves its work tree; default a directory in the cache. */
  readonly keepDir?: string
  readonly signal?: AbortSignal
}

/**
 * Applies a series to a base as one commit a patch, without touching any work tree. Author, subject and message come
 * from the patch; committer and both dates are fixed, so the same base and patches give the same commit hashes.
 *
 * Every commit gets a ref under refs/phyr/ named by what made it, so gc never drops it and a series that shares its
 * first patches with one that was applied before starts after them.
 *
 * @throws UsageError when `without` names a patch that is not in the series, or `upTo` is out of range.
 * @throws Finding of stage `apply` when a patch does not apply: `blame` is the patch, `detail` names file, hunk and
 *   the kept work tree with the three-way state.
 */
export async function applySeries(base: Base, series: Series, options: ApplyOptions = {}): Promise<Applied> {
  const chosen = choose(series, options)
  // Two appliers to the same repository would fight for its refs.
  return withLock(`${base.repo}.apply.lock`, () => applyChosen(base, series, chosen, options))
}

async function applyChosen(
  base: Base,
  series: Series,
  chosen: readonly Patch[],
  options: ApplyOptions,
): Promise<Applied> {
  const refs = prefixRefs(base, chosen)
  const known = await knownPrefix(base.repo, refs)
  const commits = chosen.slice(0, known.length).map((patch, i) => ({ patch, commit: known[i] ?? '' }))
  let commit = known.at(-1) ?? base.commit
  const work = mkdtempSync(join(tmpdir(), 'phyr-apply-'))
  try {
    const maker = new CommitMaker(base, work, options.signal)
    if (known.length < chosen.length) await maker.start(commit)
    for (const [i, patch] of chosen.entries()) {
      if (i < known.length) continue
      const made = await maker.commit(patch, commit)
      if (typeof made !== 'string') {
        throw await reportConflict({ base, series, patch, onto: commit, ...made }, options)
      }
      commit = made
      commits.push({ patch, commit })
      await gitOk(base.repo, ['update-ref', refs[i] ?? '', commit])
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  const tree = await gitOk(base.repo, ['rev-parse', `${commit}^{tree}`])
  return { base, series, commit, tree, commits, cached: known.length === chosen.length }
}

function choose(series: Series, options: ApplyOptions): Patch[] {
  const { upTo = series.patches.length, without = [] } = options
  if (!Number.isInteger(upTo) || upTo < 0 || upTo > series.patches.length) {
    throw new UsageError(`there is no patch ${upTo}: the series has ${series.patches.length}`)
  }
  const unknown = without.find((name) => !series.patches.some((patch) => patch.file === name))
  if (unknown !== undefined) {
    const names = series.patches.map((patch) => patch.file).join(', ')
    throw new UsageError(`the series has no patch ${JSON.stringify(unknown)}`, `it has: ${names}`)
  }
  return series.patches.slice(0, upTo).filter((patch) => !without.includes(patch.file))
}

/** One ref a patch, named by the base and every patch up to it: what was applied before is found again. */
function prefixRefs(base: Base, patches: readonly Patch[]): string[] {
  let key = keyOf({ stage: 'apply', version: 1, base: base.commit })
  return patches.map((patch) => {
    key = keyOf({ before: key, text: patch.text })
    return `refs/phyr/applied/${key}`
  })
}

async function knownPrefix(repo: string, refs: readonly string[]): Promise<string[]> {
  const listed = await gitOk(repo, [
    'for-each-ref',
    '--format=%(refname) %(objectname)',
    'refs/phyr/applied/',
  ])
  const byName = new Map(listed.split('\n').map((line) => line.split(' ') as [string, string]))
  const known: string[] = []
  for (const ref of refs) {
    const commit = byName.get(ref)
    if (commit === undefined || !(await hasObject(repo, commit))) break
    known.push(commit)
  }
  return known
}

/** What git said when a patch did not apply. */
export interface Rejected {
  readonly message: string
}

/** Makes commits through an index of its own, which holds the tree of the last commit. */
class CommitMaker {
  readonly #repo: string
  readonly #dir: string
  readonly #env: Readonly<Record<string, string>>
  readonly #signal: { readonly signal?: AbortSignal }

  constructor(base: Base, dir: string, signal: AbortSignal | undefined) {
    this.#repo = base.repo
    this.#dir = dir
    this.#env = { GIT_INDEX_FILE: join(dir, 'index') }
    this.#signal = signal ? { signal } : {}
  }

  async start(commit: string): Promise<void> {
    await gitOk(this.#repo, ['read-tree', commit], { env: this.#env, ...this.#signal })
  }

  /** The new commit's hash, or git's message when the patch does not apply; the index is then as it was. */
  async commit(patch: Patch, parent: string): Promise<string | Rejected> {
    const env = this.#env
    // --whitespace=nowarn: style is checkpatch's business, and git must not change what the patch says.
    const applied = await git(this.#repo, ['apply', '--cached', '--whitespace=nowarn', '-p1', '-'], {
      env,
      input: patch.text,
      ...this.#signal,
    })
    if (applied.code !== 0) return { message: applied.stderr }
    const tree = await gitOk(this.#repo, ['write-tree'], { env, ...this.#signal })
    const { author, message } = await this.#mail(patch)
    return gitOk(this.#repo, ['commit-tree', tree, '-p', parent, '-F', '-'], {
      env: { ...env, GIT_AUTHOR_NAME: author.name, GIT_AUTHOR_EMAIL: author.email },
      input: message,
      ...this.#signal,
    })
  }

  /** Author and message as git am takes them from the mail. */
  async #mail(patch: Patch): Promise<{ author: { name: string; email: string }; message: string }> {
    const body = join(this.#dir, 'message')
    const info = await run('git', ['mailinfo', '--encoding=UTF-8', body, join(this.#dir, 'diff')], {
      env: gitEnv(),
      input: patch.text,
      ...this.#signal,
    })
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(info.stdout)?.[1] ?? ''
    if (info.code !== 0) {
      throw new LabError({
        what: `git mailinfo failed on ${patch.file}`,
        why: info.stderr.trim() || `exit code ${info.code}`,
        fix: 'write the patch with git format-patch',
      })
    }
    const author = { name: field('Author') || PHYR_IDENT.name, email: field('Email') || PHYR_IDENT.email }
    const text = readBody(body)
    return { author, message: `${field('Subject') || patch.subject}\n${text === '' ? '' : `\n${text}\n`}` }
  }
}

function readBody(file: string): string {
  try {
    // Not trim(): a first line that is indented stays so.
    return readFileSync(file, 'utf8').replace(/^(?:[ \t]*\n)+|\s+$/g, '')
  } catch {
    return ''
  } finally {
    writeFileSync(file, '')
  }
}
