// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from 'vitest'
import { asLayout, type Member, noLayout, type Struct } from '../../../tools/kernel/layout.ts'
import { compareLayouts } from '../../../tools/result/layout-compare.ts'

const member = (name: string, offset: number, size: number): Member => ({ name, offset, size, type: 'int' })
const struct = (bytes: number, holes: number, ...members: Member[]): Struct => ({
  bytes,
  holes,
  cachelines: Math.ceil(bytes / 64),
  members,
})
const one = struct(8, 0, member('a', 0, 4), member('b', 4, 4))
const layout = (structs: Record<string, Struct>): ReturnType<typeof asLayout> =>
  asLayout(new Map(Object.entries(structs)), [])

describe('compareLayouts', () => {
  it('tells added, removed and changed structures, with their deltas', () => {
    const grown = struct(72, 4, member('a', 0, 4), member('b', 8, 4), member('c', 12, 60))
    const found = compareLayouts(
      layout({ 'struct x': one, 'struct same': one, 'struct old': one }),
      layout({ 'struct x': grown, 'struct same': one, 'struct new': one }),
    )
    expect(found).toEqual({
      added: ['struct new'],
      removed: ['struct old'],
      changed: [
        {
          name: 'struct x',
          bytes: 72,
          bytesDelta: 64,
          holes: 4,
          holesDelta: 4,
          cachelinesDelta: 1,
          members: ['b: offset 4 -> 8', 'c new: int at offset 12, 60 bytes'],
        },
      ],
      uncertain: [],
    })
  })

  it('sees members that changed places in a structure of the same size', () => {
    const swapped = struct(8, 0, member('b', 0, 4), member('a', 4, 4))
    const { changed } = compareLayouts(layout({ 'struct x': one }), layout({ 'struct x': swapped }))
    expect(changed.map(({ name, bytesDelta }) => [name, bytesDelta])).toEqual([['struct x', 0]])
  })

  it('says when it cannot know', () => {
    expect(compareLayouts(undefined, layout({})).absent).toMatch(/without the layout/)
    expect(compareLayouts(layout({}), noLayout('pahole is not installed')).absent).toBe(
      'pahole is not installed',
    )
    const broken = asLayout(new Map(), [{ header: 'include/linux/bio.h', kind: 'broken', why: 'error' }])
    const found = compareLayouts(layout({ 'struct x': one }), broken)
    expect(found).toMatchObject({ removed: ['struct x'], uncertain: ['include/linux/bio.h'] })
  })
})
