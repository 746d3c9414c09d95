// SPDX-License-Identifier: GPL-2.0-only
import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { artefact } from '../lib/cache.ts'
import { LabError, UsageError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import { log } from '../lib/log.ts'
import { gitOk, initBare } from './repo.ts'

export interface GitBase {
  readonly repo: string
  readonly commit: string
  readonly tree: string
  readonly cached: boolean
}

/**
 * A base from a git checkout of the user's: `DIR` or `DIR@rev` (default HEAD, or what is checked out). DIR may be a
 * checkout, one of its worktrees, a bare repository or a shallow clone.
 *
 * The user's repository is only read: phyr makes a bare repository of its own in the cache that borrows the objects
 * through `objects/info/alternates`, and puts its commits and refs there. So the user's repository must stay where
 * it is. Changes that are not committed are not part of the base.
 *
 * @throws UsageError when DIR is no git repository or `rev` is unknown there.
 */
export async function gitBase(
  linux: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<GitBase> {
  const { dir, rev } = splitRev(linux)
  const ask = async (...args: string[]): Promise<string | undefined> => {
    const result = await run('git', ['-c', 'core.fsmonitor=false', '-C', dir, ...args], {
      ...options,
      // No index refresh either: the checkout must not be written to at all.
      env: {
        GIT_OPTIONAL_LOCKS: '0',
        GIT_DIR: undefined,
        GIT_WORK_TREE: undefined,
        GIT_INDEX_FILE: undefined,
      },
    })
    return result.code === 0 ? result.stdout.trim() : undefined
  }
  const common = await ask('rev-parse', '--path-format=absolute', '--git-common-dir')
  const objects = await ask('rev-parse', '--path-format=absolute', '--git-path', 'objects')
  if (!common || !objects) {
    throw new UsageError(
      `${dir} is no git repository`,
      'give --linux DIR of a checkout, or --linux FILE.tar.xz',
    )
  }
  const commit = await ask(
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${rev ?? 'HEAD'}^{commit}`,
  )
  if (!commit) {
    throw new UsageError(
      `${dir} has no revision "${rev ?? 'HEAD'}"`,
      'name a commit, tag or branch that it has',
    )
  }
  const dirty = await ask('status', '--porcelain', '--untracked-files=no')
  if (dirty && rev === undefined) log.warn(`${dir} has uncommitted changes: they are not part of the base`)
  const inputs = { version: 1, objects, commit, shallow: existsSync(join(common, 'shallow')) }
  const made = await artefact<{ tree: string }>('base-repo', inputs, async (out) => {
    const repo = join(out, 'repo.git')
    await initBare(repo, options)
    await borrow(repo, objects, common)
    await gitOk(repo, ['update-ref', 'refs/heads/base', commit], options)
    const tree = await gitOk(repo, ['rev-parse', `${commit}^{tree}`], options)
    await checkWhole(repo, dir, tree, options)
    return { tree }
  })
  return { repo: join(made.dir, 'repo.git'), commit, tree: made.manifest.tree, cached: made.cached }
}

/** `DIR@rev` in its parts; a directory that has the @ in its own name wins. */
export function splitRev(linux: string): { readonly dir: string; readonly rev: string | undefined } {
  if (isDir(linux)) return { dir: resolve(linux), rev: undefined }
  // A directory's name and a revision may each hold an @ (a@b, HEAD@{1}): the longest directory that exists wins.
  for (let at = linux.lastIndexOf('@'); at > 0; at = linux.lastIndexOf('@', at - 1)) {
    const dir = linux.slice(0, at)
    if (isDir(dir) && at + 1 < linux.length) return { dir: resolve(dir), rev: linux.slice(at + 1) }
  }
  throw new UsageError(
    `there is no directory or archive ${linux}`,
    'give --linux DIR[@rev] or --linux FILE.tar.xz',
  )
}

function isDir(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory()
}

async function borrow(repo: string, objects: string, common: string): Promise<void> {
  mkdirSync(join(repo, 'objects/info'), { recursive: true })
  // A path with a newline or a leading quote would be read as something else, gitrepository-layout(5).
  const path = /^["#]|\n/.test(objects) ? JSON.stringify(objects) : objects
  writeFileSync(join(repo, 'objects/info/alternates'), `${path}\n`)
  // Without the user's list of cut-off points git would look for the parents that a shallow clone lacks.
  const shallow = join(common, 'shallow')
  if (existsSync(shallow)) copyFileSync(shallow, join(repo, 'shallow'))
}

/** A partial clone fetches blobs when they are needed, from a remote that phyr's repository does not have. */
async function checkWhole(
  repo: string,
  dir: string,
  tree: string,
  options: { readonly signal?: AbortSignal },
): Promise<void> {
  const missing = await gitOk(
    repo,
    ['rev-list', '--objects', '--missing=print', '--no-object-names', tree],
    options,
  )
  const first = missing.split('\n').find((line) => line.startsWith('?'))
  if (first === undefined) return
  throw new LabError({
    what: `${dir} lacks files of the revision`,
    why: `it is a partial clone and object ${first.slice(1)} has not been fetched`,
    fix: `check the revision out there once (git -C ${dir} checkout --detach REV), or use a full clone`,
  })
}
