// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import type { CheckRecord } from '../check/check-record.ts'
import { cacheRoot } from '../lib/paths.ts'
import type { BenchCase, BenchOutput } from '../result/bench-record.ts'
import { listBench } from '../result/bench-store.ts'
import { listStored } from '../result/json-files.ts'
import { proofSchema, type Proof } from '../result/proof-record.ts'
import { latestProof, weakness } from '../result/proof-store.ts'
import type { RunLine, RunOutput } from '../result/record.ts'
import { listRecords } from '../result/store.ts'
import type { Applied } from '../series/series.ts'

/** A run of the whole series, as far as a cover letter tells of it. */
export interface EvidenceRun extends Pick<
  RunLine,
  'machine' | 'suite' | 'outcome' | 'passed' | 'failed' | 'skipped' | 'reasons' | 'variables'
> {
  readonly config: string
}

/** What is known of a series, from the records in the cache. */
export interface Evidence {
  /** The proof of these very patches on this base, put together from its parts. */
  readonly proof: Proof | undefined
  /** Why the proof does not carry the series; empty when it does. */
  readonly gaps: readonly string[]
  /** The newest run of each suite on each machine and config, of this very tree. */
  readonly runs: readonly EvidenceRun[]
  /** Name of the series that ran and was measured, where only a group of it is mailed. */
  readonly whole?: string
  /** What phyr check says of these patches now; undefined when it was not asked. */
  readonly check?: CheckRecord | undefined
  /** The newest figures of each case, and the record they are of; undefined when none was measured. */
  readonly bench: { readonly record: BenchOutput; readonly cases: readonly BenchCase[] } | undefined
}

/**
 * Looks in the cache for what was found out about a series at this state, on this base. Nothing older counts.
 *
 * @param whole the series that `applied` is a group of. The group is proved by itself, since its patches stand on other
 *   trees; what ran and was measured is the whole.
 */
export function gatherEvidence(
  applied: Applied,
  root: string = cacheRoot(),
  whole: Applied = applied,
): Evidence {
  const { series, base } = applied
  const known = latestProof(series.hash, root)
  const proof = known?.base.tree === base.identity.tree ? known : undefined
  return {
    proof,
    gaps: proof === undefined ? [whyNoProof(applied, known, root)] : weakness(proof),
    runs: runsOf(whole, root),
    bench: benchOf(whole, root),
    ...(whole === applied ? {} : { whole: whole.series.name }),
  }
}

function whyNoProof({ series, base }: Applied, known: Proof | undefined, root: string): string {
  if (known !== undefined) {
    return `the proof is of another base (Linux ${known.base.version}, tree ${short(known.base.tree)}); this is tree ${short(base.identity.tree)}`
  }
  const command = series.group === undefined ? 'phyr prove' : `phyr prove --group ${series.group}`
  const other = listStored(join(root, 'proofs'), proofSchema).records.findLast(
    ({ record }) => record.series.changeId === series.changeId,
  )
  if (other === undefined) return `there is no proof of the patches one by one: run ${command}`
  const { time, series: was } = other.record
  return `the proof is stale: it is of other patches (${time.slice(0, 10)}, ${was.hash}); run ${command}`
}

function short(hash: string | undefined): string {
  return hash?.slice(0, 12) ?? 'unknown'
}

/** By tree, not by patches: what was run is the code, and a changelog that was corrected since does not matter to it. */
function runsOf(applied: Applied, root: string): EvidenceRun[] {
  const newest = new Map<string, EvidenceRun>()
  for (const { record } of listRecords(root).records) {
    if (record.series.tree !== applied.tree || record.base.tree !== applied.base.identity.tree) continue
    for (const run of record.runs) {
      const config = configOf(record)
      newest.set([config, run.machine, run.suite].join(' '), { ...run, config })
    }
  }
  return [...newest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, run]) => run)
}

function configOf({ kernel }: RunOutput): string {
  return kernel?.config ?? kernel?.arch ?? 'unknown'
}

/** Records of the whole series against its base that may be read side by side: the newest, and those that are like it. */
function benchOf(applied: Applied, root: string): Evidence['bench'] {
  const own = listBench(root)
    .records.map(({ record }) => record)
    .filter(
      ({ seriesOf, linux, points, mode }) =>
        seriesOf.hash === applied.series.hash &&
        linux.tree === applied.base.identity.tree &&
        points.base.patches === 0 &&
        points.series.patches === applied.series.patches.length &&
        mode !== 'wall-clock',
    )
  const record = own.at(-1)
  if (record === undefined) return undefined
  const alike = own.filter(
    (one) => one.qemu === record.qemu && one.compiler === record.compiler && one.config === record.config,
  )
  const cases = new Map<string, BenchCase>()
  for (const one of alike.flatMap(({ cases: some }) => some)) cases.set(one.name, one)
  const sorted = [...cases].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
  return { record, cases: sorted }
}
