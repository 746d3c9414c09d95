// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { git, gitOk } from '../base/repo.ts'
import { writeAtomic } from '../lib/cache.ts'
import { UsageError } from '../lib/errors.ts'
import { commitToPatch, notesOf, patchFileName } from './format.ts'
import { orderFile } from './order-file.ts'
import { parsePatch } from './patch.ts'
import type { Patch, Series } from './series.ts'

/** Patch file names, by what happened to them. A patch that only moved is in none. */
export interface Refreshed {
  readonly changed: readonly string[]
  readonly removed: readonly string[]
  readonly added: readonly string[]
}

/**
 * Writes the commits of an edit tree (editTree()) back as the series' patch files, and the order file with them.
 *
 * A patch whose commit says the same (diff, message and author) keeps its bytes, so nothing changed means that no
 * file is written. A changed one keeps its file name when its subject is the same, and its notes between `---` and
 * the diffstat. Everything that differs from machine to machine or day to day is normalised (see format.ts).
 *
 * @throws UsageError when the tree is not an edit tree, has uncommitted changes or a merge, or an am or rebase is
 *   under way there.
 */
export async function refreshSeries(dir: string, series: Series): Promise<Refreshed> {
  const tree = resolve(dir)
  const gitDir = join(tree, '.git')
  const state = readState(gitDir, tree)
  await refuseUnfinished(gitDir, tree)
  const commits = await linearCommits(gitDir, state.base)
  const originals = new Map(state.commits.map(({ file, commit }) => [file, commit]))
  const free = new Map(series.patches.map((patch) => [patch.file, patch]))
  const files: string[] = []
  const changed: string[] = []
  const added: string[] = []
  const texts = new Map<string, string>()
  // Unmoved commits claim their own files first, so that equal subjects are not mixed up.
  const claims = new Map<string, Patch>()
  for (const { commit } of commits) {
    const exact = [...free.values()].find((patch) => originals.get(patch.file) === commit)
    if (exact) claim(claims, free, commit, exact)
  }
  for (const { commit, subject } of commits) {
    const same = claims.has(commit)
      ? undefined
      : [...free.values()].find((patch) => patch.subject === subject)
    if (same) claim(claims, free, commit, same)
  }
  for (const [i, { commit, subject }] of commits.entries()) {
    const patch = claims.get(commit)
    if (patch) {
      files.push(patch.file)
      const original = originals.get(patch.file)
      if (original && (await saysTheSame(gitDir, original, commit))) continue
      const text = await commitToPatch(gitDir, commit, notesOf(patch.text))
      if (text === patch.text) continue
      texts.set(patch.file, text)
      changed.push(patch.file)
      continue
    }
    const taken = new Set([...files, ...series.patches.map((p) => p.file)])
    const file = patchFileName(i + 1, subject, taken)
    files.push(file)
    added.push(file)
    texts.set(file, await commitToPatch(gitDir, commit, ''))
  }
  // What cannot be read back must not replace what can.
  for (const [file, text] of texts) parsePatch(file, text, 1)
  const removed = [...free.keys()]
  for (const [file, text] of texts) writeAtomic(join(series.dir, file), text)
  writeOrder(series.dir, files)
  for (const file of removed) rmSync(join(series.dir, file), { force: true })
  return { changed, removed, added }
}

function claim(claims: Map<string, Patch>, free: Map<string, Patch>, commit: string, patch: Patch): void {
  claims.set(commit, patch)
  free.delete(patch.file)
}

const StateFile = z.object({
  base: z.string().regex(/^[0-9a-f]{40,64}$/),
  commits: z.array(z.object({ file: z.string(), commit: z.string() })),
})

function readState(gitDir: string, tree: string): z.infer<typeof StateFile> {
  const file = join(gitDir, 'phyr-edit.json')
  if (!existsSync(file)) {
    throw new UsageError(`${tree} is not a tree that ./phyr edit made`, 'open one with ./phyr edit DIR')
  }
  return StateFile.parse(JSON.parse(readFileSync(file, 'utf8')))
}

async function refuseUnfinished(gitDir: string, tree: string): Promise<void> {
  const busy = ['rebase-merge', 'rebase-apply', 'MERGE_HEAD', 'CHERRY_PICK_HEAD'].find((name) =>
    existsSync(join(gitDir, name)),
  )
  if (busy) {
    throw new UsageError(
      `${tree}: a rebase, am, merge or cherry-pick is under way (${busy})`,
      'finish it first',
    )
  }
  const status = await gitOk(
    gitDir,
    [`--work-tree=${tree}`, '-c', 'core.bare=false', 'status', '--porcelain', '--untracked-files=no'],
    { cwd: tree },
  )
  if (status === '') return
  const first = status.split('\n').slice(0, 5).join(', ')
  throw new UsageError(
    `${tree} has changes that are not committed: ${first}`,
    'commit, amend or stash them first',
  )
}

async function linearCommits(gitDir: string, base: string): Promise<{ commit: string; subject: string }[]> {
  if ((await git(gitDir, ['merge-base', '--is-ancestor', base, 'HEAD'])).code !== 0) {
    throw new UsageError(
      'HEAD is not on top of the base that the tree was made from',
      `rebase it onto ${base}`,
    )
  }
  const listed = await gitOk(gitDir, ['log', '--reverse', '--format=%H %P%x00%s', `${base}..HEAD`])
  return listed
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [ids = '', subject = ''] = line.split('\0')
      const [commit = '', ...parents] = ids.split(' ')
      if (parents.length !== 1)
        throw new UsageError(`commit ${commit.slice(0, 12)} is a merge`, 'a series is linear')
      return { commit, subject }
    })
}

/** Same author, message and diff: only the place in the series or the dates may differ. */
async function saysTheSame(gitDir: string, a: string, b: string): Promise<boolean> {
  if (a === b) return true
  const say = (commit: string): Promise<string> =>
    gitOk(gitDir, ['show', '--format=%an%n%ae%n%B', '--binary', '--full-index', '--no-renames', commit])
  return (await say(a)) === (await say(b))
}

function writeOrder(dir: string, files: readonly string[]): void {
  const path = join(dir, 'series')
  const old = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const next = orderFile(old, files)
  if (next !== old) writeAtomic(path, next)
}
