// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gitOk } from '../base/repo.ts'
import { markBuilding, prepareBuildDir } from '../kernel/build-dir.ts'
import { findLabFault } from '../kernel/failure.ts'
import { parseDotConfig } from '../kernel/fragments.ts'
import { makeCommand, type MakeCommand } from '../kernel/make-args.ts'
import type { Toolchain } from '../kernel/toolchain.ts'
import { writeAtomic } from '../lib/cache.ts'
import { LabError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import { keyOf } from '../lib/hash.ts'
import { withLock } from '../lib/lock.ts'
import { cacheRoot } from '../lib/paths.ts'
import type { Tree } from '../series/series.ts'
import { diagnostics, type Diagnostic } from './diagnostics.ts'
import type { Target } from './target.ts'

/** An O= directory that is configured for a target and a tree. */
export interface ObjectDir {
  readonly make: MakeCommand
  readonly config: ReadonlyMap<string, string>
}

export interface ObjectDirOptions {
  /** Checked out and held by the caller (withTree). */
  readonly tree: Tree
  readonly target: Target
  readonly toolchain: Toolchain
  readonly jobs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Names the commit that .config was made for. */
const CONFIGURED = '.phyr-configured'

/**
 * Holds the O= directory of a target, in the cache, one for each base, work tree and target, while `use` runs. It is
 * configured when its Kconfig files are others than the last time; objects are kept.
 *
 * @throws LabError when make cannot configure the tree at all; `use`'s errors come through.
 */
export async function withObjectDir<T>(
  options: ObjectDirOptions,
  use: (dir: ObjectDir) => Promise<T>,
): Promise<T> {
  const { tree, target, toolchain } = options
  const name = objectDirName(tree, target)
  const object = join(cacheRoot(), 'build', name)
  return withLock(join(cacheRoot(), 'locks', `build-${name}`), async () => {
    mkdirSync(object, { recursive: true })
    prepareBuildDir(object, { source: tree.dir, toolchain: toolchain.identity })
    const make = makeCommand({
      source: tree.dir,
      object,
      arch: target.arch,
      toolchain,
      jobs: options.jobs,
    })
    const unmark = markBuilding(object)
    const config = await configured(options, make)
    const result = await use({ make, config })
    unmark()
    return result
  })
}

/** The name of a target's O= directory, in `build/` of the cache. */
export function objectDirName(tree: Tree, target: Pick<Target, 'arch' | 'config'>): string {
  const base = tree.applied.base.identity.tree.slice(0, 12)
  return `${base}-${target.config}-${target.arch}-${keyOf(tree.dir).slice(0, 6)}`
}

async function configured(
  options: ObjectDirOptions,
  make: MakeCommand,
): Promise<ReadonlyMap<string, string>> {
  const { tree, target } = options
  const stamp = join(make.object, CONFIGURED)
  const wanted = `${keyOf(target.seed)} ${await kconfigHash(tree)}\n`
  const file = join(make.object, '.config')
  const isCurrent = existsSync(file) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
  if (!isCurrent) {
    rmSync(stamp, { force: true })
    const seed = join(make.object, '.phyr-allconfig')
    writeFileSync(seed, `${target.seed.join('\n')}\n`)
    const result = await run('make', [...make.args, 'allmodconfig'], {
      cwd: make.object,
      env: { ...make.env, KCONFIG_ALLCONFIG: seed },
      ...(options.signal ? { signal: options.signal } : {}),
    })
    if (result.code !== 0 || !existsSync(file)) {
      throw new LabError({
        what: `make allmodconfig failed for ${target.arch}`,
        why: result.stderr.trim().split('\n').at(-1) ?? 'it said nothing',
        fix: 'run ./phyr doctor --install: flex, bison and a compiler are needed',
        detail: result.stderr.trim().split('\n').slice(-20),
      })
    }
    writeAtomic(stamp, wanted)
  }
  return parseDotConfig(readFileSync(file, 'utf8'))
}

/** Hash over the names and contents of a tree's Kconfig files. */
async function kconfigHash(tree: Tree): Promise<string> {
  const { base, commit } = tree.applied
  const listed = await gitOk(base.repo, ['ls-tree', '-r', commit])
  return keyOf(listed.split('\n').filter((line) => /\tKconfig|\/Kconfig|scripts\/Kconfig/.test(line)))
}

/** What became of objects that were asked for. */
export interface Compiled {
  /** Objects that are there now. */
  readonly made: ReadonlySet<string>
  readonly diagnostics: readonly Diagnostic[]
  readonly stderr: string
}

/**
 * Compiles objects with W=1, all in one call of make, each anew (a warning is only written when something is
 * compiled; ccache repeats it).
 *
 * @throws LabError when the disk or memory is full, or `signal` was aborted.
 */
export async function compileObjects(
  dir: ObjectDir,
  objects: readonly string[],
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Compiled> {
  const { make } = dir
  for (const object of objects) rmSync(join(make.object, object), { force: true })
  const result = await run('make', [...make.args, '--keep-going', 'W=1', ...objects], {
    cwd: make.object,
    env: make.env,
    ...(options.signal ? { signal: options.signal } : {}),
  })
  const fault = findLabFault(`${result.stderr}\n`)
  if (fault || result.signal !== undefined) {
    throw new LabError({
      what: 'make of touched objects stopped',
      why: fault?.why ?? `it was ended by ${result.signal}`,
      fix: fault?.fix ?? 'run it again',
      detail: result.stderr.trim().split('\n').slice(-10),
    })
  }
  return {
    made: new Set(objects.filter((object) => existsSync(join(make.object, object)))),
    diagnostics: diagnostics(result.stderr, make.source),
    stderr: result.stderr,
  }
}
