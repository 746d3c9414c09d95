// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { readSections, SHF, SHT } from '../lib/elf.ts'
import type { ElfSection } from '../lib/elf-file.ts'

/** Bytes of a linked kernel, as size(1) counts them. */
export interface SectionBytes {
  readonly text: number
  readonly data: number
  readonly bss: number
}

/** Sizes of the sections that are loaded: text is what is not writable, bss takes no room in the file. */
export function sectionBytes(vmlinux: string): SectionBytes {
  const loaded = readSections(vmlinux).filter(isLoaded)
  const sum = (keep: (s: ElfSection) => boolean): number =>
    loaded.filter(keep).reduce((total, s) => total + s.size, 0)
  return {
    text: sum((s) => !isBss(s) && !isWritable(s)),
    data: sum((s) => !isBss(s) && isWritable(s)),
    bss: sum(isBss),
  }
}

/**
 * SHA-256 over name, address, size and bytes of every section that is loaded from the file. Two kernels with the
 * same hash hold the same code and data, whatever their debug information and symbol tables say. The build id is
 * left out: the linker computes it over the debug information too.
 */
export function allocatedHash(vmlinux: string): string {
  const hash = createHash('sha256')
  const fd = openSync(vmlinux, 'r')
  try {
    const buffer = Buffer.alloc(1 << 20)
    for (const section of readSections(vmlinux)) {
      if (!isLoaded(section) || isBss(section) || section.name === '.notes') continue
      hash.update(`${section.name}\0${section.address}\0${section.size}\0`)
      for (let done = 0; done < section.size;) {
        const want = Math.min(buffer.length, section.size - done)
        const got = readSync(fd, buffer, 0, want, section.offset + done)
        if (got === 0) break
        hash.update(buffer.subarray(0, got))
        done += got
      }
    }
  } finally {
    closeSync(fd)
  }
  return hash.digest('hex')
}

function isLoaded(section: ElfSection): boolean {
  return (section.flags & SHF.alloc) !== 0
}

function isBss(section: ElfSection): boolean {
  return section.type === SHT.nobits
}

function isWritable(section: ElfSection): boolean {
  return (section.flags & SHF.write) !== 0
}
