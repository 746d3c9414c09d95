// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Layout, type Member, noLayout, type Struct } from '../../../tools/kernel/layout.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'
import {
  changesOf,
  type ContextFacts,
  contextGaps,
  contextOf,
  parseStructList,
} from '../../../tools/result/bench-context.ts'

const m = (name: string, offset: number, size: number, type: string): Member => ({ name, offset, size, type })
const bit = (name: string, offset: number, first: number, width: number): Member => ({
  ...m(name, offset, Math.ceil((first + width) / 8), 'unsigned int'),
  bits: { first, width },
})
const s = (bytes: number, ...members: Member[]): Struct => ({
  bytes,
  holes: bytes - members.reduce((sum, { size }) => sum + size, 0),
  cachelines: Math.ceil(bytes / 64),
  members,
})
const layout = (structs: Record<string, Struct>, leftOut: Layout['leftOut'] = []): Layout => ({
  version: 1,
  leftOut,
  structs,
})
const facts = (of?: Layout, slab?: number): ContextFacts => ({
  bytes: { text: 100, data: 20, bss: 3 },
  layout: of,
  slab,
})

const BIO_VEC = s(
  16,
  m('bv_page', 0, 8, 'struct page *'),
  m('bv_len', 8, 4, 'unsigned int'),
  m('bv_offset', 12, 4, 'unsigned int'),
)
const AS_PHYR = s(16, m('addr', 0, 8, 'phys_addr_t'), m('bv_len', 8, 8, 'size_t'))

describe('changesOf', () => {
  test.each<[string, Struct, Struct, string[]]>([
    ['nothing', BIO_VEC, BIO_VEC, []],
    [
      'a member in front moves the others',
      s(16, m('bi_io_vec', 96, 8, 'x *'), m('bi_pool', 104, 8, 'y *')),
      s(24, m('bi_io_vec', 104, 8, 'x *'), m('bi_pool', 112, 8, 'y *'), m('bi_new', 96, 8, 'long')),
      ['bi_io_vec: offset 96 -> 104', 'bi_pool: offset 104 -> 112', 'bi_new new: long at offset 96, 8 bytes'],
    ],
    [
      'three neighbours that move alike are one line; the one that grew is not among them',
      s(20, m('a', 0, 4, 'int'), m('b', 4, 4, 'int'), m('c', 8, 4, 'int'), m('d', 12, 4, 'int')),
      s(32, m('a', 8, 4, 'int'), m('b', 12, 4, 'int'), m('c', 16, 4, 'int'), m('d', 20, 8, 'long')),
      ['a to c: 3 members, offset +8', 'd: offset 12 -> 20, 4 bytes -> 8 bytes, int -> long'],
    ],
    [
      'neighbours that move by different distances',
      s(16, m('a', 8, 4, 'int'), m('b', 12, 4, 'int'), m('c', 16, 4, 'int'), m('d', 20, 4, 'int')),
      s(16, m('a', 4, 4, 'int'), m('b', 8, 4, 'int'), m('c', 8, 4, 'int'), m('d', 12, 4, 'int')),
      ['a: offset 8 -> 4', 'b: offset 12 -> 8', 'c: offset 16 -> 8', 'd: offset 20 -> 12'],
    ],
    [
      'bio_vec becomes a phyr',
      BIO_VEC,
      AS_PHYR,
      [
        'bv_page gone',
        'bv_len: 4 bytes -> 8 bytes, unsigned int -> size_t',
        'bv_offset gone',
        'addr new: phys_addr_t at offset 0, 8 bytes',
      ],
    ],
    [
      'only the type',
      s(8, m('bi_io_vec', 0, 8, 'struct bio_vec *')),
      s(8, m('bi_io_vec', 0, 8, 'struct phyr *')),
      ['bi_io_vec: struct bio_vec * -> struct phyr *'],
    ],
    [
      'bit fields: a bit further on, wider, and a whole byte to a bit',
      s(4, bit('a', 0, 3, 1), bit('b', 0, 4, 1), m('c', 1, 1, 'unsigned int'), bit('d', 2, 0, 2)),
      s(4, bit('a', 0, 4, 1), bit('b', 0, 4, 2), bit('c', 1, 0, 1), bit('d', 3, 0, 2)),
      [
        'a: offset 0:3 -> 0:4',
        'b: 1 bit -> 2 bits',
        'c: offset 1 -> 1:0, 1 byte -> 1 bit',
        'd: offset 2:0 -> 3:0',
      ],
    ],
  ])('%s', (_, was, is, changes) => {
    expect(changesOf(was, is)).toEqual(changes)
  })
})

test('the table has the listed structures that one side has, with null where there is none', () => {
  const base = layout({ 'struct bio_vec': BIO_VEC, 'struct phys_vec': s(16), 'struct other': s(1) })
  const series = layout({ 'struct bio_vec': AS_PHYR, 'struct phyr': s(16, m('addr', 0, 8, 'x')) })
  const names = ['struct phyr', 'struct phys_vec', 'struct nowhere', 'struct bio_vec', 'struct constructor']
  const context = contextOf(facts(base, 4096), facts(series, 8192), names)
  expect(context).toMatchObject({ slab: { base: 4096, series: 8192 }, text: { base: 100, series: 100 } })
  expect(context.structs.map(({ name, bytes, changes }) => ({ name, bytes, changes }))).toEqual([
    { name: 'struct phyr', bytes: { base: null, series: 16 }, changes: ['new'] },
    { name: 'struct phys_vec', bytes: { base: 16, series: null }, changes: ['gone'] },
    {
      name: 'struct bio_vec',
      bytes: { base: 16, series: 16 },
      changes: expect.arrayContaining(['bv_page gone']),
    },
  ])
  expect(context.structs[0]).toMatchObject({
    holes: { base: null, series: 8 },
    cachelines: { base: null, series: 1 },
  })
})

test('what could not be looked at is no difference, and is said', () => {
  const there = layout({ 'struct rxe_mr': s(8) })
  const part = layout({}, [
    { header: 'rxe.h', kind: 'broken', why: 'error: x' },
    { header: 'phyr.h', kind: 'absent', why: 'this tree has no such file' },
  ])
  expect(contextOf(facts(there), facts(part), ['struct rxe_mr']).structs[0]?.changes).toEqual([
    'gone, or in a header that does not compile (rxe.h)',
  ])
  expect(contextGaps(facts(there), facts(part))).toEqual([
    'series: structures of rxe.h are left out: error: x',
  ])
  const none = facts(noLayout('pahole is not installed'))
  expect(contextOf(facts(there, 1), none, ['struct rxe_mr'])).toEqual({
    text: { base: 100, series: 100 },
    data: { base: 20, series: 20 },
    bss: { base: 3, series: 3 },
    structs: [],
  })
  expect(contextGaps(facts(), none)).toEqual([
    'base: the kernel came without the layout of its structures',
    'series: no layout of structures: pahole is not installed',
  ])
})

describe('structs.txt', () => {
  test('the toolkit’s own list is well-formed and has what the series is about', () => {
    const file = join(toolRoot, 'qemu/bench/structs.txt')
    expect(existsSync(file)).toBe(true)
    const names = parseStructList(readFileSync(file, 'utf8'), 'structs.txt')
    for (const name of ['bio', 'bio_vec', 'request', 'scatterlist', 'folio', 'phyr', 'phys_vec'])
      expect(names).toContain(`struct ${name}`)
  })

  test('comments and blank lines are no names', () => {
    expect(parseStructList('# x\n\n struct  bio # y\nunion u\n', 'f')).toEqual(['struct bio', 'union u'])
  })

  test.each([
    ['struct bio\nbio_vec\n', 'f:2: not a structure: bio_vec'],
    ['struct bio *', 'f:1: not a structure: struct bio *'],
    ['struct bio\n#\nstruct   bio', 'f:3: struct bio is there already'],
  ])('%j is refused', (text, message) => {
    expect(() => parseStructList(text, 'f')).toThrow(message)
  })
})
