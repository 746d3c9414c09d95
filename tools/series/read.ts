// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Finding, UsageError } from '../lib/errors.ts'
import { keyOf, sha256 } from '../lib/hash.ts'
import { log, printable } from '../lib/log.ts'
import { parsePatch } from './patch.ts'
import type { Series } from './series.ts'

/** series.json: the identity of the series. */
const SeriesFile = z.strictObject({
  name: z.string().min(1),
  version: z.int().min(1),
  /** b4's change-id: YYYYMMDD-slug-<12 hex>. */
  changeId: z.string().regex(/^[\w.-]+$/),
  base: z.strictObject({
    provider: z.literal('debian'),
    package: z.string().regex(/^linux-source-\d+\.\d+$/),
    version: z.string().regex(/^\d+\.\d+(\.\d+)?(-rc\d*)?$/),
  }),
  /** What goes into the subject's brackets instead of PATCH, for example "RFC PATCH". */
  prefix: z.string().optional(),
})

/**
 * Reads a series: `series` (quilt's order file), the patches that it lists, and `series.json`.
 *
 * @throws UsageError when series.json or the order file is wrong: a patch listed twice, not there, or not a plain
 *   file name.
 * @throws Finding when a patch is damaged or reaches outside the tree. A patch that is there but not listed is only
 *   warned of.
 */
export function readSeries(dir: string): Series {
  const meta = readMeta(join(dir, 'series.json'))
  const names = listedPatches(readText(join(dir, 'series')))
  const seen = new Set<string>()
  for (const name of names) {
    if (/[/\\]|^\.|[\x00-\x1f]/.test(name)) {
      throw new UsageError(
        `patches/series lists ${JSON.stringify(name)}`,
        'a plain file name is wanted there',
      )
    }
    if (seen.has(name)) throw new UsageError(`patches/series lists ${name} twice`, 'remove one of the lines')
    seen.add(name)
  }
  const patches = names.map((name, i) => {
    if (!existsSync(join(dir, name))) {
      throw new UsageError(
        `patches/series lists ${name}, which is not there`,
        `add it to ${dir} or remove the line`,
      )
    }
    return parsePatch(name, readText(join(dir, name)), i + 1)
  })
  for (const name of existsSync(dir) ? readdirSync(dir).toSorted() : []) {
    if (name.endsWith('.patch') && !seen.has(name)) {
      log.warn(`${printable(name)} is not listed in patches/series: it is not part of the series`)
    }
  }
  const { name, version, changeId, base, prefix } = meta
  const hash = keyOf(patches.map((patch) => [patch.file, sha256(patch.text)]))
  return { dir, name, version, changeId, base, prefix, patches, hash }
}

/**
 * The patch names in an order file, in order: one a line, blank lines and `#` comments apart (quilt(1)). quilt's
 * own options after a name are refused: git-format patches are always -p1.
 */
export function listedPatches(text: string): string[] {
  const names: string[] = []
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.replace(/(^|\s)#.*$/, '').trim()
    if (line === '') continue
    if (/\s/.test(line)) {
      throw new UsageError(
        `patches/series:${i + 1}: ${JSON.stringify(line)} is more than a name`,
        'one patch a line; blanks in names and quilt options are not supported',
      )
    }
    names.push(line)
  }
  return names
}

function readMeta(file: string): z.infer<typeof SeriesFile> {
  let json: unknown
  try {
    json = JSON.parse(readText(file))
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${file} is no JSON: ${error instanceof Error ? error.message : ''}`)
  }
  const parsed = SeriesFile.safeParse(json)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'series.json'}: ${issue.message}`,
  )
  throw new UsageError(`${file}: ${issues.join('; ')}`, 'see docs/ for what series.json holds')
}

/** Patches are UTF-8; bytes that are not would come out changed when the text is handed to git. */
function readText(file: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch {
    throw new UsageError(
      `cannot read ${file}`,
      'a series is a directory with series, series.json and the patches',
    )
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Finding({
      stage: 'series',
      message: `${printable(file)} is not UTF-8`,
      blame: file.split('/').at(-1),
      detail: ['kernel sources and patches are UTF-8'],
    })
  }
}
