// SPDX-License-Identifier: GPL-2.0-only
import { homedir, hostname, tmpdir, userInfo } from 'node:os'
import { cacheRoot, toolRoot } from '../lib/paths.ts'

/** What the machine at hand would tell about its owner. */
export interface Private {
  /** Absolute directories, whose whole paths go. */
  readonly dirs: readonly string[]
  /** Names that are never said: of the machine, of the user. */
  readonly names: readonly string[]
}

/** This machine's. */
export function ownPrivate(): Private {
  const host = hostname()
  return {
    dirs: [cacheRoot(), toolRoot, homedir(), tmpdir()],
    names: [host, host.split('.')[0] ?? host, userInfo().username],
  }
}

/** Words that may be a machine's or a user's name and are everyday words in a cover letter too. */
const EVERYDAY = new Set([
  'localhost',
  'root',
  'user',
  'linux',
  'debian',
  'kernel',
  'test',
  'phyr',
  'virtio',
  'nvme',
])

/** Evidence without home directories and names of hosts: nobody on a list needs them. */
export function scrub(text: string, { dirs, names }: Private = ownPrivate()): string {
  let clean = text
  for (const dir of dirs.toSorted((a, b) => b.length - a.length)) {
    if (dir.length > 1) clean = clean.replace(new RegExp(`${literal(dir)}(?=[/\\s"'),:;]|$)`, 'gm'), '<dir>')
  }
  clean = clean.replace(/(?<![\w.])\/(?:home|Users|root)(?:\/[\w.+-]+)?/g, '<dir>')
  for (const name of names) {
    if (name.length < 3 || EVERYDAY.has(name.toLowerCase())) continue
    clean = clean.replace(new RegExp(`(?<![\\w-])${literal(name)}(?![\\w-])`, 'gi'), '<host>')
  }
  return clean
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
