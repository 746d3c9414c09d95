// SPDX-License-Identifier: GPL-2.0-only

/** Everything that can be reached from `start` by the edges, `start` with it. */
export function closure(
  start: Iterable<number>,
  edges: ReadonlyMap<number, readonly number[]>,
): ReadonlySet<number> {
  const seen = new Set<number>()
  const open = [...start]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    open.push(...(edges.get(next) ?? []))
  }
  return seen
}

/** The edges without those that are implied by a way over other edges. */
export function reduced(edges: ReadonlyMap<number, readonly number[]>): Map<number, number[]> {
  const direct = (from: number): number[] => {
    const targets = [...new Set(edges.get(from) ?? [])]
    return targets
      .filter((to) => !targets.some((other) => other !== to && closure([other], edges).has(to)))
      .toSorted((a, b) => a - b)
  }
  return new Map([...edges.keys()].map((from) => [from, direct(from)]))
}
