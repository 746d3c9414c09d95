// SPDX-License-Identifier: GPL-2.0-only
import { SHT } from './elf.ts'
import {
  damaged,
  type ElfFile,
  header,
  type SectionHeader,
  sectionTable,
  text,
  wide64,
  withFile,
} from './elf-file.ts'

/** A relocatable object as an assembler writes it. */
export interface ElfObject {
  readonly bits: 32 | 64
  /** e_machine; see EM. */
  readonly machine: number
  readonly sections: readonly ObjectSection[]
  readonly symbols: readonly ElfSymbol[]
}

export interface ObjectSection extends SectionHeader {
  /** Content of sections that were asked for; zeros for .bss; empty for the others. */
  readonly bytes: Buffer
  /** What the linker has to fill in, by ascending offset. Empty for sections that were not asked for. */
  readonly relocations: readonly Relocation[]
}

export interface ElfSymbol {
  /** A section symbol has its section's name. */
  readonly name: string
  /** Bytes from the start of its section. */
  readonly value: number
  readonly size: number
  /** See STT. */
  readonly type: number
  /** STB_LOCAL: no other object can mean it. */
  readonly local: boolean
  /** Index of its section; undefined when it is not defined here, absolute or common. */
  readonly section: number | undefined
}

export interface Relocation {
  /** Bytes from the start of the section that is filled in. */
  readonly offset: number
  /** R_X86_64_* or R_386_*. */
  readonly type: number
  readonly symbol: ElfSymbol
  /** Undefined in files that keep it in the field itself (REL). */
  readonly addend: number | undefined
}

/** Types of symbols, from elf(5). */
export const STT = { notype: 0, object: 1, func: 2, section: 3, file: 4, ifunc: 10 } as const

/** From here on a section index has another meaning (elf(5), SHN_LORESERVE); 0xffff: it is in a table of its own. */
const SHN_LORESERVE = 0xff00
const SHN_XINDEX = 0xffff
const SHT_SYMTAB_SHNDX = 18

/**
 * Sections, symbols and relocations of an object file.
 *
 * @param wanted sections whose content and relocations are read; debug information is most of an object.
 * @throws LabError when the file is not ELF, is big-endian or is damaged.
 */
export function readObject(path: string, wanted: (section: SectionHeader) => boolean): ElfObject {
  return withFile(path, (file) => {
    const elf = header(file)
    const table = sectionTable(file, elf)
    const symbols = readSymbols(file, elf.bits, table)
    const relocations = new Map<number, Relocation[]>()
    for (const section of table) {
      if (section.type !== SHT.rela && section.type !== SHT.rel) continue
      const target = table[section.info]
      if (target === undefined || !wanted(target)) continue
      const found = readRelocations(file, elf.bits, section, symbols)
      relocations.set(section.info, [...(relocations.get(section.info) ?? []), ...found])
    }
    const sections = table.map((section, index) => ({
      ...section,
      bytes: wanted(section) ? content(file, section) : EMPTY,
      relocations: (relocations.get(index) ?? NONE).toSorted((a, b) => a.offset - b.offset),
    }))
    return { bits: elf.bits, machine: elf.machine, sections, symbols }
  })
}

const EMPTY = Buffer.alloc(0)
const NONE: readonly Relocation[] = []

function content(file: ElfFile, section: SectionHeader): Buffer {
  // No more than a kernel can have: a damaged file may claim anything.
  if (section.size > 1 << 30) throw damaged(file.path, `${section.name} has ${section.size} bytes`)
  return section.type === SHT.nobits ? EMPTY : file.read(section.offset, section.size)
}

function readSymbols(file: ElfFile, bits: 32 | 64, table: readonly SectionHeader[]): readonly ElfSymbol[] {
  const at = table.findIndex((section) => section.type === SHT.symtab)
  const symtab = table[at]
  const strtab = table[symtab?.link ?? -1]
  if (symtab === undefined || strtab === undefined) return []
  const b = file.read(symtab.offset, symtab.size)
  const names = file.read(strtab.offset, strtab.size)
  const wideIndex = table.find((section) => section.type === SHT_SYMTAB_SHNDX && section.link === at)
  const indexes = wideIndex && file.read(wideIndex.offset, wideIndex.size)
  const step = bits === 64 ? 24 : 16
  const symbols: ElfSymbol[] = []
  for (let pos = 0, n = 0; pos + step <= b.length; pos += step, n++) {
    const [info, shndx] =
      bits === 64 ? [b[pos + 4]!, b.readUInt16LE(pos + 6)] : [b[pos + 12]!, b.readUInt16LE(pos + 14)]
    const index = shndx === SHN_XINDEX && indexes ? indexes.readUInt32LE(n * 4) : shndx
    const special = index === 0 || (index >= SHN_LORESERVE && index === shndx)
    const type = info & 15
    const section = special ? undefined : index
    symbols.push({
      name:
        type === STT.section && section !== undefined
          ? (table[section]?.name ?? '')
          : text(names, b.readUInt32LE(pos), file.path),
      value: bits === 64 ? wide64(b, pos + 8) : b.readUInt32LE(pos + 4),
      size: bits === 64 ? wide64(b, pos + 16) : b.readUInt32LE(pos + 8),
      type,
      local: info >> 4 === 0,
      section,
    })
  }
  return symbols
}

function readRelocations(
  file: ElfFile,
  bits: 32 | 64,
  section: SectionHeader,
  symbols: readonly ElfSymbol[],
): Relocation[] {
  const hasAddend = section.type === SHT.rela
  const step = bits === 64 ? 16 + (hasAddend ? 8 : 0) : 8 + (hasAddend ? 4 : 0)
  const b = file.read(section.offset, section.size)
  const found: Relocation[] = []
  for (let pos = 0; pos + step <= b.length; pos += step) {
    const [type, index] =
      bits === 64
        ? [b.readUInt32LE(pos + 8), b.readUInt32LE(pos + 12)]
        : [b[pos + 4]!, b.readUInt32LE(pos + 4) >>> 8]
    const symbol = symbols[index]
    if (symbol === undefined) throw damaged(file.path, `a relocation names symbol ${index}`)
    found.push({
      offset: bits === 64 ? wide64(b, pos) : b.readUInt32LE(pos),
      type,
      symbol,
      addend: hasAddend
        ? bits === 64
          ? Number(b.readBigInt64LE(pos + 16))
          : b.readInt32LE(pos + 8)
        : undefined,
    })
  }
  return found
}

/** Those that fill in something from `start` up to and without `end`. */
export function relocationsIn(
  relocations: readonly Relocation[],
  start: number,
  end: number,
): readonly Relocation[] {
  let low = 0
  let high = relocations.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (relocations[middle]!.offset < start) low = middle + 1
    else high = middle
  }
  let stop = low
  while (stop < relocations.length && relocations[stop]!.offset < end) stop++
  return relocations.slice(low, stop)
}
