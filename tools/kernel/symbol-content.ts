// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto'
import { SHF } from '../lib/elf.ts'
import { type ElfObject, type ObjectSection, type Relocation, relocationsIn } from '../lib/elf-object.ts'
import type { LineOf } from './debug-lines.ts'
import type { Atom, Atoms } from './symbol-atoms.ts'
import type { Code } from './symbol-code.ts'
import { type SiteTable, siteTableOf } from './symbol-sections.ts'
import {
  constantOf,
  hideLines,
  isLineNumber,
  jumpCode,
  mergeable,
  type OperandUse,
  operandUse,
} from './symbol-operands.ts'
import { nameIn, type Telling } from './symbol-telling.ts'
import { decode, type Instruction, isNop } from './x86-length.ts'

/** Jump tables are not nested; a damaged file can be a circle. */
const DEEPEST = 6
/** Content without a symbol is a table of jumps or a constant: never as large as this. */
const LARGEST = 1 << 16
/** Tells content so that it is the same text wherever the parts of an object lie. */
export class Contents {
  readonly #object: ElfObject
  readonly #atoms: Atoms
  readonly #code: Code
  readonly #lineOf: LineOf
  readonly #shallow = new Map<Atom, string>()

  constructor(object: ElfObject, atoms: Atoms, code: Code, lineOf: LineOf) {
    this.#object = object
    this.#atoms = atoms
    this.#code = code
    this.#lineOf = lineOf
  }

  /**
   * SHA-256, 16 hex digits, of an atom's bytes and of what they refer to, but for names, which are numbered.
   *
   * @returns also the names, and of code that has the number of its own line in an instruction, a hash without that.
   */
  atom(atom: Atom): {
    readonly hash: string
    readonly names: readonly string[]
    readonly withoutLines?: string
  } {
    const names: string[] = []
    const telling = { ...this.#telling(atom, true), names }
    const hash = this.#piece(atom.section, atom.start, atom.end, telling)
    if (!telling.lines.found) return { hash, names }
    const hidden = { ...this.#telling(atom, true), names: [], lines: { found: false, hidden: true } }
    return { hash, names, withoutLines: this.#piece(atom.section, atom.start, atom.end, hidden) }
  }

  /**
   * A record of a table of sites, without its line number and without the place that it is about.
   *
   * @param owner whose code it is about.
   */
  site(index: number, start: number, end: number, table: SiteTable, owner: Atom): string {
    const section = this.#object.sections[index]!
    const telling = this.#telling(owner, true)
    const bytes = Buffer.from(section.bytes.subarray(start, end))
    const [first, ...rest] = relocationsIn(section.relocations, start, end)
    const refs = rest.map((relocation, which) => {
      const place = this.#code.place(relocation, section)
      const at = relocation.offset - start
      const codeBytes = table.codeBytesAt === undefined ? undefined : bytes[table.codeBytesAt]
      bytes.fill(0, at, Math.min(bytes.length, at + this.#code.width(relocation)))
      if (which > 0 || codeBytes === undefined || place === undefined) {
        return `${at}:${this.#target(relocation, section, telling, undefined)}`
      }
      return `${at}:{${this.#piece(place.section, place.address, place.address + codeBytes, telling)}}`
    })
    if (first) bytes.fill(0, first.offset - start, first.offset - start + this.#code.width(first))
    if (table.line) bytes.fill(0, bytes.length + table.line[0], bytes.length + table.line[1])
    return `${section.name} ${bytes.toString('hex')} ${refs.join(' ')}`
  }

  #telling(owner: Atom, deep: boolean): Telling {
    const others = (): ReadonlySet<Atom> => this.#atomsReferred(owner.section, owner.start, owner.end)
    const lines = { found: false, hidden: false }
    return { lines, deep, told: new Map(), depth: 0, owner, names: undefined, others }
  }

  /** Hash of a piece of code or data that is referred to while something else is told. */
  #piece(section: number, start: number, end: number, telling: Telling): string {
    const hash = createHash('sha256')
    const refs = this.#isCode(section)
      ? this.#tellCode(section, start, end, telling, (bytes) => hash.update(bytes))
      : this.#tellData(section, start, end, telling, (bytes) => hash.update(bytes))
    return hash.update('\0').update(refs.join('\n')).digest('hex').slice(0, 16)
  }

  /**
   * Instructions, with the operands that a linker or the assembler computes left out of `bytes` and told in words.
   * A jump is told by its target: whether its distance takes one byte or four depends on what lies in between.
   */
  #tellCode(
    index: number,
    start: number,
    end: number,
    telling: Telling,
    to: (bytes: Buffer) => void,
  ): string[] {
    const section = this.#object.sections[index]!
    const bytes = Buffer.from(section.bytes.subarray(start, end))
    const relocations = relocationsIn(section.relocations, start, end)
    const refs: string[] = []
    const out = Buffer.alloc(bytes.length)
    let length = 0
    let next = 0
    let number = 0
    for (let pos = 0; pos < bytes.length;) {
      const found = decode(section.bytes, start + pos, end, this.#code.bits)
      if (found === undefined) {
        refs.push(`${number}: not code`, ...this.#tellData(index, start + pos, end, telling, to))
        break
      }
      const stop = pos + found.length
      if (isNop(section.bytes, start + pos, found, this.#code.bits)) {
        pos = stop
        continue
      }
      const first = next
      while (next < relocations.length && relocations[next]!.offset - start < stop) next++
      const here = relocations.slice(first, next)
      if (found.distanceAt > 0) {
        const target = here[0]
          ? this.#target(here[0], section, telling, undefined)
          : this.#destination({ section: index, start, end }, start + pos, found, telling)
        refs.push(`${number}>${target}`)
        length += bytes.copy(out, length, pos, pos + found.opcodeAt)
        out[length++] = jumpCode(bytes, pos + found.opcodeAt)
      } else {
        for (const relocation of here) {
          const at = relocation.offset - start
          const target = this.#target(relocation, section, telling, operandUse(bytes, pos, found, at))
          refs.push(`${number}.${at - pos}:${this.#way(relocation)}${target}`)
          bytes.fill(0, at, Math.min(bytes.length, at + this.#code.width(relocation)))
        }
        const value = here.length === 0 ? constantOf(bytes, pos, found) : undefined
        const line = value === undefined ? undefined : (this.#lineOf(index, start + pos) ?? 0)
        if (value !== undefined && line !== undefined && isLineNumber(value, line)) {
          telling.lines.found = true
          if (telling.lines.hidden) {
            refs.push(`${number}: its line + ${value - line}`)
            bytes.fill(0, stop - 4, stop)
          }
        }
        length += bytes.copy(out, length, pos, stop)
      }
      pos = stop
      number++
    }
    to(out.subarray(0, length))
    return refs
  }

  #tellData(
    index: number,
    start: number,
    end: number,
    telling: Telling,
    to: (bytes: Buffer) => void,
  ): string[] {
    const section = this.#object.sections[index]!
    if (section.bytes.length === 0) {
      to(Buffer.from(`${end - start} zero bytes`))
      return []
    }
    const bytes = Buffer.from(section.bytes.subarray(start, end))
    hideLines(bytes, section, this.#code.bits, this.#atoms.covering(index, start))
    const refs = relocationsIn(section.relocations, start, end).map((relocation) => {
      const at = relocation.offset - start
      const target = this.#target(relocation, section, telling, undefined)
      bytes.fill(0, at, Math.min(bytes.length, at + this.#code.width(relocation)))
      return `${at}:${this.#way(relocation)}${target}`
    })
    to(bytes)
    return refs
  }

  /** Where a jump goes that needs no relocation. */
  #destination(
    piece: { section: number; start: number; end: number },
    at: number,
    { length, distanceAt }: Instruction,
    telling: Telling,
  ): string {
    const { bytes } = this.#object.sections[piece.section]!
    const to = at + length + bytes.readIntLE(at + distanceAt, length - distanceAt)
    if (to >= piece.start && to < piece.end) return this.#within(piece.section, piece.start, to)
    return this.#place(piece.section, to, telling, undefined)
  }

  /** What a relocation refers to, in words. */
  #target(relocation: Relocation, section: ObjectSection, telling: Telling, use: OperandUse): string {
    const { symbol } = relocation
    const offset = this.#code.offset(relocation, section)
    if (symbol.section === undefined) return nameIn(telling, symbol.name) + (offset === 0 ? '' : `+${offset}`)
    const atom = this.#atoms.of(symbol)
    if (atom === undefined) return this.#place(symbol.section, symbol.value + offset, telling, use)
    return this.#label(atom, telling) + this.#within(atom.section, atom.start, atom.start + offset)
  }

  /** What is at an address, in words. */
  #place(index: number, address: number, telling: Telling, use: OperandUse): string {
    const section = this.#object.sections[index]!
    if (section.flags & SHF.merge) return mergeable(section, address)
    const empty = this.#atoms.emptyAt(index, address)
    if (empty && use === 'address') return this.#label(empty, telling)
    const before = this.#atoms.endingAt(index, address)
    if (before && use === 'compared' && telling.others().has(before)) {
      return `end of ${this.#label(before, telling)}`
    }
    const atom = this.#atoms.covering(index, address)
    if (atom) return this.#label(atom, telling) + this.#within(index, atom.start, address)
    if (empty) return this.#label(empty, telling)
    if (siteTableOf(section, this.#object.bits)) return `entry of ${section.name}`
    if (before && address === section.size) return `end of ${this.#label(before, telling)}`
    return this.#unnamed(index, address, telling)
  }

  /** Content that only the assembler had a name for: its end is where the next thing begins. */
  #unnamed(index: number, address: number, telling: Telling): string {
    const section = this.#object.sections[index]!
    const next = this.#atoms.in(index).find((atom) => atom.start > address)?.start ?? section.size
    const end = Math.min(this.#code.nextReferred(index, address) ?? section.size, next, address + LARGEST)
    if (telling.depth > DEEPEST || address < 0 || address >= section.size) return `${section.name}+${address}`
    return `{${this.#piece(index, address, this.#withoutPadding(section, address, end), { ...telling, depth: telling.depth + 1 })}}`
  }

  #withoutPadding(section: ObjectSection, start: number, end: number): number {
    if (section.bytes.length === 0) return end
    const last = relocationsIn(section.relocations, start, end).at(-1)
    const least = last ? last.offset + this.#code.width(last) : start + 1
    let stop = end
    while (stop > least && section.bytes[stop - 1] === 0) stop--
    return Math.max(stop, least) // an address within a field, of code that counts from one, does not end a table
  }

  #label(atom: Atom, telling: Telling): string {
    const { section, start, end } = telling.owner
    if (atom.section === section && atom.start === start && atom.end === end) return 'self'
    const name = nameIn(telling, atom.name)
    // Clones are only told apart when there are several; of variables in functions, more may come from anywhere.
    const isVariable = atom.name.includes('*') && !this.#isCode(atom.section)
    if (!telling.deep || !(atom.ambiguous || isVariable)) return name
    const number = telling.told.get(atom) ?? telling.told.size
    telling.told.set(atom, number)
    return `${name}#${number}{${this.#shallowHash(atom)}}`
  }

  #shallowHash(atom: Atom): string {
    let hash = this.#shallow.get(atom)
    if (hash === undefined) {
      hash = this.#piece(atom.section, atom.start, atom.end, this.#telling(atom, false))
      this.#shallow.set(atom, hash)
    }
    return hash
  }

  /** The part of a reference behind the name: in code counted in instructions. */
  #within(section: number, start: number, address: number): string {
    if (address === start) return ''
    const number = this.#code.number(section, start, address)
    return number === undefined ? `+${address - start}` : `+#${number}`
  }

  #atomsReferred(index: number, start: number, end: number): ReadonlySet<Atom> {
    const section = this.#object.sections[index]!
    const atoms = relocationsIn(section.relocations, start, end).map((relocation) => {
      const place = this.#code.place(relocation, section)
      return place && this.#atoms.covering(place.section, place.address)
    })
    return new Set(atoms.filter((atom) => atom !== undefined))
  }

  #isCode(section: number): boolean {
    return (this.#object.sections[section]!.flags & SHF.execinstr) !== 0
  }

  #way(relocation: Relocation): string {
    return `${this.#code.isDistance(relocation) ? '~' : ''}${this.#code.width(relocation)} `
  }
}
