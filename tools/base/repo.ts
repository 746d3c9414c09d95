// SPDX-License-Identifier: GPL-2.0-only
import { rmSync } from 'node:fs'
import { run, runOk, type RunOptions, type RunResult } from '../lib/exec.ts'

/**
 * The one identity and date of every commit that phyr makes by itself: the same input must give the same hashes,
 * on every machine and on every day.
 */
export const PHYR_IDENT = { name: 'phyr', email: 'phyr@localhost', date: '1577836800 +0000' } as const

/**
 * The environment of git in phyr's own repositories. Nothing of the user's takes part: neither a GIT_DIR that
 * leaks in from a hook, nor a signing key, a diff option or an external diff program of ~/.gitconfig, which would
 * change hashes and bytes or run programs.
 */
export function gitEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  const cleared = Object.keys(process.env).filter((name) => name.startsWith('GIT_'))
  return {
    ...Object.fromEntries(cleared.map((name) => [name, undefined])),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: PHYR_IDENT.name,
    GIT_AUTHOR_EMAIL: PHYR_IDENT.email,
    GIT_AUTHOR_DATE: PHYR_IDENT.date,
    GIT_COMMITTER_NAME: PHYR_IDENT.name,
    GIT_COMMITTER_EMAIL: PHYR_IDENT.email,
    GIT_COMMITTER_DATE: PHYR_IDENT.date,
    TZ: 'UTC',
    ...extra,
  }
}

export interface GitOptions extends Omit<RunOptions, 'env'> {
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Runs git on one of phyr's repositories (a bare repository, or the .git directory of a work tree that phyr made)
 * and returns whatever it exited with.
 */
export async function git(
  repo: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<RunResult> {
  return run('git', [...FIXED, `--git-dir=${repo}`, ...args], { ...options, env: gitEnv(options.env) })
}

/**
 * Like git(), but returns stdout without its last newline.
 *
 * @throws LabError when git fails.
 */
export async function gitOk(
  repo: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<string> {
  return runOk('git', [...FIXED, `--git-dir=${repo}`, ...args], { ...options, env: gitEnv(options.env) })
}

/** Makes an empty bare repository at `repo` (SHA-1, no template hooks). */
export async function initBare(repo: string, options: GitOptions = {}): Promise<void> {
  // A template directory with hooks in it would be run by git later.
  await runOk('git', ['init', '--quiet', '--bare', '--template=', '--initial-branch=base', repo], {
    ...options,
    env: gitEnv(options.env),
  })
}

/** Whether the repository can read `object` (a commit, a tree, a blob), through its alternates too. */
export async function hasObject(repo: string, object: string): Promise<boolean> {
  return (await git(repo, ['cat-file', '-e', object])).code === 0
}

/** Removes what a killed git left behind: with the caller's lock held nobody else writes these. */
export function removeStaleLocks(repo: string): void {
  for (const name of ['index.lock', 'HEAD.lock', 'config.lock', 'packed-refs.lock', 'shallow.lock']) {
    rmSync(`${repo}/${name}`, { force: true })
  }
}

// No background gc that rewrites packs under a running build, and no fsmonitor daemon left behind.
const FIXED = ['-c', 'gc.auto=0', '-c', 'maintenance.auto=false', '-c', 'core.fsmonitor=false']
