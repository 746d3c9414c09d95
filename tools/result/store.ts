// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { writeAtomic } from '../lib/cache.ts'
import { UsageError, messageOf } from '../lib/errors.ts'
import { keyOf } from '../lib/hash.ts'
import { cacheRoot } from '../lib/paths.ts'
import { runOutputSchema, type RunOutput } from './record.ts'
import { keySchema, runResultSchema, type RunResult } from './result.ts'

/** A file of the store that could not be read: never fatal, always worth a word to the user. */
export interface Damaged {
  readonly file: string
  readonly why: string
}

export interface StoredRecord {
  readonly file: string
  /** File name without `.json`: the time and a short hash. Names sort by time. */
  readonly id: string
  readonly record: RunOutput
}

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

/** Tells a damaged file from what was asked for. */
export function isDamaged(value: object): value is Damaged {
  return 'why' in value && 'file' in value
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
 * Stores what a `./phyr run` found and returns the file. Two at the same moment get two names: the hash of the
 * record's content is part of it.
 *
 * @throws ZodError when the record does not hold to the schema; LabError when the disk is full.
 */
export function saveRecord(record: RunOutput, root: string = cacheRoot(), now: Date = new Date()): string {
  const checked = runOutputSchema.parse(record)
  const dir = join(root, 'records')
  mkdirSync(dir, { recursive: true })
  const file = join(dir, `${recordId(checked, now)}.json`)
  writeAtomic(file, `${JSON.stringify(checked, null, 2)}\n`)
  return file
}

/** All records, oldest first, and the files that could not be read. */
export function listRecords(root: string = cacheRoot()): {
  readonly records: readonly StoredRecord[]
  readonly damaged: readonly Damaged[]
} {
  const records: StoredRecord[] = []
  const damaged: Damaged[] = []
  for (const name of jsonFiles(join(root, 'records'))) {
    const read = loadRecordFile(join(root, 'records', name))
    if (read === undefined) continue
    if (isDamaged(read)) damaged.push(read)
    else records.push(read)
  }
  return { records, damaged }
}

/** The newest record that can be read; the damaged ones met on the way are handed to `onDamaged`. */
export function latestRecord(
  root: string = cacheRoot(),
  onDamaged: (damaged: Damaged) => void = () => {},
): StoredRecord | undefined {
  for (const name of jsonFiles(join(root, 'records')).toReversed()) {
    const read = loadRecordFile(join(root, 'records', name))
    if (read === undefined) continue
    if (!isDamaged(read)) return read
    onDamaged(read)
  }
  return undefined
}

/** A record from any file, for `phyr report FILE`; undefined when there is no such file. */
export function loadRecordFile(file: string): StoredRecord | Damaged | undefined {
  const read = readChecked(file, runOutputSchema)
  if (read === undefined || isDamaged(read)) return read
  return { file, id: (file.split('/').at(-1) ?? '').replace(/\.json$/, ''), record: read.value }
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

/** "2026-11-20T10-15-00.123Z-1a2b3c4d": colons would need quoting in a shell. */
function recordId(record: RunOutput, now: Date): string {
  return `${now.toISOString().replaceAll(':', '-')}-${keyOf(record).slice(0, 8)}`
}

/** Names of the store's files, sorted; what a killed writer left (`*.tmp`) is not among them. */
function jsonFiles(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((n) => n.endsWith('.json'))
      .toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function readChecked<T>(file: string, schema: z.ZodType<T>): { value: T } | Damaged | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return code === 'ENOENT' ? undefined : { file, why: messageOf(error) }
  }
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (error) {
    return { file, why: `not whole JSON: ${messageOf(error)}` }
  }
  const parsed = schema.safeParse(data)
  if (parsed.success) return { value: parsed.data }
  const first = parsed.error.issues[0]
  return { file, why: first ? `${first.path.join('.') || 'the whole'}: ${first.message}` : 'not valid' }
}
