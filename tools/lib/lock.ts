// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readFileSync, rmSync, linkSync, writeFileSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LabError } from './errors.ts'
import { log } from './log.ts'

/**
 * Runs `work` while holding the lock file `path`; other processes wait their turn. A lock whose owner is dead
 * (kill -9, reboot) is taken over: the file names its owner by pid and start time, so a reused pid is not
 * mistaken for it.
 *
 * @param timeoutMs how long to wait for another live owner; default 2 hours, as long as a cold build may take.
 * @throws LabError when the wait is over, naming the owner.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, timeoutMs = 7_200_000): Promise<T> {
  mkdirSync(dirname(path), { recursive: true })
  const me = ownerLine(process.pid)
  const deadline = Date.now() + timeoutMs
  let told = false
  while (!tryTake(path, me)) {
    const owner = readOwner(path)
    if (owner !== undefined && !isAlive(owner)) {
      breakStale(path, owner)
      continue
    }
    if (Date.now() > deadline) {
      throw new LabError({
        what: `cannot lock ${path}`,
        why: `process ${owner ?? 'unknown'} has held it for longer than ${Math.round(timeoutMs / 1000)} s`,
        fix: 'wait for that process, or end it',
      })
    }
    if (!told)
      log.info(
        `waiting for another phyr (process ${owner?.split(' ')[0] ?? '?'}) that is making the same thing`,
      )
    told = true
    await sleep(200)
  }
  try {
    return await work()
  } finally {
    if (readOwner(path) === me) rmSync(path, { force: true })
  }
}

/** Creates the lock by linking a complete file into place: it never exists without its owner's name in it. */
function tryTake(path: string, me: string): boolean {
  const own = `${path}.${process.pid}.${++serial}`
  writeFileSync(own, me)
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(own, { force: true })
  }
}

/**
 * Moves a dead owner's lock aside. Two waiters may both see it dead; rename() lets one of them win, and the
 * winner checks that it moved the dead one and not a lock taken since.
 */
function breakStale(path: string, owner: string): void {
  const aside = `${path}.stale.${process.pid}.${++serial}`
  try {
    renameSync(path, aside)
  } catch {
    return // another waiter was first
  }
  if (readOwner(aside) !== owner) {
    try {
      linkSync(aside, path) // it was a live one: put it back
    } catch {
      // taken meanwhile: its owner's release checks the name before removing
    }
  }
  rmSync(aside, { force: true })
}

let serial = 0

function readOwner(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function isAlive(owner: string): boolean {
  const pid = Number(owner.split(' ')[0])
  return Number.isInteger(pid) && ownerLine(pid) === owner
}

/** "pid starttime bootid": field 22 of /proc/PID/stat, see proc(5); the command name in it may hold blanks. */
function ownerLine(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return `${pid} ${start} ${bootId()}`
  } catch {
    return `${pid} gone`
  }
}

/** Identifies this boot of the machine, see random(4). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}
