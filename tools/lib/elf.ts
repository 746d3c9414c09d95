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

/** What a file is and what the dynamic loader would need for it. */
export interface ElfProgram {
  readonly bits: 32 | 64
  /** e_machine; see EM. */
  readonly machine: number
  /** PT_INTERP: absolute path of the loader; undefined for a static program and for most libraries. */
  readonly interpreter: string | undefined
  /** DT_NEEDED, in order. */
  readonly needed: readonly string[]
  readonly soname: string | undefined
  /** DT_RUNPATH split at colons; $ORIGIN is still in it. */
  readonly runpath: readonly string[]
  /** DT_RPATH, the older kind; the loader ignores it when there is a DT_RUNPATH. */
  readonly rpath: readonly string[]
}

/** Section flags and types, from elf(5). */
export const SHF = { write: 1, alloc: 2, execinstr: 4 } as const
export const SHT = { null: 0, progbits: 1, strtab: 3, nobits: 8 } as const
/** Machines, from elf(5). */
export const EM = { i386: 3, x86_64: 62 } as const

const PT = { load: 1, dynamic: 2, interp: 3 } as const
const DT = { null: 0, needed: 1, strtab: 5, strsz: 10, soname: 14, rpath: 15, runpath: 29 } as const
/** A table or string in a sane file is far below this; above it the file is damaged. */
const SANE_BYTES = 16 << 20
/** More sections than 0xff00 are counted in section 0; see elf(5), e_shnum and e_shstrndx. */
const SHN_XINDEX = 0xffff

/** Whether the file starts as an ELF file does. */
export function isElf(path: string): boolean {
  return withFile(path, (file) => file.size >= 4 && file.read(0, 4).readUInt32BE(0) === 0x7f454c46)
}

/**
 * The section table of a little-endian ELF file of 32 or 64 bits. Only the tables are read, so a vmlinux with
 * hundreds of megabytes of debug information costs nothing.
 *
 * @throws LabError when the file is not ELF, is big-endian or is cut off.
 */
export function readSections(path: string): readonly ElfSection[] {
  return withFile(path, (file) => {
    const elf = header(file)
    if (elf.shoff === 0) return []
    const raw = (index: number): RawSection => rawSection(file, elf, index)
    const first = raw(0)
    const count = elf.shnum === 0 ? first.size : elf.shnum
    const stringIndex = elf.shstrndx === SHN_XINDEX ? first.link : elf.shstrndx
    if (count * elf.shentsize > SANE_BYTES) throw damaged(path, `it claims ${count} sections`)
    const sections = Array.from({ length: count }, (_, index) => raw(index))
    const strings = sections[stringIndex]
    if (strings === undefined) throw damaged(path, 'its section names are missing')
    const names = file.read(strings.offset, strings.size)
    return sections.map(({ name, flags, type, address, offset, size }) => ({
      name: text(names, name, path),
      flags,
      type,
      address,
      offset,
      size,
    }))
  })
}

/**
 * What the dynamic loader would read of a program or library, from its program headers: a stripped file needs no
 * section table.
 *
 * @throws LabError when the file is not ELF, is big-endian or is damaged.
 */
export function readProgram(path: string): ElfProgram {
  return withFile(path, (file) => {
    const elf = header(file)
    const segments = Array.from({ length: elf.phnum }, (_, index) => segment(file, elf, index))
    const interp = segments.find((s) => s.type === PT.interp)
    const dynamic = segments.find((s) => s.type === PT.dynamic)
    const entries = dynamic === undefined ? [] : dynamicEntries(file, elf, dynamic)
    const one = (tag: number): number | undefined => entries.find((e) => e.tag === tag)?.value
    const stringAt = dynamicStrings(file, segments, one(DT.strtab), one(DT.strsz))
    const optional = (tag: number): string | undefined => {
      const value = one(tag)
      return value === undefined ? undefined : stringAt(value)
    }
    return {
      bits: elf.bits,
      machine: elf.machine,
      interpreter: interp && text(file.read(interp.offset, interp.size), 0, path),
      needed: entries.filter((e) => e.tag === DT.needed).map((e) => stringAt(e.value)),
      soname: optional(DT.soname),
      runpath: pathList(optional(DT.runpath)),
      rpath: pathList(optional(DT.rpath)),
    }
  })
}

interface File {
  readonly path: string
  readonly size: number
  /** Exactly `length` bytes from `offset`; throws when the file is shorter. */
  read(offset: number, length: number): Buffer
}

interface Header {
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

interface RawSection extends Omit<ElfSection, 'name'> {
  readonly name: number
  readonly link: number
}

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

function withFile<T>(path: string, work: (file: File) => T): T {
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

function header(file: File): Header {
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

function rawSection(file: File, elf: Header, index: number): RawSection {
  const wide = elf.bits === 64
  const b = file.read(elf.shoff + index * elf.shentsize, wide ? 64 : 40)
  return {
    name: b.readUInt32LE(0),
    type: b.readUInt32LE(4),
    flags: wide ? wide64(b, 8) : b.readUInt32LE(8),
    address: wide ? wide64(b, 16) : b.readUInt32LE(12),
    offset: wide ? wide64(b, 24) : b.readUInt32LE(16),
    size: wide ? wide64(b, 32) : b.readUInt32LE(20),
    link: wide ? b.readUInt32LE(40) : b.readUInt32LE(24),
  }
}

function segment(file: File, elf: Header, index: number): Segment {
  const wide = elf.bits === 64
  const b = file.read(elf.phoff + index * elf.phentsize, wide ? 56 : 32)
  return {
    type: b.readUInt32LE(0),
    offset: wide ? wide64(b, 8) : b.readUInt32LE(4),
    address: wide ? wide64(b, 16) : b.readUInt32LE(8),
    size: wide ? wide64(b, 32) : b.readUInt32LE(16),
  }
}

function dynamicEntries(file: File, elf: Header, at: Segment): { tag: number; value: number }[] {
  const wide = elf.bits === 64
  const step = wide ? 16 : 8
  const b = file.read(at.offset, at.size)
  const entries: { tag: number; value: number }[] = []
  for (let pos = 0; pos + step <= b.length; pos += step) {
    const tag = wide ? wide64(b, pos) : b.readUInt32LE(pos)
    if (tag === DT.null) break
    entries.push({ tag, value: wide ? wide64(b, pos + 8) : b.readUInt32LE(pos + 4) })
  }
  return entries
}

/** DT_STRTAB is an address in memory; the load segments say where that is in the file. */
function dynamicStrings(
  file: File,
  segments: readonly Segment[],
  address: number | undefined,
  size: number | undefined,
): (offset: number) => string {
  if (address === undefined || size === undefined) {
    return () => {
      throw damaged(file.path, 'its dynamic strings are missing')
    }
  }
  const home = segments.find(
    (s) => s.type === PT.load && address >= s.address && address < s.address + s.size,
  )
  if (home === undefined) throw damaged(file.path, 'its dynamic strings are in no segment')
  const strings = file.read(home.offset + (address - home.address), size)
  return (offset) => text(strings, offset, file.path)
}

function text(strings: Buffer, start: number, path: string): string {
  const end = strings.indexOf(0, start)
  if (start > strings.length || end < 0) throw damaged(path, 'a name in it has no end')
  return strings.toString('utf8', start, end)
}

function pathList(value: string | undefined): readonly string[] {
  return value === undefined ? [] : value.split(':').filter((part) => part !== '')
}

/** 64 bits as a number: rounded above 2^53 (kernel addresses), exact for every offset and size in a file. */
function wide64(buffer: Buffer, offset: number): number {
  return Number(buffer.readBigUInt64LE(offset))
}

function damaged(path: string, why: string): LabError {
  return new LabError({ what: `cannot use ${path}`, why, fix: 'rebuild or reinstall that file' })
}
