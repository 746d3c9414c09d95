// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto'
import { SHF } from '../lib/elf.ts'
import { type ElfObject, readObject } from '../lib/elf-object.ts'
import { type Atom, Atoms } from './symbol-atoms.ts'
import { DEBUG_LINE, readLines } from './debug-lines.ts'
import { Code } from './symbol-code.ts'
import { Contents } from './symbol-content.ts'
import { isCompared, kindOf, placeOf, siteTableOf } from './symbol-sections.ts'

/**
 * What each function and each data object of an object file (x86, 32 or 64 bits) is, in a hash that does not depend
 * on where it lies, on what lies beside it, on line numbers in the table of WARN() and BUG(), and on the order in
 * which the compiler numbered its clones and static variables.
 *
 * Equal hashes mean the same machine code or data that refers to things of the same name (strings, constants and
 * jump tables: of the same content), with the same entries in the tables of exceptions, alternatives, jump labels
 * and bugs. A symbol's own name is not part of its hash, and neither is what the functions that it calls do.
 *
 * @returns by plain name (see plainName) a letter as nm(1) has it (t code, d data, r read-only data, b bss) and 16 hex
 *   digits. Of code that has its own line number in an instruction (__LINE__ as an argument; this needs debug
 *   information) a tilde and the hash without that number follow. Of what refers to others, a hash without line
 *   numbers and names follows, and the names. Several symbols of the same plain name: all, sorted, with commas.
 *   "t0123456789abcdef~89abcdef01234567 0123456789abcdef printk kfree"; compareSymbols reads it.
 * @throws LabError when the file is not a little-endian ELF file, or is damaged.
 */
export function symbolHashes(objectFile: string): ReadonlyMap<string, string> {
  const object = readObject(objectFile, (section) => isCompared(section) || section.name === DEBUG_LINE)
  const atoms = new Atoms(object)
  const code = new Code(object, atoms)
  const contents = new Contents(object, atoms, code, readLines(object))
  const sites = sitesOf(object, atoms, code, contents)
  const hashes = new Map<string, string[]>()
  for (const atom of atoms.all) {
    const hash = symbolHash(object, atom, contents, sites.get(atom) ?? [])
    const others = hashes.get(atom.name)
    if (others) others.push(hash)
    else hashes.set(atom.name, [hash])
  }
  return new Map([...hashes].map(([name, all]) => [name, all.toSorted().join(',')]))
}

function symbolHash(object: ElfObject, atom: Atom, contents: Contents, sites: readonly string[]): string {
  const section = object.sections[atom.section]!
  const kind = kindOf(section)
  const size = kind === 't' ? '' : atom.end - atom.start // of code it depends on how far its jumps go
  const { hash, names, withoutLines } = contents.atom(atom)
  const whole = (content: string, refersTo: readonly string[]): string =>
    createHash('sha256')
      .update(`${kind} ${placeOf(section)} ${size} ${content}\n${refersTo.join(' ')}\n${sites.join('\n')}`)
      .digest('hex')
      .slice(0, 16)
  return [
    kind + whole(hash, names),
    withoutLines === undefined ? '' : `~${whole(withoutLines, names)}`,
    names.length === 0 ? '' : ` ${whole(withoutLines ?? hash, [])} ${names.join(' ')}`,
  ].join('')
}

/** For each function the records of tables that are about places in it, in the order of those places. */
function sitesOf(
  object: ElfObject,
  atoms: Atoms,
  code: Code,
  contents: Contents,
): ReadonlyMap<Atom, readonly string[]> {
  const found = new Map<Atom, { at: number; text: string }[]>()
  object.sections.forEach((section, index) => {
    const table = isCompared(section) ? siteTableOf(section, object.bits) : undefined
    if (table === undefined || table === 'ignored') return
    const intoCode = section.relocations.filter((relocation) => {
      const place = code.place(relocation, section)
      return place !== undefined && (object.sections[place.section]!.flags & SHF.execinstr) !== 0
    })
    let end = 0
    intoCode.forEach((relocation, n) => {
      if (relocation.offset < end) return // the second place of the same record
      const start = relocation.offset
      end = start + (table.recordBytes ?? (intoCode[n + 1]?.offset ?? section.size) - start)
      const { section: home, address } = code.place(relocation, section)!
      const owner = atoms.covering(home, address)
      if (owner === undefined) return
      const number = code.number(home, owner.start, address) ?? address - owner.start
      const text = `${number} ${contents.site(index, start, end, table, owner)}`
      const list = found.get(owner)
      if (list) list.push({ at: number, text })
      else found.set(owner, [{ at: number, text }])
    })
  })
  return new Map(
    [...found].map(([atom, list]) => [
      atom,
      list.toSorted((a, b) => a.at - b.at || (a.text < b.text ? -1 : 1)).map((site) => site.text),
    ]),
  )
}
