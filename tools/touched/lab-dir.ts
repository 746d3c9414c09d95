// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { cacheRoot } from '../lib/paths.ts'
import type { Applied } from '../series/series.ts'

/** The O= directory that the lab's kernels are built in. It is only read. */
export interface LabDir {
  readonly object: string
  /** The tree that its commands name. */
  readonly source: string
  /** Text of its .config. */
  readonly config: string
}

/**
 * The O= directory of the lab config for this base: the one given, else the one that was used last. Undefined when no
 * kernel was built yet.
 */
export function findLabDir(applied: Applied, object?: string): LabDir | undefined {
  const root = join(cacheRoot(), 'build')
  const prefix = `${applied.base.identity.tree.slice(0, 12)}-lab-`
  const names = object === undefined && existsSync(root) ? readdirSync(root) : []
  const dirs =
    object === undefined ? names.filter((n) => n.startsWith(prefix)).map((n) => join(root, n)) : [object]
  const newest = dirs.toSorted((a, b) => timeOf(b) - timeOf(a))[0]
  if (newest === undefined) return undefined
  try {
    const { source } = JSON.parse(readFileSync(join(newest, 'manifest.json'), 'utf8')) as { source: string }
    return { object: newest, source, config: readFileSync(join(newest, '.config'), 'utf8') }
  } catch {
    return undefined // configured by nobody yet
  }
}

function timeOf(dir: string): number {
  return statSync(join(dir, 'manifest.json'), { throwIfNoEntry: false })?.mtimeMs ?? 0
}
