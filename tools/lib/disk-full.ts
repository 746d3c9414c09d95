// SPDX-License-Identifier: GPL-2.0-only
import { LabError } from './errors.ts'
import { cacheRoot } from './paths.ts'

/** Whether a program's last words are strerror(ENOSPC) or strerror(EDQUOT), or git's own wording of them. */
export function saysDiskFull(text: string): boolean {
  return /No space left on device|Disk quota exceeded|Out of diskspace/.test(text)
}

/** The lab error of a full disk. */
export function diskFull(who: string, detail: readonly string[] = [], cause?: unknown): LabError {
  return new LabError({
    what: `${who} cannot write`,
    why: 'the disk is full',
    fix: `make room (./phyr gc), or point PHYR_CACHE at another disk (now ${cacheRoot()})`,
    detail,
    cause,
  })
}
