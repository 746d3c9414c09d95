// SPDX-License-Identifier: GPL-2.0-only
import { MOST_PATCHES, type Group } from './groups.ts'
import type { Planned } from './plan.ts'

/** A group and what it stands on. */
export interface PlannedGroup extends Group {
  /** Patch numbers, in the series' order. */
  readonly numbers: readonly number[]
  /** Names of the groups that have to be there before it, with those that they need, in order. */
  readonly after: readonly string[]
  /** Trees that its patches go through, that of most patches first. */
  readonly trees: readonly string[]
}

/** The groups in order, and what is wrong with them. */
export interface GroupPlan {
  readonly groups: readonly PlannedGroup[]
  /** Why these groups cannot be posted like that; empty when they can. */
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** Checks that each group has what its patches need, in itself or in a group before it. */
export function planGroups(groups: readonly Group[], patches: readonly Planned[]): GroupPlan {
  const byFile = new Map(patches.map((patch) => [patch.file, patch]))
  const byNumber = new Map(patches.map((patch) => [patch.number, patch]))
  const owner = new Map(groups.flatMap((group, i) => group.patches.map((file) => [file, i] as const)))
  const problems: string[] = []
  const warnings: string[] = []
  for (const { number, file } of patches)
    if (!owner.has(file)) problems.push(`patch ${number} (${file}) is in no group`)
  const planned: PlannedGroup[] = []
  for (const [i, group] of groups.entries()) {
    const members = group.patches.flatMap((file) => byFile.get(file) ?? [])
    const numbers = members.map((patch) => patch.number)
    if (numbers.some((number, at) => at > 0 && number < (numbers[at - 1] ?? 0)))
      problems.push(`group ${group.name}: its patches are not in the order of the series`)
    const before = new Set<number>()
    for (const patch of members) {
      for (const needed of patch.all) {
        const other = owner.get(byNumber.get(needed)?.file ?? '')
        if (other !== undefined && other > i)
          problems.push(tooLate(group, patch, needed, groups[other]!, patches))
        if (other !== undefined && other < i) before.add(other)
      }
    }
    warnings.push(...avoidable(members, i, owner, byNumber))
    // What those groups need comes along.
    for (const other of before)
      for (const name of planned[other]?.after ?? []) before.add(indexOf(groups, name))
    planned.push({
      ...group,
      numbers: numbers.toSorted((a, b) => a - b),
      after: [...before].toSorted((a, b) => a - b).map((one) => groups[one]!.name),
      trees: treesOf(members),
    })
    if (numbers.length > MOST_PATCHES) {
      warnings.push(
        `group ${group.name} has ${numbers.length} patches: more than ${MOST_PATCHES} are too long for reviewers and for the ` +
          'bots of some trees',
      )
    }
  }
  return { groups: planned, problems: [...new Set(problems)], warnings }
}

function indexOf(groups: readonly Group[], name: string): number {
  return groups.findIndex((group) => group.name === name)
}

function tooLate(
  group: Group,
  patch: Planned,
  needed: number,
  other: Group,
  patches: readonly Planned[],
): string {
  const direct = patch.needs.find((need) => need.on === needed)
  const why = direct ? ` (${reasonOf(direct)})` : ''
  const file = patches.find((one) => one.number === needed)?.file ?? ''
  return (
    `group ${group.name}: patch ${patch.number} needs patch ${needed} (${file})${why}, ` +
    `which is in the later group ${other.name}`
  )
}

/** Needs of earlier groups that are nothing but neighbouring lines of MAINTAINERS. */
function avoidable(
  members: readonly Planned[],
  group: number,
  owner: ReadonlyMap<string, number>,
  byNumber: ReadonlyMap<number, Planned>,
): string[] {
  return members.flatMap(({ number, needs }) =>
    needs
      .filter(({ on, symbols, text }) => {
        const other = owner.get(byNumber.get(on)?.file ?? '')
        const maintainers = text.length > 0 && text.every((line) => line.startsWith('MAINTAINERS: '))
        return other !== group && symbols.length === 0 && maintainers
      })
      .map(
        ({ on }) =>
          `patch ${number} needs patch ${on} of another group for neighbouring lines of MAINTAINERS only`,
      ),
  )
}

/** One line about why a patch needs another. */
export function reasonOf(need: Planned['needs'][number]): string {
  const names = need.symbols.map(({ kind, name }) => `${kind} ${name}`)
  const more = names.length > 2 ? `, ${names.length - 2} more` : ''
  const symbols = names.length > 0 ? [`${names.slice(0, 2).join(', ')}${more}`] : []
  const [text] = need.text
  return [...symbols, ...(text === undefined ? [] : [`text: ${text}`])].join('; ')
}

function treesOf(members: readonly Planned[]): string[] {
  const counts = new Map<string, number>()
  for (const { tree } of members) if (tree !== undefined) counts.set(tree, (counts.get(tree) ?? 0) + 1)
  return [...counts].toSorted(([, n], [, m]) => m - n).map(([tree]) => tree)
}
