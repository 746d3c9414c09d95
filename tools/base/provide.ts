// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, statSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LabError } from '../lib/errors.ts'
import type { Series } from '../series/series.ts'
import type { Base, BaseIdentity, BaseRequest } from './base.ts'
import { debianBase } from './debian.ts'
import { gitBase } from './git.ts'
import { git } from './repo.ts'
import { tarballBase } from './tarball.ts'

/**
 * Provides the base that was asked for: sources of the user's (`linux`) beat a version, a version beats the base
 * that the series names. What was provided once comes from the cache without network.
 *
 * @throws UsageError when the request names nothing that exists, or the machine has no apt and no `linux` is given.
 * @throws LabError when a download or an archive is broken.
 */
export async function provideBase(
  request: BaseRequest,
  series: Pick<Series, 'base'>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Base> {
  const provided = await provide(request, series, options)
  touch(provided.repo)
  const version = await treeVersion(provided.repo, provided.commit)
  return { ...provided, identity: { ...provided.identity, version } }
}

async function provide(
  request: BaseRequest,
  series: Pick<Series, 'base'>,
  options: { readonly signal?: AbortSignal },
): Promise<Base> {
  const { linux } = request
  if (linux !== undefined && existsSync(linux) && statSync(linux).isFile()) {
    const { repo, imported, archive, cached } = await tarballBase(linux, options)
    const { commit, tree } = imported
    return { repo, commit, cached, identity: { provider: 'tarball', version: '', tree, commit, archive } }
  }
  if (linux !== undefined) {
    const { repo, commit, tree, cached } = await gitBase(linux, options)
    return { repo, commit, cached, identity: { provider: 'git', version: '', tree, commit } }
  }
  const debian = await debianBase(request.version ?? series.base.version, options)
  const { commit, tree } = debian.imported
  const identity: BaseIdentity = { provider: 'debian', version: '', tree, commit, package: debian.package }
  return { repo: debian.repo, commit, cached: debian.cached, identity }
}

/**
 * The version that the tree's top Makefile states, as `make kernelversion` prints it.
 *
 * @throws LabError when the commit is no Linux tree.
 */
export async function treeVersion(repo: string, commit: string): Promise<string> {
  const { code, stdout } = await git(repo, ['cat-file', 'blob', `${commit}:Makefile`])
  const value = (name: string): string => new RegExp(`^${name} *=[ \\t]*(\\S*)`, 'm').exec(stdout)?.[1] ?? ''
  const [major, minor] = [value('VERSION'), value('PATCHLEVEL')]
  if (code !== 0 || !/^\d+$/.test(major) || !/^\d+$/.test(minor)) {
    throw new LabError({
      what: 'the base is not a Linux source tree',
      why: 'its Makefile states no VERSION and PATCHLEVEL',
      fix: 'give the top directory of a Linux checkout, or an archive of one',
    })
  }
  const sub = value('SUBLEVEL')
  return `${major}.${minor}${sub === '' ? '' : `.${sub}`}${value('EXTRAVERSION')}`
}

/** Tells gc that this base is in use: it goes by the manifest's time. */
function touch(repo: string): void {
  const manifest = join(dirname(repo), 'manifest.json')
  const now = new Date()
  if (existsSync(manifest)) utimesSync(manifest, now, now)
}
