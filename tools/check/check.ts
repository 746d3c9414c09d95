// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { git } from '../base/repo.ts'
import { artefact } from '../lib/cache.ts'
import { sha256 } from '../lib/hash.ts'
import { log } from '../lib/log.ts'
import { baseOf, seriesIdentity } from '../result/record.ts'
import { SCHEMA } from '../result/result.ts'
import type { Applied, Patch } from '../series/series.ts'
import { type CheckFinding, type CheckRecord, isOpen, type PatchCheck, type Skipped } from './check-record.ts'
import { codespellText } from './codespell.ts'
import { coverRules } from './cover.ts'
import { fixesExist, hasHistory } from './fixes.ts'
import { justify, readJustifications } from './justify.ts'
import { readMail } from './mail.ts'
import { checkPoint } from './one-patch.ts'
import { touchedFiles } from './point.ts'
import { withSparseTree } from './sparse-tree.ts'
import { type Program, programs } from './tool.ts'

/** Changes whenever what a check says about the same input may change. */
const CHECK_VERSION = 3

export interface CheckOptions {
  /** Only these, by position; default all. */
  readonly numbers?: readonly number[]
  readonly signal?: AbortSignal
}

interface Made {
  readonly findings: readonly CheckFinding[]
  readonly skipped: readonly Skipped[]
  readonly seconds: number
}

/**
 * Checks the patches of an applied series, each at its point, and the cover letter. What the tools say is cached by
 * the patch's bytes, the trees before and after it and the tools' versions; justifications are read anew each time.
 */
export async function checkSeries(applied: Applied, options: CheckOptions = {}): Promise<CheckRecord> {
  const { base, series } = applied
  const there = await programs(options.signal)
  const history = await hasHistory(base.repo, base.commit)
  const chosen = applied.commits
    .map(({ patch, commit }, i) => ({ patch, commit, parent: applied.commits[i - 1]?.commit ?? base.commit }))
    .filter(({ patch }) => options.numbers?.includes(patch.number) ?? true)
  const checks: PatchCheck[] = []
  for (const { patch, commit, parent } of chosen) {
    checks.push(await checkOne(applied, patch, { commit, parent, history, there }, options))
  }
  const files = applied.commits.map(({ patch }) => patch.file)
  const judged = justify(checks, readJustifications(series.dir), files)
  const patches = checks.map((check, i) => {
    const findings = judged.patches[i]?.findings ?? []
    return { ...check, findings, outcome: findings.some(isOpen) ? ('fail' as const) : ('pass' as const) }
  })
  const cover = options.numbers === undefined ? await checkCover(series.dir, there, options.signal) : []
  const open = [...cover, ...judged.unused].some(isOpen) || patches.some(({ outcome }) => outcome === 'fail')
  return {
    schema: SCHEMA,
    outcome: open ? 'fail' : 'pass',
    base: baseOf(base.identity),
    series: seriesIdentity(series),
    tools: there,
    patches,
    cover,
    justifications: judged.unused,
  }
}

async function checkOne(
  applied: Applied,
  patch: Patch,
  at: {
    readonly commit: string
    readonly parent: string
    readonly history: boolean
    readonly there: Readonly<Partial<Record<Program, string>>>
  },
  { signal }: CheckOptions,
): Promise<PatchCheck> {
  const { repo } = applied.base
  const start = Date.now()
  const [before, after, tipMaintainers] = await Promise.all(
    [`${at.parent}^{tree}`, `${at.commit}^{tree}`, `${applied.commit}:MAINTAINERS`].map((name) =>
      objectOf(repo, name),
    ),
  )
  const inputs = {
    version: CHECK_VERSION,
    patch: sha256(patch.text),
    before,
    after,
    // Who gets a file may be settled by a later patch; what Fixes names, by the base's history.
    maintainers: tipMaintainers,
    history: at.history ? applied.base.commit : '',
    tools: at.there,
  }
  const made = await artefact<Made>('check', inputs, async () => {
    log.progress(`check   ${patch.number}/${applied.commits.length} ${patch.subject}`)
    const touched = await touchedFiles(repo, at.parent, at.commit)
    const said = await withSparseTree(
      applied.base,
      at.commit,
      (treeDir) =>
        checkPoint(
          {
            text: patch.text,
            stored: true,
            repo,
            env: {},
            before: at.parent,
            after: at.commit,
            treeDir,
            tip: applied.commit,
            touched,
            ...(signal ? { signal } : {}),
          },
          at.there,
        ),
      signal,
    )
    const fixes = await fixesExist(readMail(patch.text), repo, at.parent, at.history)
    return {
      findings: [...said.findings, ...fixes],
      skipped: said.skipped,
      seconds: (Date.now() - start) / 1000,
    }
  })
  log.progressDone()
  const { findings, skipped } = made.manifest
  return {
    number: patch.number,
    file: patch.file,
    subject: patch.subject,
    outcome: 'pass',
    cached: made.cached,
    seconds: (Date.now() - start) / 1000,
    findings,
    skipped,
  }
}

async function objectOf(repo: string, name: string): Promise<string> {
  const found = await git(repo, ['rev-parse', '--verify', '--quiet', name])
  return found.stdout.trim()
}

async function checkCover(
  dir: string,
  there: Readonly<Partial<Record<Program, string>>>,
  signal: AbortSignal | undefined,
): Promise<CheckFinding[]> {
  const file = join(dir, 'cover.md')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  const findings = coverRules(text)
  if (text === undefined || there.codespell === undefined) return findings
  return [...findings, ...(await codespellText(text, signal)).findings]
}
