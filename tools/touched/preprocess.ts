// SPDX-License-Identifier: GPL-2.0-only
import { relative, resolve } from 'node:path'
import { run } from '../lib/exec.ts'
import { type CmdFile, optionsOf, sourceOf } from './cmd-file.ts'
import { linesSeen } from './code-lines.ts'

/** Where a saved command is run, and what it reads. */
export interface Place {
  /** The O= directory: its generated headers are read. */
  readonly object: string
  /** The tree that the command names. */
  readonly from: string
  /** The tree to read instead. */
  readonly to: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Which lines of these files come out of the preprocessor when an object is compiled the way it was the last time.
 * Nothing is written.
 *
 * @param files paths relative to the tree.
 * @returns undefined when the preprocessor fails.
 */
export async function preprocessedLines(
  cmd: CmdFile,
  place: Place,
  files: ReadonlySet<string>,
): Promise<ReadonlyMap<string, ReadonlySet<number>> | undefined> {
  const compiler = cmd.argv[0] ?? 'gcc'
  const args = [...optionsOf(cmd.argv, place), '-w', '-E', sourceOf(cmd.argv, place)]
  const result = await run(compiler, args, {
    cwd: place.object,
    maxBuffer: 512 << 20,
    ...(place.signal ? { signal: place.signal } : {}),
  })
  if (result.code !== 0) return undefined
  return linesSeen(result.stdout, (name) => {
    const path = relative(place.to, resolve(place.object, name))
    return files.has(path) ? path : undefined
  })
}
