// SPDX-License-Identifier: GPL-2.0-only
import { basename, join } from 'node:path'
import { artefact } from '../lib/cache.ts'
import { sha256File } from '../lib/hash.ts'
import { log, printable } from '../lib/log.ts'
import { IMPORT_VERSION, importArchive, type Imported } from './import.ts'

export interface TarballBase {
  readonly repo: string
  readonly imported: Imported
  readonly archive: { readonly name: string; readonly sha256: string }
  readonly cached: boolean
}

/**
 * A base from an archive of the user's. Known by its content: a renamed or moved archive is found in the cache.
 *
 * @throws LabError when the archive is cut off, damaged or hostile; nothing is cached then.
 */
export async function tarballBase(
  file: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<TarballBase> {
  const sha256 = await sha256File(file)
  const name = basename(file)
  const made = await artefact<Imported>(
    'base-repo',
    { version: IMPORT_VERSION, archive: sha256 },
    async (dir) => {
      log.info(`importing ${printable(name)}`)
      return importArchive(file, join(dir, 'repo.git'), options)
    },
  )
  return {
    repo: join(made.dir, 'repo.git'),
    imported: made.manifest,
    archive: { name, sha256 },
    cached: made.cached,
  }
}
