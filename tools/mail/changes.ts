// SPDX-License-Identifier: GPL-2.0-only
import { gitEnv } from '../base/repo.ts'
import { run } from '../lib/exec.ts'
import { headerFields } from '../series/mail-header.ts'
import type { Patch } from '../series/series.ts'
import { linkOf, type Sent } from './sent.ts'

/** What became of a patch from one version to the next. */
export interface Change {
  readonly kind: 'changed' | 'added' | 'dropped'
  /** In the new version; of a dropped one, in the old version. */
  readonly number: number
  readonly subject: string
}

/**
 * Compares two versions, patch by patch: by what the diff says (git patch-id --stable) and by message and author. A patch
 * that only moved, or whose context lines only have other numbers, did not change.
 */
export async function changesBetween(
  before: readonly Patch[],
  after: readonly Patch[],
  signal?: AbortSignal,
): Promise<readonly Change[]> {
  const idOf = async (patch: Patch): Promise<string> => {
    const options = { env: gitEnv(), input: patch.text, ...(signal ? { signal } : {}) }
    const said = await run('git', ['patch-id', '--stable'], options)
    return said.stdout.split(' ')[0] ?? ''
  }
  const ids = new Map<Patch, string>()
  for (const patch of [...before, ...after]) ids.set(patch, await idOf(patch))
  const free = new Set(before)
  const pairs = new Map<Patch, Patch>()
  const pair = (matches: (old: Patch, patch: Patch) => boolean): void => {
    for (const patch of after) {
      if (pairs.has(patch)) continue
      const old = [...free].find((one) => matches(one, patch))
      if (old === undefined) continue
      pairs.set(patch, old)
      free.delete(old)
    }
  }
  const sameDiff = (a: Patch, b: Patch): boolean => ids.get(a) === ids.get(b)
  pair((old, patch) => old.subject === patch.subject && sameDiff(old, patch))
  pair((old, patch) => old.subject === patch.subject)
  pair(sameDiff)
  pair((old, patch) => old.file === patch.file)
  const changes = after.flatMap((patch): Change[] => {
    const old = pairs.get(patch)
    const { number, subject } = patch
    if (old === undefined) return [{ kind: 'added', number, subject }]
    return sameDiff(old, patch) && saying(old) === saying(patch) ? [] : [{ kind: 'changed', number, subject }]
  })
  return [
    ...changes,
    ...[...free].map(({ number, subject }) => ({ kind: 'dropped' as const, number, subject })),
  ]
}

/** Author, subject and message; the changelog below the --- is no part of it. */
function saying(patch: Patch): string {
  const { text } = patch
  const end = text.indexOf('\n---\n')
  const body = text.slice(text.indexOf('\n\n'), end < 0 ? undefined : end)
  return [headerFields(text).get('from') ?? '', patch.subject, body.trim()].join('\n')
}

/** The lines of the section "Changes in vN" of a cover letter's changelog; undefined when there is none. */
export function changesSection(changes: string, version: number): string | undefined {
  const lines = changes.split('\n')
  const heading = (line: string): boolean => /^Changes in v\d+:?$/i.test(line.trim())
  const start = lines.findIndex((line) => new RegExp(`^Changes in v${version}:?$`, 'i').test(line.trim()))
  if (start < 0) return undefined
  const end = lines.findIndex((line, i) => i > start && heading(line))
  return lines.slice(start + 1, end < 0 ? undefined : end).join('\n')
}

/**
 * What is wrong with the changelog of a version: patches that changed and are not named, patches that are named and did
 * not change, a link to the version before that is missing or is another one. Empty when it holds.
 */
export function changelogProblems(
  changes: string,
  version: number,
  really: readonly Change[],
  patches: readonly Pick<Patch, 'number' | 'subject'>[],
  before: Pick<Sent, 'version' | 'messageId'>,
): readonly string[] {
  const section = changesSection(changes, version)
  if (section === undefined || section.trim() === '')
    return [`the cover letter has no section "Changes in v${version}"`]
  const named = namesIn(section, before.version)
  const says = (subject: string): boolean => flat(section).includes(flat(subject))
  const problems: string[] = []
  for (const { kind, number, subject } of really) {
    const there = says(subject) || (kind === 'dropped' ? named.old.has(number) : named.now.has(number))
    if (!there)
      problems.push(
        `"Changes in v${version}" does not say that ${kind === 'dropped' ? `patch ${number} of v${before.version}` : `patch ${number}`} was ${kind}: ${subject}`,
      )
  }
  const changed = new Set(really.filter(({ kind }) => kind !== 'dropped').map(({ number }) => number))
  const gone = new Set(really.filter(({ kind }) => kind === 'dropped').map(({ number }) => number))
  const droppedSubjects = really.filter(({ kind }) => kind === 'dropped').map(({ subject }) => flat(subject))
  for (const number of named.now)
    if (!changed.has(number))
      problems.push(`"Changes in v${version}" names patch ${number}, which did not change`)
  for (const number of named.old)
    if (!gone.has(number))
      problems.push(
        `"Changes in v${version}" names patch ${number} of v${before.version}, which was not dropped`,
      )
  for (const { number, subject } of patches)
    if (!changed.has(number) && says(subject) && !droppedSubjects.includes(flat(subject)))
      problems.push(
        `"Changes in v${version}" names patch ${number} by its subject, and it did not change: ${subject}`,
      )
  problems.push(...linkProblems(section, version, before))
  return problems
}

/** The links are those of what was sent, never made up. */
function linkProblems(
  section: string,
  version: number,
  before: Pick<Sent, 'version' | 'messageId'>,
): string[] {
  const wanted = linkOf(before.messageId)
  const links = [...section.matchAll(/^\s*[-*]?\s*Link to v(\d+):\s*(\S*)\s*$/gim)]
  const own = links.filter(([, number]) => Number(number) === before.version)
  if (own.length === 0)
    return [`"Changes in v${version}" lacks the line "- Link to v${before.version}: ${wanted}"`]
  return own
    .filter(([, , url]) => url !== wanted)
    .map(
      ([, , url]) =>
        `"Changes in v${version}" links to ${url}; what was sent as v${before.version} is at ${wanted}`,
    )
}

/** "patch 3", "patches 3-5, 7 and 9", "#4"; "patch 3 of v1" and "v1 patch 3" are of the old version. */
function namesIn(section: string, old: number): { now: ReadonlySet<number>; old: ReadonlySet<number> } {
  const now = new Set<number>()
  const before = new Set<number>()
  const pattern =
    /(\bv(\d{1,3})'?s? )?(?:\bpatch(?:es)?\s+#?|#)(\d{1,4}(?:\s?(?:-|to|,|and|, and)\s?#?\d{1,4})*)(?:\s+(?:of|in)\s+v(\d{1,3}))?/gi
  for (const [, , front, list = '', behind] of section.replace(/\s+/g, ' ').matchAll(pattern)) {
    const into = Number(front ?? behind) === old ? before : now
    for (const [, from, to] of list.matchAll(/(\d+)(?:\s?(?:-|to)\s?#?(\d+))?/g)) {
      const last = Math.min(Number(to ?? from), 9999)
      for (let number = Number(from); number <= last; number++) into.add(number)
    }
  }
  return { now, old: before }
}

function flat(text: string): string {
  return text.replace(/\s+/g, ' ').trim().toLowerCase()
}
