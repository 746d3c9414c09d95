// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeAtomic } from '../lib/cache.ts'
import { findWarnings } from './failure.ts'

/** What compilers and linkers warn of, by what they were making: "block/bio.o", "vmlinux.o". Nothing: not there. */
export type Warnings = Readonly<Record<string, readonly string[]>>

/** In an O= directory: the warnings of everything in it, whenever it was made. Beside a kernel: of all of it. */
const FILE = 'phyr-warnings.json'

/**
 * Brings an O= directory's warnings up to date with what make has just printed: what was made again has those that
 * were printed with it, and no others. To be called after a failed make as well, or those of what it did make are lost.
 *
 * @param output make's stdout and stderr in one, by target (--output-sync=target).
 * @returns all that the directory's objects bring.
 */
export function updateWarnings(object: string, output: string, source: string): Warnings {
  const known = new Map(Object.entries(read(join(object, FILE)) ?? {}))
  for (const [target, lines] of byTarget(output)) {
    const warnings = findWarnings(lines, source)
    if (warnings.length > 0) known.set(target, warnings)
    else known.delete(target)
  }
  for (const target of known.keys()) if (!existsSync(join(object, target))) known.delete(target)
  const sorted = Object.fromEntries([...known].sort(([a], [b]) => (a < b ? -1 : 1)))
  writeAtomic(join(object, FILE), `${JSON.stringify(sorted, null, 1)}\n`)
  return sorted
}

/** Puts a kernel's warnings beside it. */
export function writeWarnings(dir: string, warnings: Warnings): void {
  writeAtomic(join(dir, FILE), `${JSON.stringify(warnings)}\n`)
}

/** The warnings of a kernel; undefined when they were not kept with it. */
export function readWarnings(kernel: { readonly dir: string }): Warnings | undefined {
  return read(join(kernel.dir, FILE))
}

/**
 * Warnings that are in one set and not in the other. A warning that only moved to another line or object is neither:
 * each message of a file counts once, however many objects include that file.
 */
export function compareWarnings(
  before: Warnings,
  after: Warnings,
): { readonly added: readonly string[]; readonly removed: readonly string[] } {
  const [old, now] = [before, after].map((warnings) => countOf(Object.values(warnings).flat())) as [
    ReadonlyMap<string, readonly string[]>,
    ReadonlyMap<string, readonly string[]>,
  ]
  return { added: beyond(now, old), removed: beyond(old, now) }
}

/** Without line and column, which change when something else in the file does. */
function withoutPlace(warning: string): string {
  return warning.replace(/^([^\s:]+):\d+(?::\d+)?:/, '$1:')
}

/** Distinct warnings, with their places, by what they say. */
function countOf(warnings: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const byText = new Map<string, string[]>()
  for (const warning of new Set(warnings)) {
    const text = withoutPlace(warning)
    byText.set(text, [...(byText.get(text) ?? []), warning])
  }
  return byText
}

/** Those of `more` that `than` has not, or has fewer of: the last ones then, for nothing tells which is new. */
function beyond(
  more: ReadonlyMap<string, readonly string[]>,
  than: ReadonlyMap<string, readonly string[]>,
): string[] {
  return [...more].flatMap(([text, places]) => places.slice(than.get(text)?.length ?? 0)).sort()
}

/** make's output, cut at the lines that say what is made next: "  CC      block/bio.o", "  LD [M]  x.ko". */
function byTarget(output: string): ReadonlyMap<string, string> {
  const groups = new Map<string, string>()
  let target: string | undefined
  for (const line of output.split('\n')) {
    const made = /^ {2}[A-Z][A-Z0-9_]*(?: \[[A-Z]\])? +(\S+)$/.exec(line)
    if (made) {
      target = made[1]!
      groups.set(target, groups.get(target) ?? '')
    } else if (target !== undefined) {
      groups.set(target, `${groups.get(target)}${line}\n`)
    }
  }
  return groups
}

function read(file: string): Warnings | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Warnings
  } catch {
    return undefined // none yet, or damaged: what is made again is known again
  }
}
