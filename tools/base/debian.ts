// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { artefact, cachedArtefact, type Artefact } from '../lib/cache.ts'
import { LabError, messageOf, UsageError } from '../lib/errors.ts'
import { runOk } from '../lib/exec.ts'
import { sha256File } from '../lib/hash.ts'
import { log } from '../lib/log.ts'
import { debianMirrors, type Mirror } from './apt-sources.ts'
import { type AptPackage, PrivateApt } from './apt.ts'
import { IMPORT_VERSION, importArchive, type Imported } from './import.ts'

/** A Debian package of the kernel's sources as a local repository. */
export interface DebianBase {
  readonly repo: string
  readonly imported: Imported
  readonly package: { readonly name: string; readonly version: string; readonly sha256: string }
  readonly cached: boolean
}

/**
 * The base of Debian's linux-source package for `version`: "7.3" (the newest 7.3.x that is not a release
 * candidate), "7.3.4" (exactly that) or "7.3-rc" / "7.3-rc7" (a release candidate). Once cached it needs no
 * network and no apt: the answer to "7.3" stays what it was until the cache is trimmed.
 *
 * @throws UsageError when the version makes no sense, no suite carries it, or the machine has no apt.
 * @throws LabError when the archive cannot be reached or the package is damaged.
 */
export async function debianBase(
  version: string,
  options: { readonly signal?: AbortSignal; readonly etc?: string } = {},
): Promise<DebianBase> {
  const wanted = parseVersion(version)
  const inputs = { version: 2, wanted: wanted.text }
  const known = cachedArtefact<AptPackage>('base-package', inputs)
  let found = known ?? (await artefact('base-package', inputs, () => findPackage(wanted, options)))
  let repo: Artefact<Imported>
  try {
    repo = await packageRepo(found.manifest, options)
  } catch (error) {
    // The cache knew a package whose repository was trimmed since, and the mirror has moved on: ask again.
    if (!known || !(error instanceof LabError) || options.signal?.aborted) throw error
    log.detail(`${found.manifest.name} ${found.manifest.version}: ${messageOf(error)}; looking again`)
    rmSync(known.dir, { recursive: true, force: true })
    found = await artefact('base-package', inputs, () => findPackage(wanted, options))
    repo = await packageRepo(found.manifest, options)
  }
  const { name, version: packageVersion, sha256 } = found.manifest
  return {
    repo: join(repo.dir, 'repo.git'),
    imported: repo.manifest,
    package: { name, version: packageVersion, sha256 },
    cached: repo.cached,
  }
}

/**
 * Suites in the order they are asked: the small indexes that carry new kernels first (backports 0.3 MB, sid 11 MB).
 * What a suite carries is asked of apt, not known here; the machine's own suites come last.
 */
const SUITES = ['trixie-backports', 'experimental', 'sid', 'trixie', 'bookworm-backports', 'bookworm']

interface Wanted {
  readonly text: string
  readonly name: string
  /** Whether a package version, for example 7.3~rc7-1~exp1, is one that was asked for. */
  readonly matches: (packageVersion: string) => boolean
}

/** What "7.3", "7.3.4", "7.3-rc" and "7.3-rc7" ask for, in terms of Debian's package names and versions. */
export function parseVersion(text: string): Wanted {
  const match = /^v?(\d+\.\d+)(\.\d+)?(?:-(rc\d*))?$/.exec(text)
  if (!match || (match[2] && match[3])) {
    throw new UsageError(
      `"${text}" is no version of a base`,
      'give one like 7.3, 7.3.4 or 7.3-rc, or a source tree of yours with --linux DIR or --linux FILE.tar.xz',
    )
  }
  const [, series = '', point, rc] = match
  return {
    text: text.replace(/^v/, ''),
    name: `linux-source-${series}`,
    matches: (v) => {
      // Debian writes a release candidate as 7.3~rc7-1 so that it sorts before 7.3-1.
      const [number = '', candidate] = v
        .replace(/^\d+:/, '')
        .replace(/-[^-]*$/, '')
        .split('~')
      if (rc !== undefined) return rc === 'rc' ? /^rc\d+$/.test(candidate ?? '') : candidate === rc
      if (/^rc\d+$/.test(candidate ?? '')) return false
      return point === undefined || number === `${series}${point}`
    },
  }
}

async function findPackage(wanted: Wanted, options: FetchOptions): Promise<AptPackage> {
  const mirrors = machineMirrors(options.etc)
  const suites = [...new Set([...SUITES, ...mirrors.flatMap((m) => m.suites)])].filter(
    (suite) => !/-(?:security|updates|debug)$|\//.test(suite),
  )
  const seen: AptPackage[] = []
  const failures: string[] = []
  for (const suite of suites) {
    log.info(`looking for ${wanted.name} (${wanted.text}) in ${suite}`)
    const here = await withApt(suite, mirrors, options, async (apt) => {
      const { ok, why } = await apt.update()
      if (!ok) failures.push(`${suite}: ${why}`)
      return ok ? apt.linuxSources() : []
    })
    seen.push(...here)
    const found = here.find((pkg) => pkg.name === wanted.name && wanted.matches(pkg.version))
    if (found) return found
    options.signal?.throwIfAborted()
  }
  if (failures.length === suites.length) {
    throw new LabError({
      what: `${wanted.name} cannot be fetched`,
      why: 'apt could not read any suite of the Debian archive',
      fix: 'is the network up? Or give the sources yourself: --linux DIR or --linux FILE.tar.xz',
      detail: failures,
    })
  }
  const offered = [...new Set(seen.map((pkg) => `${pkg.name} ${pkg.version} (${pkg.suite})`))]
  throw new UsageError(
    `no suite of Debian has Linux ${wanted.text}; there is ${offered.join(', ')}`,
    'choose one of these with --base, or give the sources yourself: --linux DIR or --linux FILE.tar.xz',
  )
}

interface FetchOptions {
  readonly signal?: AbortSignal
  /** Where the machine's apt configuration is; for tests. */
  readonly etc?: string
}

/** The package's sources as a repository; keyed by the package's own hash, so "7.3" and "7.3.4" share it. */
async function packageRepo(pkg: AptPackage, options: FetchOptions): Promise<Artefact<Imported>> {
  const inputs = { version: IMPORT_VERSION, deb: pkg.sha256 }
  return artefact<Imported>('base-repo', inputs, async (dir) => {
    const work = join(dir, 'unpacked')
    mkdirSync(work)
    log.info(`downloading ${pkg.name} ${pkg.version} from ${pkg.suite}`)
    await withApt(pkg.suite, machineMirrors(options.etc), options, async (apt) => {
      const { ok, why } = await apt.update()
      if (!ok) throw unreachable(pkg, why)
      await apt.download(pkg, work)
    })
    const deb = readdirSync(work).find((name) => name.endsWith('.deb'))
    if (!deb || (await sha256File(join(work, deb))) !== pkg.sha256) {
      throw unreachable(pkg, 'what apt left is not the package that the index names')
    }
    await runOk('dpkg-deb', ['-x', join(work, deb), join(work, 'root')], signalOf(options))
    const src = join(work, 'root/usr/src')
    const tar = existsSync(src) ? readdirSync(src).find((name) => name.endsWith('.tar.xz')) : undefined
    if (!tar) throw unreachable(pkg, 'there is no usr/src/*.tar.xz in it')
    log.info(`importing ${tar}`)
    const imported = await importArchive(join(src, tar), join(dir, 'repo.git'), signalOf(options))
    rmSync(work, { recursive: true, force: true })
    return imported
  })
}

async function withApt<T>(
  suite: string,
  mirrors: readonly Mirror[],
  options: FetchOptions,
  use: (apt: PrivateApt) => Promise<T>,
): Promise<T> {
  // Lists are small and used once. In /tmp, so that apt's own sandbox user can reach its part of them.
  const root = mkdtempSync(join(tmpdir(), 'phyr-apt-'))
  chmodSync(root, 0o755)
  try {
    return await use(new PrivateApt(root, suite, mirrors, options.signal))
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

function machineMirrors(etc: string | undefined): Mirror[] {
  const mirrors = existsSync('/usr/bin/apt-get') ? debianMirrors(etc) : []
  if (mirrors.length > 0) return mirrors
  throw new UsageError(
    'the kernel sources cannot be fetched: this machine has no apt that knows the Debian archive',
    'give the sources yourself: --linux DIR[@rev] (a git checkout) or --linux FILE.tar.xz',
  )
}

function unreachable(pkg: AptPackage, why: string): LabError {
  return new LabError({
    what: `${pkg.name} ${pkg.version} cannot be fetched`,
    why,
    fix: 'try again later, or give the sources yourself: --linux DIR or --linux FILE.tar.xz',
  })
}

function signalOf(options: FetchOptions): { signal?: AbortSignal } {
  return options.signal ? { signal: options.signal } : {}
}
