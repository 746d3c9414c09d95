// SPDX-License-Identifier: GPL-2.0-only
import { type ElfObject, type ElfSymbol, STT } from '../lib/elf-object.ts'
import { isScratchName, plainName } from './symbol-names.ts'
import { isCompared, siteTableOf } from './symbol-sections.ts'

/** What a symbol stands for: bytes of a section. */
export interface Atom {
  /** See plainName. */
  readonly name: string
  /** Index of the section. */
  readonly section: number
  readonly start: number
  /** First byte behind it; equal to `start` for an empty structure. */
  readonly end: number
  /** Others in this object have the same plain name. */
  readonly ambiguous: boolean
}

/** The atoms of an object, by address. */
export class Atoms {
  readonly all: readonly Atom[]
  readonly #sized = new Map<number, Atom[]>()
  readonly #empty = new Map<string, Atom>()
  readonly #ending = new Map<string, Atom>()
  readonly #bySymbol = new Map<ElfSymbol, Atom>()

  constructor(object: ElfObject) {
    const symbols = object.symbols.filter((symbol) => hasContent(object, symbol))
    const ends = endsOfLabels(object, symbols)
    const count = new Map<string, number>()
    for (const { name } of symbols) count.set(plainName(name), (count.get(plainName(name)) ?? 0) + 1)
    for (const symbol of symbols) {
      const { value: start, section = 0 } = symbol
      const name = plainName(symbol.name)
      const end = ends.get(symbol) ?? start + symbol.size
      this.#bySymbol.set(symbol, { name, section, start, end, ambiguous: count.get(name)! > 1 })
    }
    this.all = [...this.#bySymbol.values()].toSorted(
      (a, b) => a.section - b.section || a.start - b.start || b.end - a.end || (a.name < b.name ? -1 : 1),
    )
    for (const atom of this.all) {
      const at = `${atom.section}:${atom.start}`
      if (atom.start === atom.end) this.#empty.set(at, this.#empty.get(at) ?? atom)
      else {
        const to = `${atom.section}:${atom.end}`
        this.#ending.set(to, this.#ending.get(to) ?? atom)
        const list = this.#sized.get(atom.section)
        if (list) list.push(atom)
        else this.#sized.set(atom.section, [atom])
      }
    }
  }

  of(symbol: ElfSymbol): Atom | undefined {
    return this.#bySymbol.get(symbol)
  }

  /** Those with content, by address. */
  in(section: number): readonly Atom[] {
    return this.#sized.get(section) ?? []
  }

  /** The innermost atom that a byte belongs to; of several names for the same bytes the first by alphabet. */
  covering(section: number, address: number): Atom | undefined {
    const list = this.in(section)
    let low = 0
    let high = list.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (list[middle]!.start <= address) low = middle + 1
      else high = middle
    }
    let found: Atom | undefined
    for (let index = low - 1; index >= Math.max(0, low - NESTED); index--) {
      const atom = list[index]!
      if (found !== undefined && (atom.start !== found.start || atom.end !== found.end)) break
      if (address < atom.end) found = atom
    }
    return found
  }

  /** An empty structure at this address: other symbols can have the same address. */
  emptyAt(section: number, address: number): Atom | undefined {
    return this.#empty.get(`${section}:${address}`)
  }

  /** The atom whose last byte is the one before this address. */
  endingAt(section: number, address: number): Atom | undefined {
    return this.#ending.get(`${section}:${address}`)
  }
}

/** How many symbols can start behind the one that covers an address, before it: aliases, and labels of assembly. */
const NESTED = 64

function hasContent(object: ElfObject, symbol: ElfSymbol): boolean {
  const section = object.sections[symbol.section ?? -1]
  if (section === undefined || !isCompared(section) || siteTableOf(section, object.bits)) return false
  return symbol.type !== STT.section && symbol.type !== STT.file && !isScratchName(symbol.name)
}

/** Assembly may say no size: such a label goes as far as the next symbol. One inside of a function is only a place. */
function endsOfLabels(object: ElfObject, symbols: readonly ElfSymbol[]): ReadonlyMap<ElfSymbol, number> {
  const ends = new Map<ElfSymbol, number>()
  const bySection = new Map<number, ElfSymbol[]>()
  for (const symbol of symbols) {
    const list = bySection.get(symbol.section!)
    if (list) list.push(symbol)
    else bySection.set(symbol.section!, [symbol])
  }
  for (const [section, list] of bySection) {
    const sorted = list.toSorted((a, b) => a.value - b.value)
    let sizedTo = 0
    sorted.forEach((symbol, index) => {
      if (symbol.size === 0 && symbol.type === STT.notype && symbol.value >= sizedTo) {
        const next = sorted.slice(index + 1).find((other) => other.value > symbol.value)
        const isNamedTwice = sorted.some((other) => other.value === symbol.value && other.size > 0)
        if (!isNamedTwice) ends.set(symbol, next?.value ?? object.sections[section]!.size)
      }
      sizedTo = Math.max(sizedTo, symbol.value + symbol.size)
    })
  }
  return ends
}
