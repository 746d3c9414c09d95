// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Document } from 'yaml'
import { z } from 'zod'
import { parseDataFile } from '../lib/data-file.ts'
import { editDistance } from '../lib/edit-distance.ts'
import { UsageError } from '../lib/errors.ts'
import type { Patch } from '../series/series.ts'

/** Reviewers stop reading longer series, and some trees' bots refuse them (NIPA: 15). */
export const MOST_PATCHES = 15

const GroupSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'small letters, digits and hyphens'),
  title: z.string().min(1),
  changeId: z.string().regex(/^\d{8}-[a-z0-9][a-z0-9-]*-[0-9a-f]{12}$/, 'YYYYMMDD-slug-<12 hex digits>'),
  version: z.int().min(1).default(1),
  patches: z.array(z.string()).min(1),
})

const GroupsFile = z.strictObject({ groups: z.array(GroupSchema).min(1) })

/** Patches that are posted together, as a series of their own. */
export type Group = z.infer<typeof GroupSchema>

/** Where the groups of a series are kept. */
export function groupsFile(patches: string): string {
  return join(patches, 'groups.yaml')
}

/**
 * Reads patches/groups.yaml; undefined when there is none.
 *
 * @throws UsageError with file and line for what is wrong in it, for a patch that the series has not or that two groups
 *   name, and for a change-id or a name that is there twice.
 */
export function readGroups(dir: string, patches: readonly Patch[]): readonly Group[] | undefined {
  const file = groupsFile(dir)
  if (!existsSync(file)) return undefined
  const { groups } = parseDataFile(readFileSync(file, 'utf8'), 'patches/groups.yaml', GroupsFile)
  const known = new Set(patches.map((patch) => patch.file))
  const owner = new Map<string, string>()
  for (const key of ['name', 'changeId'] as const) {
    const values = groups.map((group) => group[key])
    const twice = values.find((value, i) => values.indexOf(value) !== i)
    if (twice !== undefined) throw new UsageError(`patches/groups.yaml: two groups have the ${key} ${twice}`)
  }
  for (const group of groups) {
    for (const patch of group.patches) {
      if (!known.has(patch)) {
        const [near] = [...known].toSorted((a, b) => editDistance(a, patch) - editDistance(b, patch))
        throw new UsageError(
          `patches/groups.yaml: group ${group.name} lists ${JSON.stringify(patch)}, which is not in the series`,
          near === undefined ? 'remove it' : `did you mean ${near}?`,
        )
      }
      const other = owner.get(patch)
      if (other !== undefined)
        throw new UsageError(`patches/groups.yaml: ${patch} is listed in ${other} and in ${group.name}`)
      owner.set(patch, group.name)
    }
  }
  return groups
}

/** The text of a groups file. */
export function groupsText(groups: readonly Group[]): string {
  const doc = new Document({
    groups: groups.map(({ version, ...rest }) => (version === 1 ? rest : { ...rest, version })),
  })
  doc.commentBefore =
    ' SPDX-License-Identifier: GPL-2.0-only\n' +
    ' Which patches are posted together, in this order; ./phyr split checks it. A change-id stays for good.'
  return doc.toString({ lineWidth: 0 })
}

/** A new change-id, in b4's form: today, a word, 12 digits that nobody can foresee. */
export function newChangeId(slug: string, now: Date): string {
  const day = now.toISOString().slice(0, 10).replaceAll('-', '')
  return `${day}-${slug}-${randomBytes(6).toString('hex')}`
}
