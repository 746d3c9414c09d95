// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { LabError } from './errors.ts'

/** One entry of an ELF file's section table. */
export interface ElfSection {
  readonly name: string
  /** sh_flags; see SHF. */
  readonly flags: number
  /** sh_type; see SHT. */
  readonly type: number
  readonly address: number
  /** Bytes from the start of the file. */
  readonly offset: number
  /** Bytes; a NOBITS section (.bss) takes none of them in the file. */
  readonly size: number
}

/** A table or string in a sane file is far below this; above it the file is damaged. */
const SANE_BYTES = 16 << 20
/** More sections than 0xff00 are counted in section 0; see elf(5), e_shnum and e_shstrndx. */
const SHN_XINDEX = 0xffff

export interface ElfFile {
  readonly path: string
  readonly size: number
  /** Exactly `length` bytes from `offset`; throws when the file is shorter. */
  read(offset: number, length: number): Buffer
}

export interface ElfHeader {
  readonly bits: 32 | 64
  readonly machine: number
  readonly phoff: number
  readonly shoff: number
  readonly phentsize: number
  readonly phnum: number
  readonly shentsize: number
  readonly shnum: number
  readonly shstrndx: number
}

/** A section header; `name` is looked up. */
export interface SectionHeader extends ElfSection {
  readonly link: number
  readonly info: number
  /** Bytes of one entry of a table or mergeable section; 0 for others. */
  readonly entsize: number
}

type RawSection = Omit<SectionHeader, 'name'> & { readonly name: number }

export function withFile<T>(path: string, work: (file: ElfFile) => T): T {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    throw new LabError({
      what: `cannot read ${path}`,
      why: (error as Error).message,
      fix: 'check that it is there and may be read',
      cause: error,
    })
  }
  try {
    const size = fstatSync(fd).size
    return work({
      path,
      size,
      read(offset, length) {
        if (offset + length > size || length > SANE_BYTES) throw damaged(path, 'it is cut off')
        const buffer = Buffer.alloc(length)
        let done = 0
        while (done < length) {
          const got = readSync(fd, buffer, done, length - done, offset + done)
          if (got === 0) throw damaged(path, 'it is cut off')
          done += got
        }
        return buffer
      },
    })
  } finally {
    closeSync(fd)
  }
}

export function header(file: ElfFile): ElfHeader {
  if (file.size < 52 || file.read(0, 4).readUInt32BE(0) !== 0x7f454c46) {
    throw damaged(file.path, 'it is not an ELF file')
  }
  const wide = file.read(4, 1)[0] === 2
  if (file.read(5, 1)[0] !== 1) throw damaged(file.path, 'it is big-endian')
  const head = file.read(0, wide ? 64 : 52)
  const shorts = wide ? 54 : 42 // e_phentsize; the five 16-bit fields follow each other
  return {
    bits: wide ? 64 : 32,
    machine: head.readUInt16LE(18),
    phoff: wide ? wide64(head, 32) : head.readUInt32LE(28),
    shoff: wide ? wide64(head, 40) : head.readUInt32LE(32),
    phentsize: head.readUInt16LE(shorts),
    phnum: head.readUInt16LE(shorts + 2),
    shentsize: head.readUInt16LE(shorts + 4),
    shnum: head.readUInt16LE(shorts + 6),
    shstrndx: head.readUInt16LE(shorts + 8),
  }
}

/**
 * The whole section table.
 *
 * @throws LabError when it is damaged.
 */
export function sectionTable(file: ElfFile, elf: ElfHeader): readonly SectionHeader[] {
  if (elf.shoff === 0) return []
  const first = rawSection(file.read(elf.shoff, elf.shentsize), elf.bits)
  const count = elf.shnum === 0 ? first.size : elf.shnum
  const stringIndex = elf.shstrndx === SHN_XINDEX ? first.link : elf.shstrndx
  if (count * elf.shentsize > SANE_BYTES) throw damaged(file.path, `it claims ${count} sections`)
  const table = file.read(elf.shoff, count * elf.shentsize)
  const raw = Array.from({ length: count }, (_, index) =>
    rawSection(table.subarray(index * elf.shentsize), elf.bits),
  )
  const strings = raw[stringIndex]
  if (strings === undefined) throw damaged(file.path, 'its section names are missing')
  const names = file.read(strings.offset, strings.size)
  return raw.map((section) => ({ ...section, name: text(names, section.name, file.path) }))
}

function rawSection(b: Buffer, bits: 32 | 64): RawSection {
  const wide = bits === 64
  return {
    name: b.readUInt32LE(0),
    type: b.readUInt32LE(4),
    flags: wide ? wide64(b, 8) : b.readUInt32LE(8),
    address: wide ? wide64(b, 16) : b.readUInt32LE(12),
    offset: wide ? wide64(b, 24) : b.readUInt32LE(16),
    size: wide ? wide64(b, 32) : b.readUInt32LE(20),
    link: wide ? b.readUInt32LE(40) : b.readUInt32LE(24),
    info: wide ? b.readUInt32LE(44) : b.readUInt32LE(28),
    entsize: wide ? wide64(b, 56) : b.readUInt32LE(36),
  }
}

export function text(strings: Buffer, start: number, path: string): string {
  const end = strings.indexOf(0, start)
  if (start > strings.length || end < 0) throw damaged(path, 'a name in it has no end')
  return strings.toString('utf8', start, end)
}

/** 64 bits as a number: rounded above 2^53 (kernel addresses), exact for every offset and size in a file. */
export function wide64(buffer: Buffer, offset: number): number {
  return Number(buffer.readBigUInt64LE(offset))
}

export function damaged(path: string, why: string): LabError {
  return new LabError({ what: `cannot use ${path}`, why, fix: 'rebuild or reinstall that file' })
}
