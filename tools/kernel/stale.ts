// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

const WILDCARD = '$(wildcard include/config/'

/**
 * Which objects of an O= directory make will compile again: those with a dependency that is newer, gone, or a
 * config option that changed. Read from the .cmd files that kbuild writes beside every object
 * (scripts/basic/fixdep.c describes them). Command lines that changed are not seen.
 *
 * @param changed options whose value is another than at the last build, without CONFIG_.
 * @returns the objects there are, and how many of them are stale.
 */
export function staleObjects(
  object: string,
  changed: ReadonlySet<string>,
): { readonly present: ReadonlySet<string>; readonly stale: number } {
  const present = new Set<string>()
  const times = new Map<string, number>()
  const timeOf = (path: string): number => {
    let time = times.get(path)
    if (time === undefined) {
      time = mtime(resolve(object, path))
      times.set(path, time)
    }
    return time
  }
  const isNewer = (dependency: string, made: number): boolean => {
    if (dependency.startsWith(WILDCARD)) return changed.has(dependency.slice(WILDCARD.length, -1))
    return timeOf(dependency) > made
  }
  let stale = 0
  for (const cmd of cmdFiles(object, '')) {
    const name = cmd.replace(/(^|\/)\.([^/]+)\.cmd$/, '$1$2')
    const made = mtime(join(object, name))
    if (made === Infinity) continue
    present.add(name)
    const text = readFileSync(join(object, cmd), 'utf8')
    if (dependencies(text).some((dependency) => isNewer(dependency, made))) stale++
  }
  return { present, stale }
}

/** Options that differ between two configurations. */
export function changedOptions(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const all = new Set([...before.keys(), ...after.keys()])
  return new Set([...all].filter((option) => before.get(option) !== after.get(option)))
}

/** The lines of the `deps_x := \\` list: paths, and `$(wildcard include/config/X)` for options. */
function dependencies(cmd: string): readonly string[] {
  const from = cmd.indexOf('\ndeps_')
  if (from === -1) return []
  const lines = cmd.slice(cmd.indexOf('\n', from + 1) + 1).split(' \\\n')
  lines.pop() // what follows the list
  return lines.map((line) => line.trimStart())
}

/** Infinity for a file that is not there: kbuild takes a missing dependency as newer. */
function mtime(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity
}

function cmdFiles(root: string, dir: string): string[] {
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    const path = dir === '' ? entry.name : `${dir}/${entry.name}`
    // Host programs (scripts, tools) and generated headers hold no objects of the kernel.
    if (entry.isDirectory())
      return /^(?:scripts|tools|include|source|usr\/include)$/.test(path) ? [] : cmdFiles(root, path)
    return entry.name.endsWith('.o.cmd') ? [path] : []
  })
}
