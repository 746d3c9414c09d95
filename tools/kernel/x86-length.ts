// SPDX-License-Identifier: GPL-2.0-only

/** One machine instruction, as far as moving it is concerned. */
export interface Instruction {
  /** Bytes. */
  readonly length: number
  /** Where a relative jump or call has its distance, from the start of the instruction; 0 for all others. */
  readonly distanceAt: number
  /** Where its opcode is, behind the prefixes. */
  readonly opcodeAt: number
}

const TWO_BYTE = 0x0f

/**
 * Decodes the instruction at `at`, as far as its length and relative jumps go: Intel SDM volume 2, appendix A.
 *
 * @returns undefined for bytes that are no instruction, or that go on behind `end`.
 */
export function decode(code: Buffer, at: number, end: number, bits: 32 | 64): Instruction | undefined {
  let pos = at
  let operand16 = false
  let address16 = false
  let wide = false
  for (; pos < end; pos++) {
    const byte = code[pos]!
    if (byte === 0x66) operand16 = true
    else if (byte === 0x67) address16 = bits === 32
    else if (!PREFIXES.has(byte)) break
  }
  if (bits === 64 && pos < end && (code[pos]! & 0xf0) === 0x40) {
    wide = (code[pos]! & 8) !== 0
    pos++
  }
  if (pos >= end) return undefined
  const opcodeAt = pos - at
  const first = code[pos++]!
  let shape: number
  let opcode = first
  if (isVex(first, code[pos], bits)) {
    const map = first === 0xc5 ? 1 : code[pos]! & (first === 0x62 ? 7 : 0x1f)
    pos += first === 0xc5 ? 1 : first === 0xc4 ? 2 : 3
    opcode = code[pos++] ?? 0
    shape = map === 1 ? TWO[opcode]! : map === 3 ? MODRM | IMM8 : MODRM
  } else if (first === TWO_BYTE) {
    opcode = code[pos++] ?? 0
    shape = TWO[opcode]!
    if (opcode === 0x38 || opcode === 0x3a) {
      shape = opcode === 0x3a ? MODRM | IMM8 : MODRM
      pos++
    }
  } else {
    shape = ONE[first]!
    if (bits === 64 && INVALID64.has(first)) return undefined
  }
  if (shape === BAD) return undefined
  if (shape & MODRM) {
    const modrm = code[pos]
    if (modrm === undefined) return undefined
    // Of test, not, neg, mul and div only test has an immediate.
    if (first === 0xf6 && (modrm & 0x38) < 0x10) shape |= IMM8
    if (first === 0xf7 && (modrm & 0x38) < 0x10) shape |= IMMZ
    pos += modrmLength(code, pos, address16)
  }
  const immediateAt = pos
  if (shape & IMM8) pos += 1
  if (shape & IMM16) pos += 2
  if (shape & IMMZ) pos += operand16 ? 2 : 4
  if (shape & IMMV) pos += wide ? 8 : operand16 ? 2 : 4
  if (shape & OFFSET) pos += bits === 64 ? 8 : address16 ? 2 : 4
  if (shape & REL8) pos += 1
  // In 64-bit mode the operand size prefix is ignored here.
  if (shape & RELZ) pos += operand16 && bits === 32 ? 2 : 4
  if (pos > end) return undefined
  return { length: pos - at, distanceAt: shape & (REL8 | RELZ) ? immediateAt - at : 0, opcodeAt }
}

/**
 * Whether an instruction does nothing, and is there for alignment: how many an assembler puts in depends on where the
 * function lies. Not PAUSE, which is a nop with a prefix.
 */
export function isNop(code: Buffer, at: number, { length, opcodeAt }: Instruction, bits: 32 | 64): boolean {
  const opcode = code[at + opcodeAt]!
  if (opcode === 0x90) return !code.subarray(at, at + opcodeAt).includes(0xf3)
  if (opcode === TWO_BYTE) return code[at + opcodeAt + 1] === 0x1f
  // lea 0(%esi),%esi, with or without an index and of any length: what gas has for the i386.
  const [modrm = 0, next = 0] = code.subarray(at + opcodeAt + 1, at + length)
  const isSame = modrm === 0x76 || modrm === 0xb6 || ((modrm === 0x74 || modrm === 0xb4) && next === 0x26)
  if (bits === 64 || opcode !== 0x8d || !isSame) return false
  const displacement = modrm & 0x80 ? 4 : 1
  return code.subarray(at + length - displacement, at + length).every((b) => b === 0)
}

const MODRM = 1
const IMM8 = 2
const IMM16 = 4
const IMMZ = 8
const IMMV = 16
const OFFSET = 32
const REL8 = 64
const RELZ = 128
const BAD = 256

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0xf0, 0xf2, 0xf3])
/** Gone in 64-bit mode. */
const INVALID64 = new Set([
  0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd5,
  0xd6, 0xea,
])

const ONE = table({
  [MODRM]: '00-03 08-0b 10-13 18-1b 20-23 28-2b 30-33 38-3b 62-63 84-8f c4-c5 d0-d3 d8-df f6-f7 fe-ff',
  [IMM8]: '04 0c 14 1c 24 2c 34 3c 6a a8 b0-b7 cd d4-d5 e4-e7',
  [IMMZ]: '05 0d 15 1d 25 2d 35 3d 68 a9',
  [IMMV]: 'b8-bf',
  [MODRM | IMM8]: '6b 80 82-83 c0-c1 c6',
  [MODRM | IMMZ]: '69 81 c7',
  [REL8]: '70-7f e0-e3 eb',
  [RELZ]: 'e8-e9',
  [OFFSET]: 'a0-a3',
  [IMM16]: 'c2 ca',
  [IMM16 | IMM8]: 'c8',
  [IMM16 | IMMZ]: '9a ea',
})
const TWO = table({
  [MODRM]: '00-03 0d 10-23 28-2f 40-6f 74-76 78-7f 90-9f a3 a5 a6-a7 ab ad-af b0-b9 bb-c1 c3 c7 d0-ff',
  [MODRM | IMM8]: '0f 70-73 a4 ac ba c2 c4-c6',
  [RELZ]: '80-8f',
  [BAD]: '04 0a 0c 24-27 36 39 3b-3f',
})

/** 256 shapes; an opcode that is not named has neither operand bytes nor a ModRM byte. */
function table(shapes: Readonly<Record<number, string>>): Uint16Array {
  const out = new Uint16Array(256)
  for (const [shape, ranges] of Object.entries(shapes)) {
    for (const range of ranges.split(' ')) {
      const [from = 0, to = from] = range.split('-').map((hex) => Number.parseInt(hex, 16))
      out.fill(Number(shape), from, to + 1)
    }
  }
  return out
}

/** VEX and EVEX took the codes of LDS, LES and BOUND, which outside of 64-bit mode cannot have a register there. */
function isVex(first: number, next: number | undefined, bits: 32 | 64): boolean {
  if (first !== 0xc4 && first !== 0xc5 && first !== 0x62) return false
  return bits === 64 || (next ?? 0) >= 0xc0
}

/** Bytes of ModRM, SIB and displacement. */
function modrmLength(code: Buffer, at: number, address16: boolean): number {
  const modrm = code[at]!
  const mod = modrm >> 6
  const rm = modrm & 7
  if (mod === 3) return 1
  if (address16) return mod === 1 ? 2 : mod === 2 || rm === 6 ? 3 : 1
  const sib = rm === 4 ? 1 : 0
  const base = sib ? (code[at + 1] ?? 0) & 7 : rm
  if (mod === 1) return 2 + sib
  if (mod === 2 || base === 5) return 5 + sib
  return 1 + sib
}
