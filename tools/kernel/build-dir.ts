// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { log } from '../lib/log.ts'
import { parseDotConfig } from './fragments.ts'

/** What an O= directory was made from. kbuild sees changed sources, headers and options by itself, but not these. */
export interface Origin {
  readonly source: string
  readonly toolchain: Readonly<Record<string, string>>
}

/** Present while a build runs. Found at the start of the next one, it says that make was killed. */
const MARKER = '.phyr-building'
/** In every O= directory; gc reads its time as the time of last use. */
const STATE = 'manifest.json'

/**
 * Makes an O= directory fit for an incremental build. One from another source path or another toolchain is
 * emptied; one whose build was killed loses everything written since that build began.
 */
export function prepareBuildDir(object: string, origin: Origin): void {
  mkdirSync(object, { recursive: true })
  const reason = rebuildReason(readOrigin(object), origin)
  if (reason !== undefined && readdirSync(object).length > 0) {
    log.info(`kernel  everything is compiled again: ${reason}`)
    for (const entry of readdirSync(object)) rmSync(join(object, entry), { recursive: true, force: true })
  }
  const killed = recoverKilled(object)
  if (killed > 0)
    log.info(
      `kernel  an earlier build was stopped: ${killed} files it may have left half written are removed`,
    )
  writeFileSync(join(object, STATE), `${JSON.stringify(origin, null, 2)}\n`)
}

/** Says that make is at work in `object` until the returned function is called. */
export function markBuilding(object: string): () => void {
  const marker = join(object, MARKER)
  writeFileSync(marker, `${process.pid}\n`)
  return () => rmSync(marker, { force: true })
}

/** The options of the last build in this directory; undefined when there was none. */
export function lastConfig(object: string): ReadonlyMap<string, string> | undefined {
  const file = join(object, 'include', 'config', 'auto.conf')
  return existsSync(file) ? parseDotConfig(readFileSync(file, 'utf8')) : undefined
}

/**
 * Removes every file that was written while a build ran that was then killed. A compiler that is killed leaves
 * half an object with a new time, and when an older .cmd file beside it names the same command, kbuild takes it
 * for up to date.
 *
 * @returns the number of files removed.
 */
export function recoverKilled(object: string): number {
  const marker = statSync(join(object, MARKER), { throwIfNoEntry: false })
  if (!marker) return 0
  // A file's time is the kernel's last tick, up to 10 ms before the clock.
  const since = marker.mtimeMs - 10
  let removed = 0
  const visit = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name)
      if (entry.isDirectory()) visit(path)
      else if (entry.isFile() && entry.name !== MARKER && statSync(path).mtimeMs >= since) {
        rmSync(path)
        removed++
      }
    }
  }
  visit(object)
  rmSync(join(object, MARKER))
  return removed
}

/** Why an O= directory cannot be gone on with; undefined when it can. */
export function rebuildReason(before: Origin | undefined, now: Origin): string | undefined {
  if (!before) return 'the build directory does not say what it was made from'
  if (before.source !== now.source) return `the source tree moved from ${before.source} to ${now.source}`
  for (const [program, version] of Object.entries(now.toolchain)) {
    const was = before.toolchain[program]
    if (was !== version) return `the ${program} changed from "${was ?? 'nothing'}" to "${version}"`
  }
  return undefined
}

function readOrigin(object: string): Origin | undefined {
  try {
    const origin = JSON.parse(readFileSync(join(object, STATE), 'utf8')) as Origin
    return typeof origin.source === 'string' && typeof origin.toolchain === 'object' ? origin : undefined
  } catch {
    return undefined // none yet, or damaged: built from scratch
  }
}
