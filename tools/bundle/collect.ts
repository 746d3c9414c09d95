// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { CheckRecord } from '../check/check-record.ts'
import { messageOf, UsageError } from '../lib/errors.ts'
import { cacheRoot, ownVersion } from '../lib/paths.ts'
import type { Project } from '../lib/project.ts'
import { scrub } from '../mail/scrub.ts'
import { listBench } from '../result/bench-store.ts'
import { isDamaged, listStored } from '../result/json-files.ts'
import { proofSchema } from '../result/proof-record.ts'
import { latestProof, weakness } from '../result/proof-store.ts'
import type { RunResult } from '../result/result.ts'
import { listRecords, loadResult } from '../result/store.ts'
import type { Applied } from '../series/series.ts'
import { badName } from './manifest.ts'

/** What goes into a bundle: names and bytes. */
export interface Collected {
  readonly files: ReadonlyMap<string, Uint8Array>
  /** When the newest record was made; null when there is none. */
  readonly time: string | null
  /** What a reader will miss; empty when the evidence is whole. */
  readonly gaps: readonly string[]
}

/** Where the merged proof is in a bundle. */
export const PROOF = 'records/proof.json'

/**
 * Collects everything that tells of this very series: its patches, the configs, the mails when a directory of them is
 * given, and from the cache proofs, runs, benchmarks, the results they name and their logs. What comes from the machine
 * (records and logs) goes in without home directories and the host's name; patches and mails go in as they are.
 *
 * @throws UsageError when `mail` is no directory that `phyr mail -o` made.
 */
export function collect(
  project: Project,
  applied: Applied,
  extra: {
    /** A directory of mails that phyr mail -o wrote. */
    readonly mail?: string | undefined
    /** What phyr check says of these patches. */
    readonly check?: CheckRecord | undefined
  },
  root: string = cacheRoot(),
): Collected {
  const { series, base } = applied
  const { mail, check } = extra
  const files = new Map<string, Uint8Array>()
  const raw = (path: string, file: string): void => void files.set(path, readFileSync(file))
  const clean = (path: string, text: string): void => void files.set(path, Buffer.from(scrub(text)))
  for (const name of ['series', 'series.json', 'cover.md', 'groups.yaml'])
    if (existsSync(join(project.patches, name))) raw(`patches/${name}`, join(project.patches, name))
  for (const patch of series.patches) files.set(`patches/${patch.file}`, Buffer.from(patch.text))
  tree(project.kernelConfig, 'kernel-config', files)
  tree(project.machines, 'qemu/machines', files)
  tree(project.suites, 'qemu/suites', files)
  if (mail !== undefined) addMail(mail, files)

  const gaps: string[] = []
  const times: string[] = []
  const keys = new Set<string>()
  const proof = latestProof(series.hash, root)
  if (proof === undefined || proof.base.tree !== base.identity.tree) {
    gaps.push('there is no proof of these patches on this base: run phyr prove')
  } else {
    gaps.push(...weakness(proof))
    clean(PROOF, json(proof))
  }
  const proofs = listStored(join(root, 'proofs'), proofSchema).records.filter(
    ({ record }) => record.series.hash === series.hash,
  )
  for (const { id, record } of proofs) {
    clean(`records/proofs/${id}.json`, json(record))
    times.push(record.time)
    for (const run of record.patches.flatMap((patch) => patch.runs)) if (run.key) keys.add(run.key)
  }
  for (const { id, record } of listRecords(root).records) {
    if (record.series.hash !== series.hash || record.base.tree !== base.identity.tree) continue
    clean(`records/runs/${id}.json`, json(record))
    if (record.time) times.push(record.time)
    for (const run of record.runs) if (run.key) keys.add(run.key)
  }
  for (const { id, record } of listBench(root).records) {
    if (record.seriesOf.hash !== series.hash || record.linux.tree !== base.identity.tree) continue
    clean(`records/bench/${id}.json`, json(record))
    times.push(record.time)
  }
  if (check !== undefined) clean('records/check.json', json(check))
  const commands: string[] = []
  const gone: string[] = []
  for (const key of [...keys].toSorted()) {
    const result = loadResult(key, root)
    if (result === undefined || isDamaged(result)) {
      gone.push(key)
      continue
    }
    clean(`results/${key}.json`, json(result))
    commands.push(
      `# ${key}: ${result.suite} on ${result.machine}, ${result.time}\n${result.command.join(' ')}\n`,
    )
    addLogs(result, root, clean, gaps)
  }
  if (gone.length > 0)
    gaps.push(`results of ${gone.length} runs are no longer in the cache: ${gone.slice(0, 3).join(', ')}`)
  if (commands.length > 0) clean('commands.txt', commands.join('\n'))
  clean('versions.json', json(versionsOf(applied, proofs.at(-1)?.record)))
  return { files, time: times.toSorted().at(-1) ?? null, gaps }
}

function versionsOf(applied: Applied, proof: { compiler: string; qemu: string } | undefined): object {
  return {
    phyr: ownVersion(),
    node: process.versions.node,
    base: applied.base.identity,
    ...(proof ? { compiler: proof.compiler, qemu: proof.qemu } : {}),
  }
}

/** Console and results port of a run. Only files inside the cache: a record may name any path. */
function addLogs(
  result: RunResult,
  root: string,
  put: (path: string, text: string) => void,
  gaps: string[],
): void {
  for (const file of [result.log, result.results]) {
    if (file === undefined) continue
    const inside = relative(root, file)
    if (inside.startsWith('..') || badName(inside) !== undefined || !existsSync(file)) {
      gaps.push(`a log of run ${result.key} is no longer in the cache`)
      continue
    }
    if (statSync(file).size > 0)
      put(`logs/${result.key}/${inside.split('/').at(-1)}`, readFileSync(file, 'utf8'))
  }
}

function addMail(dir: string, files: Map<string, Uint8Array>): void {
  let plan: unknown
  try {
    plan = JSON.parse(readFileSync(join(dir, 'plan.json'), 'utf8'))
  } catch (error) {
    throw new UsageError(`${dir} holds no thread: ${messageOf(error)}`, 'write one with phyr mail -o DIR')
  }
  if ((plan as { kind?: unknown } | null)?.kind !== 'phyr-mail')
    throw new UsageError(`${dir}/plan.json is not of phyr mail`, 'write one with phyr mail -o DIR')
  for (const name of readdirSync(dir).toSorted())
    if (name === 'plan.json' || /^\d{4}-[\w.-]+\.patch$/.test(name))
      files.set(`mail/${name}`, readFileSync(join(dir, name)))
}

/** Every plain file below a directory of the project. */
function tree(dir: string, prefix: string, files: Map<string, Uint8Array>): void {
  if (!existsSync(dir)) return
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath, entry.name)
    const path = `${prefix}/${relative(dir, file)}`
    if (entry.isFile() && badName(path) === undefined) files.set(path, readFileSync(file))
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
