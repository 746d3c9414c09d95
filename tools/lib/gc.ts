// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { runOk } from './exec.ts'
import { withLock } from './lock.ts'

/** One thing in the cache that can be deleted by itself. */
export interface CacheItem {
  readonly stage: string
  readonly name: string
  readonly path: string
  readonly bytes: number
  readonly lastUsed: Date
}

/** Small files that are the user's history, not something that can be made again. */
const kept = new Set(['locks', 'records', 'results', 'reports', 'bench'])

/** Everything in the cache that gc may delete, least recently used first. */
export async function listCache(root: string): Promise<CacheItem[]> {
  const items: CacheItem[] = []
  for (const stage of existsSync(root) ? readdirSync(root) : []) {
    const dir = join(root, stage)
    if (kept.has(stage) || !statSync(dir).isDirectory()) continue
    for (const name of readdirSync(dir)) {
      const path = join(dir, name)
      const manifest = join(path, 'manifest.json')
      const lastUsed = statSync(existsSync(manifest) ? manifest : path).mtime
      const du = await runOk('du', ['-s', '--block-size=1', '--', path])
      items.push({ stage, name, path, bytes: Number.parseInt(du, 10), lastUsed })
    }
  }
  return items.toSorted((a, b) => a.lastUsed.getTime() - b.lastUsed.getTime())
}

/** What has to go so that the cache holds at most `maxBytes`, and nothing unused for longer than `maxDays`. */
export function planGc(
  items: readonly CacheItem[],
  limits: { readonly maxBytes: number; readonly maxDays: number },
  now: Date = new Date(),
): CacheItem[] {
  let total = items.reduce((sum, item) => sum + item.bytes, 0)
  const oldest = now.getTime() - limits.maxDays * 86_400_000
  return items.filter((item) => {
    if (total <= limits.maxBytes && item.lastUsed.getTime() >= oldest) return false
    total -= item.bytes
    return true
  })
}

/**
 * Deletes one item: under the lock that its maker would hold, and renamed first, so that nobody finds half of it.
 */
export async function removeItem(root: string, item: CacheItem): Promise<void> {
  await withLock(join(root, 'locks', `${item.stage}-${item.name}`), async () => {
    const doomed = join(root, item.stage, `.gc-${item.name}-${process.pid}`)
    renameSync(item.path, doomed)
    rmSync(doomed, { recursive: true, force: true })
  })
}
