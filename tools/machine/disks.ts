// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, ftruncateSync, openSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { diskError } from '../lib/cache.ts'
import { LabError } from '../lib/errors.ts'
import type { Machine } from './machine.ts'

const MiB = 1 << 20

export interface DiskImages {
  /** Path of the image, by the disk's serial. */
  readonly files: Readonly<Record<string, string>>
  /** Deletes the images; may be called twice. */
  readonly remove: () => void
}

/**
 * Makes the images of a machine's file-backed disks in `dir`: sparse, all zeroes.
 *
 * @throws LabError when `dir` has no room for them when full: a guest that writes to a full host disk gets I/O errors
 *   that look like the kernel's.
 */
export function makeDiskImages(machine: Machine, dir: string): DiskImages {
  const disks = machine.disks.filter((disk) => disk.backend === 'file')
  const files = Object.fromEntries(disks.map((disk) => [disk.serial, join(dir, `${disk.serial}.img`)]))
  const remove = (): void => {
    for (const file of Object.values(files)) rmSync(file, { force: true })
  }
  try {
    const needed = disks.reduce((sum, disk) => sum + disk.size, 0)
    const { bavail, bsize } = statfsSync(dir)
    if (bavail * bsize < needed) {
      throw new LabError({
        what: `no room for the disks of machine ${machine.name} in ${dir}`,
        why: `they may take ${Math.ceil(needed / MiB)} MiB and ${Math.floor((bavail * bsize) / MiB)} MiB are free`,
        fix: 'make room (./phyr gc), or point PHYR_CACHE at another disk',
      })
    }
    for (const disk of disks) {
      const fd = openSync(files[disk.serial]!, 'w')
      try {
        ftruncateSync(fd, disk.size)
      } finally {
        closeSync(fd)
      }
    }
    return { files, remove }
  } catch (error) {
    remove()
    throw diskError(error) ?? error
  }
}
