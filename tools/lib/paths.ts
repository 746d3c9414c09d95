// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, normalize, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the tool's own files are (the clone, or the installed package). */
export const toolRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** phyr's own version, from its package.json. */
export function ownVersion(): string {
  return (JSON.parse(readFileSync(join(toolRoot, 'package.json'), 'utf8')) as { version: string }).version
}

/** The cache directory: `$PHYR_CACHE`, else `$XDG_CACHE_HOME/phyr`, else `~/.cache/phyr`. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  if (env['PHYR_CACHE']) return resolve(env['PHYR_CACHE'])
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'phyr')
}

/**
 * Whether a path that came from outside (a patch, a tar entry, a machine file) stays inside the directory it is
 * meant for: relative, no `..` that climbs out, no NUL, not empty.
 */
export function staysInside(path: string): boolean {
  if (path === '' || path.includes('\0') || isAbsolute(path)) return false
  const clean = normalize(path)
  return clean !== '..' && !clean.startsWith(`..${sep}`)
}
