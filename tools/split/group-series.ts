// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isSeq, parseDocument } from 'yaml'
import { writeAtomic } from '../lib/cache.ts'
import { UsageError } from '../lib/errors.ts'
import { keyOf, sha256 } from '../lib/hash.ts'
import { applySeries } from '../series/apply.ts'
import type { Applied, Patch, Series } from '../series/series.ts'
import { planGroups, type PlannedGroup } from './group-plan.ts'
import { groupsFile, readGroups } from './groups.ts'
import { planPatches } from './plan.ts'

/** A group as a series of its own. */
export interface GroupSeries {
  readonly group: PlannedGroup
  /** Its patches, on a base that has those of the groups before it. */
  readonly applied: Applied
  /** prerequisite-change-id: lines, in the order in which those groups go in. */
  readonly prerequisites: readonly string[]
  /** Text of its cover letter. */
  readonly cover: string
  /** Where that is kept, relative to patches/. */
  readonly coverFile: string
  /** What forbids posting it. */
  readonly problems: readonly string[]
}

/**
 * Makes a series of one group: its patches on the base with everything that they need.
 *
 * @param applied the whole series.
 * @throws UsageError when there are no groups, or none of that name. Finding when the groups do not apply in order.
 */
export async function groupSeries(
  dir: string,
  applied: Applied,
  name: string,
  signal: AbortSignal,
): Promise<GroupSeries> {
  const { series, base } = applied
  const groups = readGroups(dir, series.patches)
  if (groups === undefined)
    throw new UsageError('there is no patches/groups.yaml', 'phyr split --write makes one')
  const plan = planGroups(groups, await planPatches(applied, signal))
  const group = plan.groups.find((one) => one.name === name)
  if (group === undefined) {
    const names = groups.map((one) => one.name).join(', ')
    throw new UsageError(`there is no group ${JSON.stringify(name)}`, `there are: ${names}`)
  }
  const before = plan.groups.filter((one) => group.after.includes(one.name))
  const numbers = before.flatMap((one) => one.numbers)
  const front = partOf(series, numbers)
  const under = await applySeries(base, front, { signal })
  const own = partOf(series, group.numbers)
  const part: Series = {
    ...own,
    group: group.name,
    name: `${series.name}-${group.name}`,
    version: group.version,
    changeId: group.changeId,
    // What is below belongs to it: a proof of the group is void when that changes.
    hash: keyOf([front.hash, own.hash]),
  }
  const onTop = await applySeries({ ...base, commit: under.commit }, part, { signal })
  const coverFile = `groups/${group.name}.md`
  const written = existsSync(join(dir, coverFile))
  return {
    group,
    applied: onTop,
    prerequisites: before.map((one) => `prerequisite-change-id: ${one.changeId}:v${one.version}`),
    cover: written ? readFileSync(join(dir, coverFile), 'utf8') : placeholder(group, series, before),
    coverFile,
    problems: [
      ...plan.problems,
      ...(written ? [] : [`there is no patches/${coverFile}: nobody has written this cover letter`]),
    ],
  }
}

/** Some patches of a series, numbered anew. */
function partOf(series: Series, numbers: readonly number[]): Series {
  const chosen = numbers.flatMap((number) => series.patches.filter((patch) => patch.number === number))
  const patches: Patch[] = chosen.map((patch, i) => ({ ...patch, number: i + 1 }))
  return { ...series, patches, hash: keyOf(patches.map((patch) => [patch.file, sha256(patch.text)])) }
}

function placeholder(group: PlannedGroup, series: Series, before: readonly PlannedGroup[]): string {
  const needs = before.map((one) => `  ${one.title} (${one.changeId})`)
  const standing = needs.length > 0 ? `It stands on:\n\n${needs.join('\n')}` : 'It stands on its own.'
  return `# ${group.title}\n\nA part of ${series.name}, which is posted in parts. ${standing}\n`
}

/** Sets the version of a group in groups.yaml; comments and order stay. */
export function setGroupVersion(dir: string, name: string, version: number): void {
  const file = groupsFile(dir)
  const doc = parseDocument(readFileSync(file, 'utf8'))
  const groups = doc.get('groups')
  const group = isSeq(groups)
    ? groups.items.find((item) => isMap(item) && item.get('name') === name)
    : undefined
  if (!isMap(group)) throw new UsageError(`patches/groups.yaml has no group ${name}`)
  group.set('version', version)
  writeAtomic(file, doc.toString({ lineWidth: 0 }))
}
