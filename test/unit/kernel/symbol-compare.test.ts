// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from 'vitest'
import { claimsNfc, nfcOf } from '../../../tools/kernel/nfc.ts'
import { compareSymbols } from '../../../tools/kernel/symbol-compare.ts'
import type { ObjectSymbols } from '../../../tools/kernel/symbol-state.ts'

const symbols = (objects: Record<string, Record<string, string>>): ObjectSymbols =>
  new Map(Object.entries(objects).map(([path, map]) => [path, new Map(Object.entries(map))]))

describe('compareSymbols', () => {
  it('tells added, removed and changed symbols, and objects that came and went', () => {
    const found = compareSymbols(
      symbols({ 'a.o': { f: 't1', g: 't2', same: 't9', data: 'd1' }, 'old.o': { o: 't5' } }),
      symbols({ 'a.o': { f: 't3', h: 't4', same: 't9', data: 'd2' }, 'new.o': { n: 'r6' } }),
    )
    expect(found).toEqual({
      added: [
        { object: 'a.o', symbol: 'h' },
        { object: 'new.o', symbol: 'n' },
      ],
      removed: [
        { object: 'a.o', symbol: 'g' },
        { object: 'old.o', symbol: 'o' },
      ],
      changed: [
        { object: 'a.o', symbol: 'data', kind: 'data' },
        { object: 'a.o', symbol: 'f', kind: 'code' },
      ],
      moved: [],
      renamed: [],
    })
  })

  it('knows what only moved to another object', () => {
    const found = compareSymbols(
      symbols({ 'a.o': { f: 't1', g: 't2' }, 'b.o': {}, 'c.o': { same: 't1' } }),
      symbols({ 'a.o': {}, 'b.o': { f: 't1', g: 't3' }, 'c.o': { same: 't1' } }),
    )
    expect(found.moved).toEqual([{ symbol: 'f', from: 'a.o', to: 'b.o' }])
    expect(found.added).toEqual([{ object: 'b.o', symbol: 'g' }])
    expect(found.removed).toEqual([{ object: 'a.o', symbol: 'g' }])
  })

  it('compares symbols of one name as a set', () => {
    const before = symbols({ 'a.o': { '__func__.*': 'r1,r1,r2' } })
    expect(compareSymbols(before, symbols({ 'a.o': { '__func__.*': 'r1,r1,r2,r3' } }))).toMatchObject({
      added: [{ object: 'a.o', symbol: '__func__.*' }],
      removed: [],
      changed: [],
    })
    expect(compareSymbols(before, symbols({ 'a.o': { '__func__.*': 'r1,r2,r3' } })).changed).toHaveLength(1)
  })
})

describe('compareSymbols, line numbers', () => {
  it('tells code of which only the line number is another', () => {
    const before = symbols({ 'a.o': { f: 't1~7', g: 't2~8', same: 't3~5', two: 't1~7,t2~8' } })
    const after = symbols({ 'a.o': { f: 't4~7', g: 't5~9', same: 't3', two: 't2~8,t6~7' } })
    const found = compareSymbols(before, after)
    expect(found.changed).toEqual([
      { object: 'a.o', symbol: 'f', kind: 'line number' },
      { object: 'a.o', symbol: 'g', kind: 'code' },
      { object: 'a.o', symbol: 'two', kind: 'line number' },
    ])
    expect(nfcOf('NFC', found).changed).toEqual(['a.o: g (code)'])
    const moved = compareSymbols(symbols({ 'a.o': { f: 't1~7' } }), symbols({ 'b.o': { f: 't4~7' } }))
    expect(moved).toMatchObject({ added: [], removed: [], changed: [], moved: [{ symbol: 'f' }] })
  })
})

describe('compareSymbols, names', () => {
  const before = symbols({
    'a.o': { old: 't1 5 helper', caller: 't2 6 old printk', other: 't3 7 old' },
    'b.o': { user: 't4 8 old kfree', ops: 'r5 9 old' },
  })

  it('knows what only has another name, and what refers to it', () => {
    const after = symbols({
      'a.o': { new: 't1 5 helper', caller: 't12 6 new printk', other: 't13 7 new' },
      'b.o': { user: 't14 8 new kfree', ops: 'r15 9 new' },
    })
    const found = compareSymbols(before, after)
    expect(found).toMatchObject({ added: [], removed: [] })
    expect(found.renamed).toEqual([{ object: 'a.o', from: 'old', to: 'new' }])
    expect(found.changed.map(({ symbol, kind }) => `${symbol} ${kind}`)).toEqual([
      'caller renamed',
      'other renamed',
      'ops renamed',
      'user renamed',
    ])
    expect(nfcOf('NFC', found).changed).toEqual([])
  })

  it('sees another function of the same shape, and another use', () => {
    const after = symbols({
      'a.o': { new: 't1 5 helper', caller: 't12 6 new pr_err', other: 't13 77 new' },
      'b.o': { user: 't14 8 kfree new', ops: 'r15 9 another' },
    })
    const found = compareSymbols(before, after)
    expect(nfcOf('NFC', found).changed).toEqual([
      'a.o: caller (code)',
      'a.o: other (code)',
      'b.o: ops (data)',
      'b.o: user (code)',
    ])
  })

  it('takes two that refer to each other for renamed only when both are', () => {
    const pair = (a: string, b: string, also: string): ObjectSymbols =>
      symbols({ 'a.o': { [a]: `t${a}1 5 ${b} ${also}`, [b]: `t${b}2 6 ${a}` } })
    const found = compareSymbols(pair('f', 'f.cold', 'x'), pair('g', 'g.cold', 'x'))
    expect(found.renamed.map(({ from, to }) => `${from} ${to}`)).toEqual(['f g', 'f.cold g.cold'])
    const other = compareSymbols(pair('f', 'f.cold', 'x'), pair('g', 'g.cold', 'y'))
    expect(other.renamed).toEqual([])
    expect(other.removed).toHaveLength(2)
  })
})

describe('nfcOf', () => {
  const before = symbols({ 'a.o': { f: 't1', moved: 't2' } })

  it('lists what is not as before, but for what moved', () => {
    const after = symbols({ 'a.o': { f: 't9' }, 'b.o': { moved: 't2', more: 't3' } })
    const nfc = nfcOf('subject\n\nNo functional change.\n', compareSymbols(before, after))
    expect(nfc).toMatchObject({
      claimed: true,
      intended: false,
      changed: ['a.o: f (code)', 'b.o: more (added)'],
    })
    expect(nfcOf('subject', compareSymbols(before, before))).toEqual({
      claimed: false,
      intended: false,
      changed: [],
    })
  })

  it('tells what is intended from what is claimed', () => {
    const intended = (text: string): boolean => nfcOf(text, compareSymbols(before, before)).intended
    expect(intended('No functional change intended.')).toBe(true)
    expect(intended('no intended\nfunctional changes')).toBe(true)
    expect(intended('No functional change.')).toBe(false)
  })

  it.each([
    'No functional change.',
    'No functional changes intended.',
    'no intended functional change',
    'There is no\nfunctional change.',
    'x: tidy up (NFC)',
    'NFC: x: tidy up',
    'Rename it without functional change.',
    'without any functional changes',
    'No functional or ABI change.',
    'No change in functionality.',
  ])('finds the claim in "%s"', (text) => expect(claimsNfc(text)).toBe(true))

  it.each([
    'This is a functional change.',
    'A functional change follows.',
    'nfc: near field communication: fix it',
    'NFCv2 and UNFC',
    'Nothing changes the functions.',
    'The functional changes are in the next patch.',
  ])('finds none in "%s"', (text) => expect(claimsNfc(text)).toBe(false))
})
