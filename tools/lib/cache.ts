// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { diskFull } from './disk-full.ts'
import { LabError } from './errors.ts'
import { canonical, keyOf } from './hash.ts'
import { withLock } from './lock.ts'
import { cacheRoot } from './paths.ts'

/** One whole artefact in the cache. */
export interface Artefact<M> {
  readonly key: string
  readonly dir: string
  readonly manifest: M
  /** True when it was there already and nothing was done. */
  readonly cached: boolean
}

interface Stored<M> {
  readonly stage: string
  readonly key: string
  readonly inputs: unknown
  readonly made: string
  readonly manifest: M
}

/**
 * Returns the artefact of `stage` for `inputs`, making it when it is not there.
 *
 * `make` fills a fresh directory and returns what the manifest should say; the directory gets its final name
 * only when whole, so an interrupted or failed make leaves nothing that could be taken for an artefact. Two
 * processes that want the same key: one makes it, the other waits and finds it. `inputs` must name everything
 * that `make` depends on (content hashes, tool versions, the stage's own version).
 *
 * Whatever `make` throws comes through, and nothing is cached: neither lab errors nor findings are artefacts.
 */
export async function artefact<M>(
  stage: string,
  inputs: Readonly<Record<string, unknown>>,
  make: (dir: string) => Promise<M>,
  root: string = cacheRoot(),
): Promise<Artefact<M>> {
  const key = keyOf({ stage, inputs })
  const dir = join(root, stage, key)
  const present = read<M>(dir, key)
  if (present) return { key, dir, manifest: present, cached: true }
  return withLock(join(root, 'locks', `${stage}-${key}`), async () => {
    const meanwhile = read<M>(dir, key)
    if (meanwhile) return { key, dir, manifest: meanwhile, cached: true }
    const tmp = join(root, stage, `.tmp-${key}`)
    try {
      // Left by a killed predecessor: under the lock nobody else uses it.
      rmSync(tmp, { recursive: true, force: true })
      mkdirSync(tmp, { recursive: true })
      const manifest = await make(tmp)
      const stored: Stored<M> = {
        stage,
        key,
        inputs: JSON.parse(canonical(inputs)),
        made: new Date().toISOString(),
        manifest,
      }
      writeFileSync(join(tmp, 'manifest.json'), `${JSON.stringify(stored, null, 2)}\n`)
      rmSync(dir, { recursive: true, force: true })
      renameSync(tmp, dir)
      return { key, dir, manifest, cached: false }
    } catch (error) {
      rmSync(tmp, { recursive: true, force: true })
      throw diskError(error) ?? error
    }
  })
}

/** The artefact of `stage` for `inputs` when it is there; never makes it. */
export function cachedArtefact<M>(
  stage: string,
  inputs: Readonly<Record<string, unknown>>,
  root: string = cacheRoot(),
): Artefact<M> | undefined {
  const key = keyOf({ stage, inputs })
  const dir = join(root, stage, key)
  const manifest = read<M>(dir, key)
  return manifest && { key, dir, manifest, cached: true }
}

/** Writes a small file so that a reader sees the old or the new text, never half of one. */
export function writeAtomic(path: string, text: string | Uint8Array): void {
  const tmp = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(tmp, text)
    renameSync(tmp, path)
  } catch (error) {
    rmSync(tmp, { force: true })
    throw diskError(error) ?? error
  }
}

/** A full disk as the lab error it is; undefined for any other error. */
export function diskError(error: unknown): LabError | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull('phyr', [], error)
  if (code !== 'EROFS') return undefined
  return new LabError({
    what: 'cannot write to the cache',
    why: 'the file system is read-only',
    fix: `point PHYR_CACHE at another disk (now ${cacheRoot()})`,
    cause: error,
  })
}

function read<M>(dir: string, key: string): M | undefined {
  const file = join(dir, 'manifest.json')
  if (!existsSync(file)) return undefined
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Stored<M>
    if (stored.key !== key) return undefined
    markUsed(file)
    return stored.manifest
  } catch {
    return undefined // damaged: made again
  }
}

/** The manifest's time is when the artefact was last used: gc removes what was not used for longest. */
function markUsed(file: string): void {
  try {
    const now = new Date()
    utimesSync(file, now, now)
  } catch {
    // A read-only cache can be used all the same.
  }
}
