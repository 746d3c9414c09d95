// SPDX-License-Identifier: GPL-2.0-only
import type { Patch } from '../series/series.ts'
import { MOST_PATCHES, newChangeId, type Group } from './groups.ts'
import type { Planned } from './plan.ts'
import { shortTree } from './trees.ts'

interface Draft {
  readonly key: string
  readonly topic: string
  readonly alone: boolean
  readonly members: Planned[]
}

/**
 * Proposes groups: first what stands alone, fixes for the most part, one group for each subsystem; then the other patches by the tree
 * that takes them, in the order of the series, none before what it needs and none too long. A test goes with what it
 * tests: with the last patch that it needs, else with the one in front of it. For a human to correct.
 */
export function proposeGroups(
  planned: readonly Planned[],
  patches: readonly Patch[],
  now: Date,
): readonly Group[] {
  const texts = new Map(patches.map((patch) => [patch.number, patch.text]))
  const isTest = new Map(patches.map((patch) => [patch.number, patch.paths.every(isTestPath)]))
  const fixes = standingAlone(planned, isTest)
  const drafts: Draft[] = []
  const place = new Map<number, number>()
  const put = (patch: Planned, at: number): void => {
    drafts[at]?.members.push(patch)
    place.set(patch.number, at)
  }
  const open = (patch: Planned, key: string, topic: string, isAlone: boolean): void => {
    drafts.push({ key, topic, alone: isAlone, members: [] })
    put(patch, drafts.length - 1)
  }
  for (const patch of planned.filter(({ number }) => fixes.has(number))) {
    const test = isTest.get(patch.number) === true && patch.alone
    const front = test ? place.get(patch.number - 1) : undefined
    const needed = Math.max(-1, ...patch.all.map((number) => place.get(number) ?? -1))
    const at = front ?? drafts.findIndex((one) => one.topic === topicOf(patch))
    if (at >= needed && at >= 0) put(patch, at)
    else open(patch, '', topicOf(patch), true)
  }
  for (const patch of planned.filter(({ number }) => !fixes.has(number))) {
    const needed = Math.max(-1, ...patch.all.map((number) => place.get(number) ?? -1))
    const home = drafts[needed]
    const fits = (one: Draft | undefined): boolean =>
      one !== undefined && !one.alone && one.members.length < MOST_PATCHES
    if (isTest.get(patch.number) === true && fits(home)) {
      put(patch, needed)
      continue
    }
    const key = patch.tree ?? `topic ${topicOf(patch)}`
    const at = drafts.findLastIndex((one) => one.key === key && fits(one))
    if (at >= 0 && at >= needed) put(patch, at)
    else open(patch, key, topicOf(patch), false)
  }
  return named(drafts, texts, now)
}

/** Patches that need nothing, and that nothing but a test needs a name of: fixes, most of the time. */
function standingAlone(
  planned: readonly Planned[],
  isTest: ReadonlyMap<number, boolean>,
): ReadonlySet<number> {
  const fixes = new Set<number>()
  for (const patch of planned) {
    const inside = patch.all.every((number) => fixes.has(number))
    const used = planned.some(
      (later) =>
        isTest.get(later.number) !== true &&
        later.needs.some((need) => need.on === patch.number && need.symbols.length > 0),
    )
    if (inside && !used) fixes.add(patch.number)
  }
  return fixes
}

/** What the patch says of itself, above the diff. */
function saysFix(text: string): boolean {
  const message = text.slice(0, text.indexOf('\n---\n'))
  if (/^Fixes: |^Cc: .*stable@/m.test(message)) return true
  return /\b(?:bugs?|leak(?:s|ed)?|wrong|corrupt\w*|crash\w*|oops|overflow\w*|never be freed|fix(?:es|ed)?)\b/i.test(
    message,
  )
}

function isTestPath(path: string): boolean {
  return /^tools\/testing\/|\/tests?\/|kunit|^Documentation\/|^MAINTAINERS$|(?:^|\/)(?:Kconfig[^/]*|Makefile)$/.test(
    path,
  )
}

/** "RDMA/siw: ..." is rdma, "tools/testing/scatterlist: ..." is scatterlist. */
function topicOf({ subject }: Planned): string {
  const prefix = subject.split(':')[0] ?? ''
  const [first = '', ...rest] = prefix.split('/')
  const word = /^(?:tools|lib|drivers)$/.test(first) ? (rest.at(-1) ?? first) : first
  return (
    word
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'part'
  )
}

function named(drafts: readonly Draft[], texts: ReadonlyMap<number, string>, now: Date): Group[] {
  const taken = new Set<string>()
  return drafts.map(({ topic, alone, members }) => {
    const fixes = alone && members.some(({ number }) => saysFix(texts.get(number) ?? ''))
    const stem = `${fixes ? 'fixes-' : ''}${/^[a-z]/.test(topic) ? topic : `part-${topic}`}`.slice(0, 26)
    let name = stem
    for (let i = 2; taken.has(name); i++) name = `${stem}-${i}`
    taken.add(name)
    const trees = [...new Set(members.flatMap(({ tree }) => (tree === undefined ? [] : [shortTree(tree)])))]
    return {
      name,
      title: `${topic}: ${fixes ? 'fixes' : members.map(({ subject }) => subject.split(': ').at(-1)).at(0)}${trees.length > 0 ? ` (${trees[0]})` : ''}`,
      changeId: newChangeId(name, now),
      version: 1,
      patches: members.map(({ file }) => file),
    }
  })
}
