// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import { UsageError } from '../lib/errors.ts'
import { cacheRoot } from '../lib/paths.ts'
import { benchOutputSchema, type BenchOutput } from './bench-record.ts'
import {
  isDamaged,
  jsonFiles,
  latestStored,
  listStored,
  loadStored,
  saveStored,
  type Damaged,
  type Stored,
} from './json-files.ts'

/**
 * Stores what a `./phyr bench` measured and returns the file.
 *
 * @throws ZodError when the record does not hold to the schema; LabError when the disk is full.
 */
export function saveBench(output: BenchOutput, root: string = cacheRoot(), now: Date = new Date()): string {
  return saveStored(benchOutputSchema.parse(output), benchDir(root), now)
}

/** All bench records, oldest first, and the files that could not be read. */
export function listBench(root: string = cacheRoot()): {
  readonly records: readonly Stored<BenchOutput>[]
  readonly damaged: readonly Damaged[]
} {
  return listStored(benchDir(root), benchOutputSchema)
}

/** The newest bench record that can be read; the damaged ones met on the way are handed to `onDamaged`. */
export function latestBench(
  root: string = cacheRoot(),
  onDamaged: (damaged: Damaged) => void = () => {},
): Stored<BenchOutput> | undefined {
  return latestStored(benchDir(root), benchOutputSchema, onDamaged)
}

/** A bench record from any file; undefined when there is no such file. */
export function loadBenchFile(file: string): Stored<BenchOutput> | Damaged | undefined {
  return loadStored(file, benchOutputSchema)
}

/**
 * A bench record by its file, or by its name in the cache or the beginning of it.
 *
 * @throws UsageError when there is none, when several begin so, or when the file is damaged.
 */
export function findBench(fileOrId: string, root: string = cacheRoot()): Stored<BenchOutput> {
  const dir = benchDir(root)
  const named = fileOrId === '' ? [] : jsonFiles(dir).filter((n) => n.startsWith(fileOrId))
  const read =
    loadBenchFile(fileOrId) ?? (named.length === 1 ? loadBenchFile(join(dir, named[0]!)) : undefined)
  if (read === undefined) {
    throw new UsageError(
      named.length > 1
        ? `${named.length} bench records begin with '${fileOrId}'`
        : `there is no bench record '${fileOrId}'`,
      'give the file of a record, or its name in the cache',
    )
  }
  if (isDamaged(read)) throw new UsageError(`${read.file} is no bench record: ${read.why}`)
  return read
}

function benchDir(root: string): string {
  return join(root, 'bench')
}
