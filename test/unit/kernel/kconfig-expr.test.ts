// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { evaluate, parseExpr, show, terms } from '../../../tools/kernel/kconfig-expr.ts'

const config = new Map([
  ['A', 'y'],
  ['M', 'm'],
  ['N100', '100'],
  ['S', '"text"'],
])
const value = (text: string): number | undefined => {
  const expr = parseExpr(text)
  if (!expr) throw new Error(`not an expression: ${text}`)
  return evaluate(expr, (option) => config.get(option))
}

test.each([
  ['A', 2],
  ['M', 1],
  ['OFF', 0],
  ['!A', 0],
  ['!M', 1],
  ['!OFF', 2],
  ['A && M', 1],
  ['A && OFF || A', 2],
  ['A && (OFF || M)', 1],
  ['OFF || OFF', 0],
  ['A=y', 2],
  ['M!=n', 2],
  ['OFF=n', 2],
  ['N100 >= 100', 2],
  ['N100 < 20', 0],
  ['S="text"', 2],
  ['!(A && OFF)', 2],
  ['y', 2],
  ['$(cc-option,-mfoo)', undefined],
  ['$(success,test -e $(srctree)/x) && OFF', 0],
  ['A || $(cc-option,-mfoo)', 2],
  ['A && $(cc-option,-mfoo)', undefined],
])('%s is %s', (text, expected) => expect(value(text)).toBe(expected))

test.each(['A &&', '(A', 'A B', '&& A', 'A = = B', ''])('%j is no expression', (text) => {
  expect(parseExpr(text)).toBeUndefined()
})

test('show keeps the meaning', () => {
  for (const text of ['A && (B || C)', '!(A || B)', 'A || B && C', 'A!="x"']) {
    const expr = parseExpr(text)
    expect(expr && show(expr)).toBe(text)
  }
})

test('terms are the parts that must all hold', () => {
  const expr = parseExpr('A && (B || C) && !D')
  expect(expr && terms(expr).map(show)).toEqual(['A', 'B || C', '!D'])
})
