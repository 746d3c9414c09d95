// SPDX-License-Identifier: GPL-2.0-only
import { type ElfObject, type ObjectSection, relocationsIn } from '../lib/elf-object.ts'

/** Which line of its source an instruction is of, by section and address. */
export type LineOf = (section: number, address: number) => number | undefined

export const DEBUG_LINE = '.debug_line'

interface Rows {
  readonly addresses: number[]
  readonly lines: number[]
}

/**
 * Reads the line table of an object with debug information: DWARF 5, section 6.2 (versions 2 to 4 differ in the
 * header only). Which file a line is in is not looked at.
 *
 * @returns a function that knows no line when there is no debug information, or one that cannot be understood.
 */
export function readLines(object: ElfObject): LineOf {
  const section = object.sections.find(({ name }) => name === DEBUG_LINE)
  if (section === undefined || section.bytes.length === 0) return () => undefined
  const rows = new Map<number, Rows>()
  try {
    for (let at = 0; at + 4 <= section.bytes.length;) at = readUnit(section, at, object.bits, rows)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return () => undefined
  }
  const sorted = new Map([...rows].map(([index, found]) => [index, inOrder(found)]))
  return (index, address) => {
    const found = sorted.get(index)
    if (found === undefined) return undefined
    let low = 0
    let high = found.addresses.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (found.addresses[middle]! <= address) low = middle + 1
      else high = middle
    }
    return found.lines[low - 1]
  }
}

/** DW_LNS_*, and DW_LNE_* behind a zero. */
const LNS = { copy: 1, advancePc: 2, advanceLine: 3, constAddPc: 8, fixedAdvancePc: 9 } as const
const LNE = { endSequence: 1, setAddress: 2 } as const

/** @returns where the next unit starts. */
function readUnit(section: ObjectSection, start: number, bits: 32 | 64, rows: Map<number, Rows>): number {
  const b = section.bytes
  const end = start + 4 + b.readUInt32LE(start)
  const version = b.readUInt16LE(start + 4)
  const lengthAt = start + (version >= 5 ? 8 : 6)
  const headerEnd = lengthAt + 4 + b.readUInt32LE(lengthAt)
  // minimum_instruction_length is 1 on x86; maximum_operations_per_instruction came with version 4.
  const fields = lengthAt + 4 + (version >= 4 ? 2 : 1) + 1
  const lineBase = b.readInt8(fields)
  const lineRange = b[fields + 1]!
  const opcodeBase = b[fields + 2]!
  const operands = b.subarray(fields + 3, fields + 2 + opcodeBase)
  let pos = headerEnd
  const leb = (signed: boolean): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = b.readUInt8(pos++)
      value += (byte & 0x7f) * 2 ** shift
      if (byte & 0x80) continue
      return signed && byte & 0x40 ? value - 2 ** (shift + 7) : value
    }
  }
  let home: number | undefined
  let address = 0
  let line = 1
  const row = (value: number): void => {
    if (home === undefined) return
    let found = rows.get(home)
    if (found === undefined) rows.set(home, (found = { addresses: [], lines: [] }))
    found.addresses.push(address)
    found.lines.push(value)
  }
  while (pos < Math.min(end, b.length)) {
    const opcode = b[pos++]!
    if (opcode >= opcodeBase) {
      address += Math.floor((opcode - opcodeBase) / lineRange)
      line += lineBase + ((opcode - opcodeBase) % lineRange)
      row(line)
    } else if (opcode === 0) {
      const length = leb(false)
      const next = pos + length
      if (b[pos] === LNE.endSequence) {
        row(0)
        line = 1
        address = 0
      } else if (b[pos] === LNE.setAddress) {
        const relocation = relocationsIn(section.relocations, pos + 1, pos + 2)[0]
        home = relocation?.symbol.section
        const inField = bits === 64 ? Number(b.readBigUInt64LE(pos + 1)) : b.readUInt32LE(pos + 1)
        address = (relocation?.symbol.value ?? 0) + (relocation?.addend ?? inField)
      }
      pos = next
    } else if (opcode === LNS.copy) row(line)
    else if (opcode === LNS.advancePc) address += leb(false)
    else if (opcode === LNS.advanceLine) line += leb(true)
    else if (opcode === LNS.constAddPc) address += Math.floor((255 - opcodeBase) / lineRange)
    else if (opcode === LNS.fixedAdvancePc) {
      address += b.readUInt16LE(pos)
      pos += 2
    } else for (let count = operands[opcode - 1] ?? 0; count > 0; count--) leb(false)
  }
  return end
}

/** By address; of several rows for one, the last one holds, but not the end of the function in front of it. */
function inOrder({ addresses, lines }: Rows): Rows {
  const isEnd = (index: number): number => (lines[index] === 0 ? 0 : 1)
  const order = addresses
    .map((_, index) => index)
    .sort((a, b) => addresses[a]! - addresses[b]! || isEnd(a) - isEnd(b) || a - b)
  return { addresses: order.map((i) => addresses[i]!), lines: order.map((i) => lines[i]!) }
}
