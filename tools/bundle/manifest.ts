// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'
import { staysInside } from '../lib/paths.ts'
import { SCHEMA, type Deep } from '../result/result.ts'

/** Name of the manifest in a bundle; the only file that it does not list. */
export const MANIFEST = 'manifest.json'

export const manifestSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  kind: z.literal('phyr-bundle'),
  phyr: z.string().describe('Version of the tool that packed it'),
  /** Of the newest record inside: the same records give the same bundle, byte by byte. */
  time: z.iso.datetime().nullable(),
  series: z.strictObject({
    name: z.string(),
    changeId: z.string(),
    version: z.int().min(1),
    hash: z.string(),
    patches: z.int().min(0),
  }),
  base: z.strictObject({ version: z.string(), identity: z.string(), tree: z.string() }),
  /** Hash of git's tree with the series applied. */
  tree: z.string(),
  files: z.array(
    z.strictObject({
      path: z.string(),
      bytes: z.int().min(0),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
})
export type Manifest = Deep<z.infer<typeof manifestSchema>>

/**
 * Why a name has no place in a bundle; undefined when it has. Bundles come from strangers: a name that would leave the
 * directory, hide, or mean something else on another system is refused, though nothing is unpacked here.
 */
export function badName(path: string): string | undefined {
  if (path.startsWith('/')) return 'an absolute path'
  if (!staysInside(path) || path.split('/').includes('..')) return 'a path that leaves the bundle'
  if (!/^[\w][\w.+@,=-]*(?:\/[\w.][\w.+@,=-]*)*$/.test(path)) return 'a name with odd characters'
  if (path.split('/').some((part) => part === '.' || part.toLowerCase() === '.git')) return 'an odd path'
  return undefined
}
