// SPDX-License-Identifier: GPL-2.0-only
import { EM, SHF } from '../lib/elf.ts'
import type { ElfObject, ObjectSection, Relocation } from '../lib/elf-object.ts'
import type { Atoms } from './symbol-atoms.ts'
import { isCompared, siteTableOf } from './symbol-sections.ts'
import { decode, isNop } from './x86-length.ts'

/** An address: section and bytes from its start. */
export interface Place {
  readonly section: number
  readonly address: number
}

/** Where the instructions of an object are, and which addresses something refers to. */
export class Code {
  readonly bits: 32 | 64
  readonly #object: ElfObject
  /** By section: the number of the instruction that starts at each byte, or -1. */
  readonly #numbers = new Map<number, Int32Array>()
  /** Of relocations in code: bytes from the field to the end of its instruction, which distances are counted from. */
  readonly #behind = new Map<Relocation, number>()
  readonly #referred = new Map<number, number[]>()

  constructor(object: ElfObject, atoms: Atoms) {
    this.#object = object
    this.bits = object.machine === EM.x86_64 ? 64 : 32
    object.sections.forEach((section, index) => {
      if (isCompared(section) && section.flags & SHF.execinstr) this.#decode(section, index, atoms)
    })
    const referred = new Map<number, Set<number>>()
    for (const section of object.sections) {
      if (!isCompared(section) || siteTableOf(section, object.bits) === 'ignored') continue
      for (const relocation of section.relocations) {
        const place = this.place(relocation, section)
        if (place === undefined) continue
        const set = referred.get(place.section)
        if (set) set.add(place.address)
        else referred.set(place.section, new Set([place.address]))
      }
    }
    for (const [section, set] of referred)
      this.#referred.set(
        section,
        [...set].sort((a, b) => a - b),
      )
  }

  /** What a relocation refers to; undefined for what is in another object. */
  place(relocation: Relocation, section: ObjectSection): Place | undefined {
    const { symbol } = relocation
    if (symbol.section === undefined) return undefined
    return { section: symbol.section, address: symbol.value + this.offset(relocation, section) }
  }

  /** Bytes from the symbol to what is meant: the addend without the part that is due to where a distance is counted from. */
  offset(relocation: Relocation, section: ObjectSection): number {
    const addend = relocation.addend ?? this.#inField(relocation, section)
    if (!this.isDistance(relocation)) return addend
    return addend + (this.#behind.get(relocation) ?? 0)
  }

  /** Whether the field gets the distance to the symbol, not its address. */
  isDistance({ type }: Relocation): boolean {
    return (this.bits === 64 ? DISTANCES_X86_64 : DISTANCES_I386).has(type)
  }

  /** Bytes of the field that a relocation fills in. */
  width({ type }: Relocation): 1 | 2 | 4 | 8 {
    const [one, two, eight] = this.bits === 64 ? WIDTHS_X86_64 : WIDTHS_I386
    return one.has(type) ? 1 : two.has(type) ? 2 : eight.has(type) ? 8 : 4
  }

  /** How many instructions there are in front of an address since `from`; undefined when none starts there. */
  number(section: number, from: number, address: number): number | undefined {
    const numbers = this.#numbers.get(section)
    const first = numbers?.[from] ?? -1
    const at = numbers?.[address] ?? -1
    return first < 0 || at < first ? undefined : at - first
  }

  /** The next address behind this one that something refers to. */
  nextReferred(section: number, address: number): number | undefined {
    const list = this.#referred.get(section) ?? []
    let low = 0
    let high = list.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (list[middle]! <= address) low = middle + 1
      else high = middle
    }
    return list[low]
  }

  #decode(section: ObjectSection, index: number, atoms: Atoms): void {
    const { bytes, relocations } = section
    const numbers = new Int32Array(bytes.length).fill(-1)
    const cuts = new Set<number>([0, bytes.length])
    for (const { start, end } of atoms.in(index)) cuts.add(start).add(end)
    const sorted = [...cuts].sort((a, b) => a - b)
    let count = 0
    let next = 0
    for (let cut = 0; cut + 1 < sorted.length; cut++) {
      for (let pos = sorted[cut]!; pos < sorted[cut + 1]!;) {
        const found = decode(bytes, pos, sorted[cut + 1]!, this.bits)
        if (found === undefined) break
        numbers[pos] = count
        if (!isNop(bytes, pos, found, this.bits)) count++
        const end = pos + found.length
        for (; next < relocations.length && relocations[next]!.offset < end; next++) {
          const relocation = relocations[next]!
          if (relocation.offset >= pos) this.#behind.set(relocation, end - relocation.offset)
        }
        pos = end
      }
    }
    this.#numbers.set(index, numbers)
  }

  #inField(relocation: Relocation, { bytes }: ObjectSection): number {
    const width = this.width(relocation)
    if (relocation.offset + width > bytes.length) return 0
    return width === 8
      ? Number(bytes.readBigInt64LE(relocation.offset))
      : bytes.readIntLE(relocation.offset, width)
  }

  get object(): ElfObject {
    return this.#object
  }
}

// Types of relocations, from the processor supplements of the System V ABI. Those of a global offset table do not
// occur in a kernel; they count as distances.
const DISTANCES_X86_64 = new Set([2, 4, 9, 13, 15, 24, 41, 42])
const DISTANCES_I386 = new Set([2, 4, 21, 23])
const WIDTHS_X86_64 = [new Set([14, 15]), new Set([12, 13]), new Set([1, 24])] as const
const WIDTHS_I386 = [new Set([22, 23]), new Set([20, 21]), new Set<number>()] as const
