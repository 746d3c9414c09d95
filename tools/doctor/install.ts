// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { LabError } from '../lib/errors.ts'
import { run, runOk, shellLine } from '../lib/exec.ts'
import { log } from '../lib/log.ts'
import { lacking, type Row } from './doctor.ts'
import type { Family } from './requirements.ts'

/** What install() did, or what the user has to do. */
export type Installed =
  | { readonly how: 'nothing-to-do' }
  | { readonly how: 'installed'; readonly packages: readonly string[] }
  /** It may not, or does not know this distribution's tool well enough: `line` is what to run. */
  | { readonly how: 'ask'; readonly packages: readonly string[]; readonly line: string }

export interface InstallOptions {
  /** Text of /etc/os-release. */
  readonly osRelease?: string
  readonly uid?: number
  readonly signal?: AbortSignal
}

/**
 * Installs what is missing with apt-get, where that works without asking: as root, or through sudo without a
 * password. Otherwise, and on other distributions, it changes nothing and returns the one line to run. Installs no
 * recommended packages and upgrades nothing that is not on the list.
 *
 * @throws LabError when apt-get fails.
 */
export async function install(rows: readonly Row[], options: InstallOptions = {}): Promise<Installed> {
  const family = familyOf(options.osRelease ?? readOsRelease())
  const packages = packagesFor(rows, family ?? 'debian')
  if (packages.length === 0) return { how: 'nothing-to-do' }
  if (family !== 'debian') return { how: 'ask', packages, line: lineFor(family, packages) }
  const prefix = await privilege(options)
  if (!prefix) return { how: 'ask', packages, line: lineFor('debian', packages) }
  log.info(`doctor  installing ${packages.join(' ')}`)
  // A fresh machine or container has no package lists at all.
  await apt(prefix, ['update', '-q'], options)
  await apt(prefix, ['install', '-q', '-y', '--no-install-recommends', '--', ...packages], options)
  return { how: 'installed', packages }
}

/** Which family a distribution belongs to, from os-release(5): its ID, else the first of ID_LIKE that is known. */
export function familyOf(osRelease: string): Family | undefined {
  const value = (key: string): string =>
    new RegExp(`^${key}=(?:"([^"\n]*)"|'([^'\n]*)'|(.*))$`, 'm').exec(osRelease)?.slice(1).find(Boolean) ?? ''
  for (const id of [value('ID'), ...value('ID_LIKE').split(' ')]) {
    if (id === 'debian' || id === 'ubuntu') return 'debian'
    if (id === 'fedora' || id === 'rhel' || id === 'centos') return 'fedora'
    if (id === 'arch') return 'arch'
    if (id === 'suse' || id.startsWith('opensuse')) return 'opensuse'
  }
  return undefined
}

/** The packages that hold what is lacking, sorted, each once. */
export function packagesFor(rows: readonly Row[], family: Family): readonly string[] {
  return [...new Set(lacking(rows).map((row) => row.requirement.packages[family]))].sort()
}

/** The one line that installs packages, to be run by a person. */
export function lineFor(family: Family | undefined, packages: readonly string[]): string {
  switch (family) {
    case 'debian':
      return `sudo sh -c '${shellLine('apt-get', ['update'])} && ${shellLine('apt-get', ['install', '-y', '--no-install-recommends', ...packages])}'`
    case 'fedora':
      return shellLine('sudo', ['dnf', 'install', ...packages])
    case 'arch':
      return shellLine('sudo', ['pacman', '-S', '--needed', ...packages])
    case 'opensuse':
      return shellLine('sudo', ['zypper', 'install', ...packages])
    default:
      return `install, by the names of your distribution: ${packages.join(' ')} (these are Debian's)`
  }
}

/** The words to put in front of apt-get; undefined when this user may not install. */
async function privilege(options: InstallOptions): Promise<readonly string[] | undefined> {
  if ((options.uid ?? process.getuid?.()) === 0) return []
  const able = await run('sudo', ['-n', 'true'], { timeoutMs: 10_000 }).catch((error: unknown) => {
    if (error instanceof LabError) return undefined // no sudo here
    throw error
  })
  return able?.code === 0 ? ['sudo', '-n'] : undefined
}

async function apt(
  prefix: readonly string[],
  args: readonly string[],
  options: InstallOptions,
): Promise<void> {
  // Through env(1): sudo drops the caller's variables.
  const [file = 'env', ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args]
  await runOk(file, rest, options.signal ? { signal: options.signal } : {})
}

function readOsRelease(): string {
  const file = ['/etc/os-release', '/usr/lib/os-release'].find((path) => existsSync(path))
  return file === undefined ? '' : readFileSync(file, 'utf8')
}
