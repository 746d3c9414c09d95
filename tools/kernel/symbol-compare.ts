// SPDX-License-Identifier: GPL-2.0-only
import type { ObjectSymbols } from './symbol-state.ts'

/** One symbol, in one object. */
export interface SymbolAt {
  /** Path in the O= directory. */
  readonly object: string
  /** Its plain name (plainName). */
  readonly symbol: string
}

export interface SymbolChange extends SymbolAt {
  /** 'line number': nothing but __LINE__, as an argument, is another. It changes as soon as a line comes in front of it. */
  readonly kind: 'code' | 'data' | 'line number'
}

export interface SymbolComparison {
  readonly added: readonly SymbolAt[]
  readonly removed: readonly SymbolAt[]
  readonly changed: readonly SymbolChange[]
  /** The same content in another object, but for line numbers. */
  readonly moved: readonly { readonly symbol: string; readonly from: string; readonly to: string }[]
}

/** What became of the symbols of one kernel in another. */
export function compareSymbols(before: ObjectSymbols, after: ObjectSymbols): SymbolComparison {
  const gone: Single[] = []
  const come: Single[] = []
  const changed: SymbolChange[] = []
  for (const object of sortedUnion(before, after)) {
    const was = before.get(object) ?? NONE
    const is = after.get(object) ?? NONE
    for (const symbol of sortedUnion(was, is)) {
      if (was.get(symbol) === is.get(symbol)) continue
      const [lost, found] = [hashesOf(was.get(symbol)), hashesOf(is.get(symbol))]
      takeEqual(lost, found, ({ whole }) => whole)
      const sameButLine = takeEqual(lost, found, ({ withoutLines }) => withoutLines)
      changed.push(...sameButLine.map(() => ({ object, symbol, kind: 'line number' as const })))
      const pairs = Math.min(lost.length, found.length)
      changed.push(...lost.slice(0, pairs).map(({ kind }) => ({ object, symbol, kind })))
      gone.push(...lost.slice(pairs).map(({ withoutLines: hash }) => ({ object, symbol, hash })))
      come.push(...found.slice(pairs).map(({ withoutLines: hash }) => ({ object, symbol, hash })))
    }
  }
  const { moved, left } = findMoved(gone, come)
  return {
    added: come.filter((one) => left.has(one)).map(place),
    removed: gone.filter((one) => left.has(one)).map(place),
    changed,
    moved,
  }
}

interface Single extends SymbolAt {
  readonly hash: string
}

const NONE: ReadonlyMap<string, string> = new Map()

/** What went from one object and came to another under the same name. */
function findMoved(
  gone: readonly Single[],
  come: readonly Single[],
): { moved: SymbolComparison['moved']; left: ReadonlySet<Single> } {
  const left = new Set([...gone, ...come])
  const byContent = new Map<string, Single[]>()
  for (const one of come) {
    const list = byContent.get(`${one.hash} ${one.symbol}`)
    if (list) list.push(one)
    else byContent.set(`${one.hash} ${one.symbol}`, [one])
  }
  const moved = gone.flatMap((one) => {
    const other = byContent.get(`${one.hash} ${one.symbol}`)?.shift()
    if (other === undefined) return []
    left.delete(one)
    left.delete(other)
    return [{ symbol: one.symbol, from: one.object, to: other.object }]
  })
  return { moved, left }
}

function place({ object, symbol }: Single): SymbolAt {
  return { object, symbol }
}

/** One of a symbol's hashes as symbolHashes writes them. */
interface Hash {
  readonly kind: 'code' | 'data'
  /** With the letter of its section. */
  readonly whole: string
  /** Without line numbers in instructions; the same as `whole` when there are none. */
  readonly withoutLines: string
}

function hashesOf(value: string | undefined): Hash[] {
  if (value === undefined) return []
  return value.split(',').map((text) => {
    const [whole = '', withoutLines] = text.split('~')
    return {
      kind: whole.startsWith('t') ? 'code' : 'data',
      whole,
      withoutLines: withoutLines === undefined ? whole : `t${withoutLines}`,
    }
  })
}

/** Takes out of both lists what is in both, by what `text` says; returns the pairs. */
function takeEqual(lost: Hash[], found: Hash[], text: (hash: Hash) => string): readonly Hash[] {
  const taken: Hash[] = []
  for (const hash of lost.slice()) {
    const at = found.findIndex((other) => text(other) === text(hash))
    if (at === -1) continue
    found.splice(at, 1)
    lost.splice(lost.indexOf(hash), 1)
    taken.push(hash)
  }
  return taken
}

function sortedUnion(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): readonly string[] {
  return [...new Set([...a.keys(), ...b.keys()])].sort()
}
