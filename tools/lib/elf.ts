// SPDX-License-Identifier: GPL-2.0-only
import {
  damaged,
  type ElfFile,
  type ElfHeader,
  type ElfSection,
  header,
  sectionTable,
  text,
  wide64,
  withFile,
} from './elf-file.ts'

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
export const SHF = { write: 1, alloc: 2, execinstr: 4, merge: 16, strings: 32 } as const
export const SHT = { null: 0, progbits: 1, symtab: 2, strtab: 3, rela: 4, nobits: 8, rel: 9 } as const
/** Machines, from elf(5). */
export const EM = { i386: 3, x86_64: 62 } as const

const PT = { load: 1, dynamic: 2, interp: 3 } as const
const DT = { null: 0, needed: 1, strtab: 5, strsz: 10, soname: 14, rpath: 15, runpath: 29 } as const
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
  return withFile(path, (file) =>
    sectionTable(file, header(file)).map(({ name, flags, type, address, offset, size }) => ({
      name,
      flags,
      type,
      address,
      offset,
      size,
    })),
  )
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

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

function segment(file: ElfFile, elf: ElfHeader, index: number): Segment {
  const wide = elf.bits === 64
  const b = file.read(elf.phoff + index * elf.phentsize, wide ? 56 : 32)
  return {
    type: b.readUInt32LE(0),
    offset: wide ? wide64(b, 8) : b.readUInt32LE(4),
    address: wide ? wide64(b, 16) : b.readUInt32LE(8),
    size: wide ? wide64(b, 32) : b.readUInt32LE(16),
  }
}

function dynamicEntries(file: ElfFile, elf: ElfHeader, at: Segment): { tag: number; value: number }[] {
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
  file: ElfFile,
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

function pathList(value: string | undefined): readonly string[] {
  return value === undefined ? [] : value.split(':').filter((part) => part !== '')
}
