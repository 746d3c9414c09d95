// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'
import { benchOutputSchema, type BenchOutput } from './bench-record.ts'
import { isDamaged, loadStored, readChecked, type Damaged, type Stored } from './json-files.ts'
import { runOutputSchema, type RunOutput } from './record.ts'

/** What a record file can hold. */
export type AnyRecord =
  | { readonly kind: 'run'; readonly stored: Stored<RunOutput> }
  | { readonly kind: 'bench'; readonly stored: Stored<BenchOutput> }

/**
 * The record in a file, of a run or of a bench; undefined when there is no such file. Which it is meant to be is
 * told first, by a key that only one of them has, so that a damaged one is measured against its own schema.
 */
export function loadAnyRecord(file: string): AnyRecord | Damaged | undefined {
  const read = readChecked(file, z.looseObject({ points: z.unknown().optional() }))
  if (read === undefined || isDamaged(read)) return read
  if (read.value.points === undefined) {
    const stored = loadStored(file, runOutputSchema)
    return stored === undefined || isDamaged(stored) ? stored : { kind: 'run', stored }
  }
  const stored = loadStored(file, benchOutputSchema)
  return stored === undefined || isDamaged(stored) ? stored : { kind: 'bench', stored }
}
