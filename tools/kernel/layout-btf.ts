// SPDX-License-Identifier: GPL-2.0-only
import type { Member, Struct } from './layout.ts'

/** Of a type's `info` word: Documentation/bpf/btf.rst. */
const KIND = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  proto: 13,
  var: 14,
  datasec: 15,
  float: 16,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const

/** Bytes behind the 12 that every type has: so many, and so many for each of its `vlen` parts. */
const EXTRA: Readonly<Record<number, readonly [fixed: number, each: number]>> = {
  [KIND.int]: [4, 0],
  [KIND.array]: [12, 0],
  [KIND.struct]: [0, 12],
  [KIND.union]: [0, 12],
  [KIND.enum]: [0, 8],
  [KIND.proto]: [0, 8],
  [KIND.var]: [4, 0],
  [KIND.datasec]: [0, 12],
  [KIND.declTag]: [4, 0],
  [KIND.enum64]: [0, 12],
}
const LAST_KIND = KIND.enum64
const MAGIC = 0xeb9f
/** No type of a kernel is nested as deep; a damaged file can be a circle. */
const DEEPEST = 64

interface Type {
  readonly kind: number
  readonly name: string
  /** Size or type, by kind. */
  readonly value: number
  /** Where its parts begin in the file. */
  readonly at: number
  readonly parts: number
  /** Of struct and union: the members' offsets hold a bit field's width as well. Of fwd: it is a union. */
  readonly flag: boolean
}

/**
 * Reads the structures and unions with a name from BTF, as `pahole --btf_encode_detached` writes it
 * (little-endian). Keyed by "struct NAME"; when a name comes twice, the first is kept.
 *
 * @param pointerBytes of the machine that the object is for: BTF does not say.
 * @throws Error when it is no BTF, or damaged.
 */
export function structsOf(btf: Buffer, pointerBytes: 4 | 8): ReadonlyMap<string, Struct> {
  const types = readTypes(btf)
  const reader = new Reader(btf, types, pointerBytes)
  const found = new Map<string, Struct>()
  for (const type of types) {
    if ((type.kind !== KIND.struct && type.kind !== KIND.union) || type.name === '') continue
    const key = `${type.kind === KIND.struct ? 'struct' : 'union'} ${type.name}`
    if (!found.has(key)) found.set(key, asStruct(type.value, reader.members(type)))
  }
  return found
}

function asStruct(bytes: number, members: readonly Member[]): Struct {
  let holes = 0
  let end = 0
  for (const { offset, size } of members.toSorted((a, b) => a.offset - b.offset)) {
    holes += Math.max(0, offset - end)
    end = Math.max(end, offset + size)
  }
  holes += Math.max(0, bytes - end)
  return { bytes, holes, cachelines: Math.ceil(bytes / 64), members }
}

function readTypes(btf: Buffer): readonly Type[] {
  if (btf.length < 24 || btf.readUInt16LE(0) !== MAGIC) throw new Error('it is no little-endian BTF')
  const header = btf.readUInt32LE(4)
  const start = header + btf.readUInt32LE(8)
  const end = start + btf.readUInt32LE(12)
  const strings = header + btf.readUInt32LE(16)
  const stringsEnd = strings + btf.readUInt32LE(20)
  if (end > btf.length || stringsEnd > btf.length) throw new Error('the BTF is cut off')
  const nameAt = (offset: number): string => {
    const from = strings + offset
    const to = btf.indexOf(0, from)
    if (to === -1 || to >= stringsEnd) throw new Error('a name in the BTF does not end')
    return btf.toString('utf8', from, to)
  }
  // Type 0 is void.
  const types: Type[] = [{ kind: 0, name: 'void', value: 0, at: 0, parts: 0, flag: false }]
  for (let at = start; at < end;) {
    const info = btf.readUInt32LE(at + 4)
    const kind = (info >>> 24) & 0x1f
    if (kind === 0 || kind > LAST_KIND) throw new Error(`BTF kind ${kind} is not known`)
    const parts = info & 0xffff
    const name = nameAt(btf.readUInt32LE(at))
    types.push({
      kind,
      name,
      value: btf.readUInt32LE(at + 8),
      at: at + 12,
      parts,
      flag: info >>> 31 === 1,
    })
    const [fixed, each] = EXTRA[kind] ?? [0, 0]
    at += 12 + fixed + parts * each
  }
  return types
}

class Reader {
  readonly #btf: Buffer
  readonly #types: readonly Type[]
  readonly #pointerBytes: number

  constructor(btf: Buffer, types: readonly Type[], pointerBytes: number) {
    this.#btf = btf
    this.#types = types
    this.#pointerBytes = pointerBytes
  }

  /** Members with a name; those of unnamed structures and unions are told as the outer one's own. */
  members(of: Type, base = 0, prefix = '', depth = 0): readonly Member[] {
    if (depth > DEEPEST) throw new Error('the BTF is a circle')
    return Array.from({ length: of.parts }, (_, index) => of.at + 12 * index).flatMap((at) => {
      const name = this.#string(at)
      const id = this.#btf.readUInt32LE(at + 4)
      const packed = this.#btf.readUInt32LE(at + 8)
      const width = of.flag ? packed >>> 24 : 0
      const bit = base * 8 + (of.flag ? packed & 0xffffff : packed)
      const inner = this.#bare(id)
      if (inner.name === '' && (inner.kind === KIND.struct || inner.kind === KIND.union)) {
        return this.members(inner, bit / 8, name === '' ? prefix : `${prefix}${name}.`, depth + 1)
      }
      if (name === '') return [] // a bit field that only keeps a place
      const offset = Math.floor(bit / 8)
      const member = { name: prefix + name, offset, type: this.#typeName(id) }
      if (width === 0) return [{ ...member, size: this.#size(id) }]
      const first = bit % 8
      return [{ ...member, size: Math.ceil((first + width) / 8), bits: { width, first } }]
    })
  }

  #string(at: number): string {
    const header = this.#btf.readUInt32LE(4)
    const from = header + this.#btf.readUInt32LE(16) + this.#btf.readUInt32LE(at)
    return this.#btf.toString('utf8', from, this.#btf.indexOf(0, from))
  }

  #type(id: number): Type {
    const type = this.#types[id]
    if (!type) throw new Error(`the BTF has no type ${id}`)
    return type
  }

  /** Without const, volatile and the like. Not through a typedef: its name is worth more. */
  #bare(id: number, depth = 0): Type {
    const type = this.#type(id)
    return isQualifier(type) && depth < DEEPEST ? this.#bare(type.value, depth + 1) : type
  }

  #size(id: number, depth = 0): number {
    if (depth > DEEPEST) throw new Error('the BTF is a circle')
    const type = this.#type(id)
    if (type.kind === KIND.ptr) return this.#pointerBytes
    if (type.kind === KIND.array) {
      return this.#size(this.#btf.readUInt32LE(type.at), depth + 1) * this.#btf.readUInt32LE(type.at + 8)
    }
    if (isQualifier(type) || type.kind === KIND.typedef || type.kind === KIND.var)
      return this.#size(type.value, depth + 1)
    return SIZED.has(type.kind) ? type.value : 0
  }

  /** As C writes it. A pointer to a function says no more than that it is one. */
  #typeName(id: number, depth = 0): string {
    if (depth > DEEPEST) throw new Error('the BTF is a circle')
    const type = this.#type(id)
    const target = (of: number): string => this.#typeName(of, depth + 1)
    switch (type.kind) {
      case KIND.ptr: {
        const to = target(type.value)
        if (to === 'function') return 'function *'
        return to.endsWith('*') ? `${to}*` : `${to} *`
      }
      case KIND.array:
        return this.#arrayName(type, target)
      case KIND.const:
        return qualified('const', target(type.value))
      case KIND.volatile:
        return qualified('volatile', target(type.value))
      case KIND.restrict:
      case KIND.typeTag:
        return target(type.value)
      case KIND.struct:
      case KIND.union:
      case KIND.fwd:
      case KIND.enum:
      case KIND.enum64:
        return `${keyword(type)} ${type.name === '' ? '{...}' : type.name}`
      case KIND.proto:
        return 'function'
      default:
        return type.name
    }
  }

  /** The outer length comes first: int[2][3] (pahole makes one of them: int[6]). */
  #arrayName(array: Type, target: (id: number) => string): string {
    const element = target(this.#btf.readUInt32LE(array.at))
    const [, before, lengths] = /^(.*?)((?:\[\d+\])*)$/s.exec(element) ?? []
    return `${before ?? element}[${this.#btf.readUInt32LE(array.at + 8)}]${lengths ?? ''}`
  }
}

const SIZED = new Set<number>([KIND.int, KIND.struct, KIND.union, KIND.enum, KIND.enum64, KIND.float])

function isQualifier({ kind }: Type): boolean {
  return kind === KIND.const || kind === KIND.volatile || kind === KIND.restrict || kind === KIND.typeTag
}

/** Of a pointer, the word stands behind the star. */
function qualified(word: string, type: string): string {
  return type.endsWith('*') ? `${type} ${word}` : `${word} ${type}`
}

function keyword({ kind, flag }: Type): string {
  if (kind === KIND.enum || kind === KIND.enum64) return 'enum'
  if (kind === KIND.fwd) return flag ? 'union' : 'struct'
  return kind === KIND.union ? 'union' : 'struct'
}
