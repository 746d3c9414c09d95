// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One place that the machine's apt fetches packages of Debian from. */
export interface Mirror {
  readonly uri: string
  /** The entry's own suites, for example bookworm and bookworm-updates. */
  readonly suites: readonly string[]
  /** The Signed-By value as it stands: a keyring's path, or a key block; empty for apt's default keyrings. */
  readonly signedBy: string
}

/**
 * The Debian archive's entries in the machine's apt configuration (`sources.list`, `sources.list.d/*.list` and
 * `*.sources`, see sources.list(5)); entries of other archives, of debian-security and debian-debug are left out.
 * Options that switch verification off (trusted, allow-insecure) are never taken over.
 */
export function debianMirrors(etc = '/etc/apt'): Mirror[] {
  const parts = join(etc, 'sources.list.d')
  const files = [
    join(etc, 'sources.list'),
    ...(existsSync(parts) ? readdirSync(parts).toSorted() : []).map((name) => join(parts, name)),
  ]
  const mirrors: Mirror[] = []
  for (const file of files) {
    if (!existsSync(file)) continue
    if (file.endsWith('.list')) mirrors.push(...parseList(readFileSync(file, 'utf8')))
    if (file.endsWith('.sources')) mirrors.push(...parseSources(readFileSync(file, 'utf8')))
  }
  return mirrors.filter(
    (mirror, i) => isDebian(mirror) && mirrors.findIndex((m) => m.uri === mirror.uri) === i,
  )
}

/** The one-line style: `deb [options] uri suite components...`. */
export function parseList(text: string): Mirror[] {
  const mirrors: Mirror[] = []
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line)
    if (!match) continue
    const [, options = '', uri = '', suite = '', components = ''] = match
    if (!components.trim().split(/\s+/).includes('main')) continue
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1] ?? ''
    mirrors.push({ uri, suites: [suite], signedBy: signedBy.replaceAll(',', ' ') })
  }
  return mirrors
}

/** The deb822 style: stanzas of `Key: value` lines, a value going on over indented lines. */
export function parseSources(text: string): Mirror[] {
  const mirrors: Mirror[] = []
  for (const stanza of text.split(/\n(?:[ \t]*\n)+/)) {
    const fields = new Map<string, string>()
    let last = ''
    for (const line of stanza.split('\n')) {
      if (line.startsWith('#')) continue
      const field = /^([\w-]+):\s*(.*)$/.exec(line)
      if (field) fields.set((last = (field[1] ?? '').toLowerCase()), field[2] ?? '')
      else if (/^[ \t]/.test(line) && last) fields.set(last, `${fields.get(last)}\n${line}`)
    }
    const words = (name: string): string[] => (fields.get(name) ?? '').split(/\s+/).filter(Boolean)
    if (fields.get('enabled')?.trim().toLowerCase() === 'no') continue
    if (!words('types').includes('deb') || !words('components').includes('main')) continue
    for (const uri of words('uris')) {
      mirrors.push({ uri, suites: words('suites'), signedBy: fields.get('signed-by') ?? '' })
    }
  }
  return mirrors
}

/** A private apt source in deb822: the machine's mirror and key with another suite. */
export function sourceStanza(mirror: Mirror, suite: string): string {
  const signed = mirror.signedBy === '' ? '' : `Signed-By: ${mirror.signedBy}\n`
  return `Types: deb\nURIs: ${mirror.uri}\nSuites: ${suite}\nComponents: main\n${signed}\n`
}

/**
 * Whether this is the Debian archive proper. The path ends in /debian on every mirror; the last word is the
 * signed Origin that debian.ts checks once apt has fetched the suite's Release file.
 */
function isDebian(mirror: Mirror): boolean {
  if (mirror.uri.startsWith('cdrom:')) return false
  if (mirror.suites.every((suite) => /-(?:security|debug)$|\//.test(suite))) return false
  return /\/debian(?:\.list)?\/?$|\/archive\/debian\/\w+\/?$/.test(mirror.uri)
}
