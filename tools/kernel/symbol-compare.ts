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
  /**
   * 'line number': nothing but __LINE__, as an argument, is another; it is as soon as a line comes in front of it.
   * 'renamed': what it refers to has another name (see SymbolComparison.renamed), and nothing else changed.
   */
  readonly kind: 'code' | 'data' | 'line number' | 'renamed'
}

export interface SymbolComparison {
  readonly added: readonly SymbolAt[]
  readonly removed: readonly SymbolAt[]
  readonly changed: readonly SymbolChange[]
  /** The same content in another object, but for line numbers. */
  readonly moved: readonly { readonly symbol: string; readonly from: string; readonly to: string }[]
  /** The same content under another name in the same object, but for line numbers. */
  readonly renamed: readonly { readonly object: string; readonly from: string; readonly to: string }[]
}

/** What became of the symbols of one kernel in another. */
export function compareSymbols(before: ObjectSymbols, after: ObjectSymbols): SymbolComparison {
  const gone: Single[] = []
  const come: Single[] = []
  const changed: (SymbolAt & { was: Hash; is: Hash })[] = []
  const lines: SymbolChange[] = []
  for (const object of sortedUnion(before, after)) {
    const was = before.get(object) ?? NONE
    const is = after.get(object) ?? NONE
    for (const symbol of sortedUnion(was, is)) {
      if (was.get(symbol) === is.get(symbol)) continue
      const [lost, found] = [hashesOf(was.get(symbol)), hashesOf(is.get(symbol))]
      takeEqual(lost, found, ({ whole }) => whole)
      const sameButLine = takeEqual(lost, found, ({ withoutLines }) => withoutLines)
      lines.push(...sameButLine.map(() => ({ object, symbol, kind: 'line number' as const })))
      while (lost.length > 0 && found.length > 0) {
        changed.push({ object, symbol, was: lost.shift()!, is: found.shift()! })
      }
      gone.push(...lost.map((hash) => ({ object, symbol, hash })))
      come.push(...found.map((hash) => ({ object, symbol, hash })))
    }
  }
  const { moved, left } = findMoved(gone, come)
  const { renamed, names } = findRenamed(gone, come, left)
  const isRenamed = ({ was, is }: { was: Hash; is: Hash }): boolean => isSameBut(names, was, is)
  return {
    added: come.filter((one) => left.has(one)).map(place),
    removed: gone.filter((one) => left.has(one)).map(place),
    changed: [
      ...changed.map((one) => ({
        ...place(one),
        kind: isRenamed(one) ? ('renamed' as const) : one.was.kind,
      })),
      ...lines,
    ].sort((a, b) => (a.object === b.object ? compare(a.symbol, b.symbol) : compare(a.object, b.object))),
    moved,
    renamed,
  }
}

interface Single extends SymbolAt {
  readonly hash: Hash
}

const NONE: ReadonlyMap<string, string> = new Map()

/** What went from one object and came to another under the same name. */
function findMoved(
  gone: readonly Single[],
  come: readonly Single[],
): { moved: SymbolComparison['moved']; left: Set<Single> } {
  const left = new Set([...gone, ...come])
  const byContent = new Map<string, Single[]>()
  for (const one of come) {
    const key = `${one.hash.withoutLines} ${one.symbol}`
    const list = byContent.get(key)
    if (list) list.push(one)
    else byContent.set(key, [one])
  }
  const moved = gone.flatMap((one) => {
    const other = byContent.get(`${one.hash.withoutLines} ${one.symbol}`)?.shift()
    if (other === undefined) return []
    left.delete(one)
    left.delete(other)
    return [{ symbol: one.symbol, from: one.object, to: other.object }]
  })
  return { moved, left }
}

/**
 * What went and came in the same object with the same content, where names may be others that are renamed as well:
 * two functions that call each other. Takes them out of `left`.
 */
function findRenamed(
  gone: readonly Single[],
  come: readonly Single[],
  left: Set<Single>,
): { renamed: SymbolComparison['renamed']; names: ReadonlyMap<string, string> } {
  const free = new Set(come.filter((one) => left.has(one)))
  let pairs = gone
    .filter((one) => left.has(one))
    .flatMap((from): { from: Single; to: Single }[] => {
      const to = [...free].find((one) => one.object === from.object && one.hash.shape === from.hash.shape)
      if (to === undefined) return []
      free.delete(to)
      return [{ from, to }]
    })
  const namesOf = (): Map<string, string> => new Map(pairs.map(({ from, to }) => [from.symbol, to.symbol]))
  for (let count = -1; count !== pairs.length;) {
    count = pairs.length
    const names = namesOf()
    pairs = pairs.filter(({ from, to }) => isSameBut(names, from.hash, to.hash))
  }
  for (const { from, to } of pairs) {
    left.delete(from)
    left.delete(to)
  }
  const renamed = pairs.map(({ from, to }) => ({ object: from.object, from: from.symbol, to: to.symbol }))
  return { renamed, names: namesOf() }
}

/** Whether two are the same when what one refers to is called what the other calls it. */
function isSameBut(names: ReadonlyMap<string, string>, was: Hash, is: Hash): boolean {
  if (was.shape !== is.shape || was.names.length !== is.names.length) return false
  return was.names.every((name, n) => (names.get(name) ?? name) === is.names[n])
}

function place({ object, symbol }: SymbolAt): SymbolAt {
  return { object, symbol }
}

/** One of a symbol's hashes as symbolHashes writes them. */
interface Hash {
  readonly kind: 'code' | 'data'
  /** With the letter of its section. */
  readonly whole: string
  /** Without line numbers in instructions; the same as `whole` when there are none. */
  readonly withoutLines: string
  /** Without line numbers and names. */
  readonly shape: string
  /** What it refers to, in the order of the first uses. */
  readonly names: readonly string[]
}

function hashesOf(value: string | undefined): Hash[] {
  if (value === undefined) return []
  return value.split(',').map((text) => {
    const [hashes = '', shape, ...names] = text.split(' ')
    const [whole = '', hidden] = hashes.split('~')
    const withoutLines = hidden === undefined ? whole : `t${hidden}`
    return {
      kind: whole.startsWith('t') ? 'code' : 'data',
      whole,
      withoutLines,
      shape: shape ?? withoutLines,
      names,
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

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
