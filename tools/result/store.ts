// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeAtomic } from '../lib/cache.ts'
import { UsageError } from '../lib/errors.ts'
import { cacheRoot } from '../lib/paths.ts'
import {
  isDamaged,
  jsonFiles,
  latestStored,
  listStored,
  readChecked,
  saveStored,
  type Damaged,
  type Stored,
} from './json-files.ts'
import { runOutputSchema, type RunOutput } from './record.ts'
import { keySchema, runResultSchema, type RunResult } from './result.ts'

/**
 * Stores the result of one boot under its key and returns the file. A result that contradicts itself (a pass
 * with failures, a pass after a hang) is a bug of the caller and does not get into the cache.
 *
 * @throws ZodError when the result does not hold to the schema; LabError when the disk is full.
 */
export function saveResult(result: RunResult, root: string = cacheRoot()): string {
  const checked = runResultSchema.parse(result)
  const dir = join(root, 'results')
  mkdirSync(dir, { recursive: true })
  const file = join(dir, `${checked.key}.json`)
  writeAtomic(file, `${JSON.stringify(checked, null, 2)}\n`)
  return file
}

/**
 * The stored result of `key`: undefined when there is none, `{file, why}` when its file is damaged or of another
 * version (the caller runs again and overwrites it).
 *
 * @throws UsageError when `key` is not a key (it may come from the command line; it names a file).
 */
export function loadResult(key: string, root: string = cacheRoot()): RunResult | Damaged | undefined {
  if (!keySchema.safeParse(key).success) throw new UsageError(`'${key}' is not the key of a result`)
  const file = join(root, 'results', `${key}.json`)
  const read = readChecked(file, runResultSchema)
  if (read === undefined || isDamaged(read)) return read
  if (read.value.key !== key) return { file, why: `it holds the result of ${read.value.key}` }
  return read.value
}

/** All stored results, by key, and the files that could not be read. */
export function listResults(root: string = cacheRoot()): {
  readonly results: readonly RunResult[]
  readonly damaged: readonly Damaged[]
} {
  const results: RunResult[] = []
  const damaged: Damaged[] = []
  for (const name of jsonFiles(join(root, 'results'))) {
    const key = name.slice(0, -'.json'.length)
    const read = keySchema.safeParse(key).success
      ? loadResult(key, root)
      : { file: join(root, 'results', name), why: 'its name is not a key' }
    if (read === undefined) continue
    if (isDamaged(read)) damaged.push(read)
    else results.push(read)
  }
  return { results, damaged }
}

/**
 * Stores what a `./phyr run` found and returns the file.
 *
 * @throws ZodError when the record does not hold to the schema; LabError when the disk is full.
 */
export function saveRecord(record: RunOutput, root: string = cacheRoot(), now: Date = new Date()): string {
  return saveStored(runOutputSchema.parse(record), join(root, 'records'), now)
}

/** All records, oldest first, and the files that could not be read. */
export function listRecords(root: string = cacheRoot()): {
  readonly records: readonly Stored<RunOutput>[]
  readonly damaged: readonly Damaged[]
} {
  return listStored(join(root, 'records'), runOutputSchema)
}

/** The newest record that can be read; the damaged ones met on the way are handed to `onDamaged`. */
export function latestRecord(
  root: string = cacheRoot(),
  onDamaged: (damaged: Damaged) => void = () => {},
): Stored<RunOutput> | undefined {
  return latestStored(join(root, 'records'), runOutputSchema, onDamaged)
}

/** The stored results of a record's runs, by key; those gone (gc) or damaged are left out and reported. */
export function resultsOf(
  record: RunOutput,
  root: string = cacheRoot(),
  onDamaged: (damaged: Damaged) => void = () => {},
): ReadonlyMap<string, RunResult> {
  const found = new Map<string, RunResult>()
  for (const { key } of record.runs) {
    if (key === undefined) continue
    const read = loadResult(key, root)
    if (read === undefined) continue
    if (isDamaged(read)) onDamaged(read)
    else found.set(key, read)
  }
  return found
}
