// SPDX-License-Identifier: GPL-2.0-only
import { printable } from '../lib/log.ts'
import { reasonOf, type GroupPlan } from './group-plan.ts'
import type { Planned } from './plan.ts'
import { shortTree } from './trees.ts'

/** The patches with what they need and where they go, and the groups; for a terminal of any width. */
export function splitTable(patches: readonly Planned[], plan: GroupPlan): string {
  const group = new Map(plan.groups.flatMap(({ name, numbers }) => numbers.map((number) => [number, name])))
  const rows = patches.map((patch) => [
    String(patch.number),
    patch.alone ? 'alone' : patch.needs.map(({ on }) => on).join(' '),
    group.get(patch.number) ?? '-',
    patch.tree === undefined ? '-' : shortTree(patch.tree),
    patch.subject,
  ])
  const lines = columns([['patch', 'needs', 'group', 'tree', 'subject'], ...rows])
  const why = patches.flatMap((patch) =>
    patch.needs.map((need) => `  ${patch.number} needs ${need.on}: ${reasonOf(need)}`),
  )
  const groups = plan.groups.map(({ name, numbers, after, trees, title }) => [
    name,
    `${numbers.length}`,
    numbers.join(' '),
    after.join(' ') || '-',
    trees.map(shortTree).join(' ') || '-',
    title,
  ])
  return printable(
    [
      ...lines,
      '',
      'why',
      ...why,
      '',
      ...columns([['group', 'size', 'patches', 'after', 'trees', 'title'], ...groups]),
    ].join('\n'),
  )
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.min(40, Math.max(...rows.map((row) => row[i]?.length ?? 0))),
  )
  return rows.map((row) =>
    row
      .map((cell, i) => (i + 1 < row.length ? cell.padEnd(widths[i] ?? 0) : cell))
      .join('  ')
      .trimEnd(),
  )
}
