// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { z } from 'zod'
import { writeAtomic } from '../lib/cache.ts'
import { messageOf } from '../lib/errors.ts'
import { keyOf } from '../lib/hash.ts'

/** A file of the store that could not be read: never fatal, always worth a word to the user. */
export interface Damaged {
  readonly file: string
  readonly why: string
}

/** A record and the file that it is in. */
export interface Stored<T> {
  readonly file: string
  /** File name without `.json`: the time and a short hash. Names sort by time. */
  readonly id: string
  readonly record: T
}

/** Tells a damaged file from what was asked for. */
export function isDamaged(value: object): value is Damaged {
  return 'why' in value && 'file' in value
}

/**
 * Writes a record into `dir` under a name of its own and returns the file. Two at the same moment get two names:
 * the hash of the record's content is part of it.
 *
 * @throws LabError when the disk is full.
 */
export function saveStored(record: object, dir: string, now: Date): string {
  mkdirSync(dir, { recursive: true })
  const file = join(dir, `${recordId(record, now)}.json`)
  writeAtomic(file, `${JSON.stringify(record, null, 2)}\n`)
  return file
}

/** All records of `dir`, oldest first, and the files that could not be read. */
export function listStored<T>(
  dir: string,
  schema: z.ZodType<T>,
): { readonly records: readonly Stored<T>[]; readonly damaged: readonly Damaged[] } {
  const records: Stored<T>[] = []
  const damaged: Damaged[] = []
  for (const name of jsonFiles(dir)) {
    const read = loadStored(join(dir, name), schema)
    if (read === undefined) continue
    if (isDamaged(read)) damaged.push(read)
    else records.push(read)
  }
  return { records, damaged }
}

/** The newest record of `dir` that can be read; the damaged ones met on the way are handed to `onDamaged`. */
export function latestStored<T>(
  dir: string,
  schema: z.ZodType<T>,
  onDamaged: (damaged: Damaged) => void,
): Stored<T> | undefined {
  for (const name of jsonFiles(dir).toReversed()) {
    const read = loadStored(join(dir, name), schema)
    if (read === undefined) continue
    if (!isDamaged(read)) return read
    onDamaged(read)
  }
  return undefined
}

/** A record from any file; undefined when there is no such file. */
export function loadStored<T>(file: string, schema: z.ZodType<T>): Stored<T> | Damaged | undefined {
  const read = readChecked(file, schema)
  if (read === undefined || isDamaged(read)) return read
  return { file, id: basename(file, '.json'), record: read.value }
}

/** Names of the `.json` files, sorted; what a killed writer left (`*.tmp`) is not among them. */
export function jsonFiles(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((n) => n.endsWith('.json'))
      .toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The checked content of a file; undefined when there is none. */
export function readChecked<T>(file: string, schema: z.ZodType<T>): { value: T } | Damaged | undefined {
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

/** "2026-11-20T10-15-00.123Z-1a2b3c4d": colons would need quoting in a shell. */
function recordId(record: object, now: Date): string {
  return `${now.toISOString().replaceAll(':', '-')}-${keyOf(record).slice(0, 8)}`
}
