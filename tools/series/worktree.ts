// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { git, gitEnv, gitOk, removeStaleLocks } from '../base/repo.ts'
import { runOk } from '../lib/exec.ts'

/**
 * Makes (or repairs) a work tree in `dir` with a repository of its own, `dir/.git`, that borrows its objects from
 * `lenders` (bare repositories, the first holds `commit`), and brings it to `commit` on a detached HEAD. Returns the
 * .git directory.
 *
 * Not `git worktree`: that would write into the lender, which another process may be using, and would tie the tree to
 * one lender, while the same tree may come from a package today and from the user's checkout tomorrow.
 *
 * Only files that differ from `commit` are written, so everything else keeps its time stamp and kbuild rebuilds
 * nothing for it. Local changes, files that git does not know and what a killed git left are gone afterwards.
 */
export async function makeWorkTree(
  dir: string,
  lenders: readonly string[],
  commit: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  const gitDir = join(dir, '.git')
  mkdirSync(dir, { recursive: true })
  if (!existsSync(join(gitDir, 'HEAD')) || !existsSync(join(gitDir, 'config'))) {
    await runOk('git', ['init', '--quiet', '--template=', '--initial-branch=phyr', dir], { env: gitEnv() })
  }
  mkdirSync(join(gitDir, 'objects/info'), { recursive: true })
  writeFileSync(join(gitDir, 'objects/info/alternates'), lenders.map((repo) => `${repo}/objects\n`).join(''))
  mkdirSync(join(gitDir, 'info'), { recursive: true })
  removeStaleLocks(gitDir)
  const here = { cwd: dir, ...options }
  const inTree = [`--work-tree=${dir}`, '-c', 'core.bare=false']
  // A cut-off index cannot be compared with: without one every file is written anew. (What the old HEAD and index
  // name may be gone with another lender; git does not read it for this.)
  const readable = await git(gitDir, ['ls-files', '--error-unmatch', '--', 'Makefile'], options)
  if (readable.code > 1) rmSync(join(gitDir, 'index'), { force: true })
  // status also refreshes the index: a file that was touched but not changed must not be written again.
  const status = await git(gitDir, [...inTree, ...CACHED, 'status', '--porcelain', '-z'], here)
  const before = existsSync(join(gitDir, 'HEAD')) ? readFileSync(join(gitDir, 'HEAD'), 'utf8').trim() : ''
  const asFound = status.code === 0 && status.stdout === ''
  if (asFound && before === commit) return gitDir
  writeFileSync(join(gitDir, 'HEAD'), `${commit}\n`)
  await gitOk(gitDir, [...inTree, '-c', `checkout.workers=${availableParallelism()}`, ...RESET, commit], here)
  if (!asFound) await gitOk(gitDir, [...inTree, 'clean', '-ffdq'], here)
  return gitDir
}

const RESET = ['reset', '--hard', '--quiet']

// git remembers which directories had no unknown files: 96,000 files are looked through in a fraction of the time.
const CACHED = ['-c', 'core.untrackedCache=true']
