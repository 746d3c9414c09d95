// SPDX-License-Identifier: GPL-2.0-only
import { SHF } from '../lib/elf.ts'
import type { ObjectSection } from '../lib/elf-object.ts'
import type { Atom } from './symbol-atoms.ts'
import type { Instruction } from './x86-length.ts'

/** More than any source file of the kernel that somebody wrote by hand. */
const MOST_LINES = 200_000
/** Lines that one call goes over. */
const LONGEST_CALL = 12

/** What code does with an address: 'address' takes it, 'compared' compares another with it. */
export type OperandUse = 'address' | 'compared' | undefined

export function operandUse(
  bytes: Buffer,
  pos: number,
  { length, opcodeAt }: Instruction,
  field: number,
): OperandUse {
  const opcode = bytes[pos + opcodeAt]!
  if (opcode === 0x8d) return 'address'
  if (field + 4 !== pos + length) return undefined
  if (opcode === 0x3d || (opcode === 0x81 && (bytes[pos + opcodeAt + 1]! & 0x38) === 0x38)) return 'compared'
  const isImmediate = (opcode >= 0xb8 && opcode <= 0xbf) || [0x68, 0x81, 0xc7, 0x05].includes(opcode)
  return isImmediate ? 'address' : undefined
}

/** Structures that hold nothing but places in the source. */
export function hideLines(
  bytes: Buffer,
  { name }: ObjectSection,
  bits: 32 | 64,
  atom: Atom | undefined,
): void {
  // struct kunit_loc { int line; ... } (include/kunit/assert.h)
  if (atom?.name === '__loc.*' && bytes.length >= 4) bytes.fill(0, 0, 4)
  // struct _ddebug (include/linux/dynamic_debug.h): four pointers, then 18 bits of line in front of class and flags
  const at = bits / 2
  if (name !== '__dyndbg' || bytes.length < at + 4) return
  bytes.writeUInt32LE((bytes.readUInt32LE(at) & 0xfffc0000) >>> 0, at)
}

/** One code for the short and the long form of a jump. */
export function jumpCode(bytes: Buffer, at: number): number {
  const first = bytes[at]!
  if (first === 0x0f) return 0x70 | (bytes[at + 1]! & 15)
  return first === 0xeb ? 0xe9 : first
}

/** The constant of 32 bits that an instruction loads, pushes or stores. */
export function constantOf(
  bytes: Buffer,
  pos: number,
  { length, opcodeAt }: Instruction,
): number | undefined {
  const opcode = bytes[pos + opcodeAt]!
  const isLoad = (opcode >= 0xb8 && opcode <= 0xbf && length - opcodeAt === 5) || opcode === 0x68
  const isStore = opcode === 0xc7 && length - opcodeAt >= 6
  if (!(isLoad || isStore) || bytes.subarray(pos, pos + opcodeAt).includes(0x66)) return undefined
  return bytes.readInt32LE(pos + length - 4)
}

/**
 * Whether a constant in an instruction is the number of the source line that the instruction is of: it comes from
 * __LINE__ in an argument. When a macro's arguments go over several lines, __LINE__ is the last of them, and the
 * instruction is of the first.
 */
export function isLineNumber(value: number, line: number): boolean {
  return line > 0 && value <= MOST_LINES && value >= line && value - line <= LONGEST_CALL
}

/** Strings and constants that the linker puts together with equal ones: their content is all that they are. */
export function mergeable({ flags, bytes, entsize }: ObjectSection, address: number): string {
  if (flags & SHF.strings) {
    const end = bytes.indexOf(Buffer.alloc(Math.max(1, entsize)), address)
    return JSON.stringify(bytes.toString('latin1', address, end < 0 ? bytes.length : end))
  }
  const entry = Math.max(1, entsize)
  return `0x${bytes.toString('hex', address, address - (address % entry) + entry)}`
}
