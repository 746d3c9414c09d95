// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { git, gitEnv, gitOk } from '../base/repo.ts'
import { run } from '../lib/exec.ts'
import { readSeries } from '../series/read.ts'
import type { Applied } from '../series/series.ts'
import type { CheckFinding, Skipped } from './check-record.ts'
import { fixesExist, hasHistory } from './fixes.ts'
import { justify, readJustifications } from './justify.ts'
import { readMail } from './mail.ts'
import { plainMail, type Placed, withMailApplied } from './mail-point.ts'
import { checkPoint } from './one-patch.ts'
import { touchedFiles } from './point.ts'
import { withSparseTree } from './sparse-tree.ts'
import { programs } from './tool.ts'

/** How far back in a checkout a commit with the mail's subject is looked for. */
const COMMITS = 500

/** What was found about a mail. */
export interface MailCheck {
  readonly findings: readonly CheckFinding[]
  readonly skipped: readonly Skipped[]
}

export interface MailOptions {
  /** Where b4 runs commands: the top of a kernel checkout; anywhere else the project's base is used. */
  readonly cwd: string
  /** The project's patches/: its justifications hold for a mail with the subject of one of its patches. */
  readonly patches: string
  /** The project's series, applied; only asked for outside of a kernel checkout. */
  readonly applied: () => Promise<Applied>
  readonly signal?: AbortSignal
}

/** Checks one patch mail: what b4 hands to a check command on stdin. */
export async function checkMail(raw: string, options: MailOptions): Promise<MailCheck> {
  const text = await plainMail(raw)
  const top = await kernelTop(options.cwd)
  const said = top === undefined ? await inSeries(text, options) : await inCheckout(text, top, options)
  const { subject } = readMail(text)
  const files = readSeries(options.patches).patches
  const patch = files.find((one) => one.subject === subject)
  if (!patch) return said
  const check = { ...patch, ...said, outcome: 'pass' as const, cached: false, seconds: 0 }
  const judged = justify([check], readJustifications(options.patches), [])
  return { ...said, findings: judged.patches[0]?.findings ?? said.findings }
}

/** The top of the kernel checkout that a directory is in; undefined when it is in none. */
async function kernelTop(cwd: string): Promise<string | undefined> {
  const asked = await run('git', ['rev-parse', '--show-toplevel'], { cwd, env: gitEnv() })
  const top = asked.stdout.trim()
  return asked.code === 0 && existsSync(join(top, 'scripts/checkpatch.pl')) ? top : undefined
}

async function inCheckout(text: string, top: string, options: MailOptions): Promise<MailCheck> {
  const repo = await run('git', ['rev-parse', '--absolute-git-dir'], { cwd: top, env: gitEnv() })
  const gitDir = repo.stdout.trim()
  const { subject } = readMail(text)
  const logged = await gitOk(gitDir, ['log', `--max-count=${COMMITS}`, '--format=%H%x09%s', 'HEAD'])
  // b4 prep checks commits of the branch: the patch is in HEAD already, and applies to its parent.
  const same = logged.split('\n').filter((line) => line.slice(line.indexOf('\t') + 1) === subject)
  const parents = same.map((line) => `${line.slice(0, line.indexOf('\t'))}^`)
  const known = await Promise.all(
    parents.map(async (name) => (await git(gitDir, ['rev-parse', name])).code === 0),
  )
  const candidates = [...parents.filter((_, i) => known[i]), 'HEAD']
  return withMailApplied(gitDir, candidates, text, (placed) =>
    checkPlaced(text, gitDir, placed, { treeDir: top, tip: 'HEAD' }, options),
  )
}

async function inSeries(text: string, options: MailOptions): Promise<MailCheck> {
  const applied = await options.applied()
  const { base, commits } = applied
  const { subject } = readMail(text)
  const at = commits.findIndex(({ patch }) => patch.subject === subject)
  const own = at < 0 ? [] : [commits[at - 1]?.commit ?? base.commit]
  return withMailApplied(base.repo, [...own, applied.commit, base.commit], text, (placed) =>
    withSparseTree(
      base,
      commits[at]?.commit ?? placed.before,
      (treeDir) => checkPlaced(text, base.repo, placed, { treeDir, tip: applied.commit }, options),
      options.signal,
    ),
  )
}

async function checkPlaced(
  text: string,
  repo: string,
  { before, after, env }: Placed,
  tree: { readonly treeDir: string; readonly tip: string },
  { signal }: MailOptions,
): Promise<MailCheck> {
  const touched = await touchedFiles(repo, before, after, env)
  const point = {
    text,
    stored: false,
    repo,
    env,
    before,
    after,
    touched,
    ...tree,
    ...(signal ? { signal } : {}),
  }
  const said = await checkPoint(point, await programs(signal))
  const commit = await gitOk(repo, ['rev-parse', `${before}^{commit}`])
  const fixes = await fixesExist(readMail(text), repo, commit, await hasHistory(repo, commit))
  return { findings: [...said.findings, ...fixes], skipped: said.skipped }
}
