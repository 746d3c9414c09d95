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
  readonly kind: 'code' | 'data'
}

export interface SymbolComparison {
  readonly added: readonly SymbolAt[]
  readonly removed: readonly SymbolAt[]
  readonly changed: readonly SymbolChange[]
  /** The same content in another object. */
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
      const [lost, found] = differences(was.get(symbol), is.get(symbol))
      const pairs = Math.min(lost.length, found.length)
      for (const hash of lost.slice(0, pairs)) changed.push({ object, symbol, kind: kindOf(hash) })
      gone.push(...lost.slice(pairs).map((hash) => ({ object, symbol, hash })))
      come.push(...found.slice(pairs).map((hash) => ({ object, symbol, hash })))
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

/** The hashes of symbols of one name that the other side has not. */
function differences(was: string | undefined, is: string | undefined): [lost: string[], found: string[]] {
  const lost = was?.split(',') ?? []
  const found = (is?.split(',') ?? []).filter((hash) => {
    const at = lost.indexOf(hash)
    if (at === -1) return true
    lost.splice(at, 1)
    return false
  })
  return [lost, found]
}

function kindOf(hash: string): 'code' | 'data' {
  return hash.startsWith('t') ? 'code' : 'data'
}

function sortedUnion(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): readonly string[] {
  return [...new Set([...a.keys(), ...b.keys()])].sort()
}
