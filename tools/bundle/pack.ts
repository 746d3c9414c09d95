// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { packTar } from 'modern-tar'
import { UsageError } from '../lib/errors.ts'
import { runOk } from '../lib/exec.ts'
import { sha256 } from '../lib/hash.ts'
import { ownVersion } from '../lib/paths.ts'
import { seriesIdentity } from '../result/record.ts'
import { SCHEMA } from '../result/result.ts'
import type { Applied } from '../series/series.ts'
import type { Collected } from './collect.ts'
import { badName, MANIFEST, type Manifest } from './manifest.ts'

/** What compresses what; -T1: several threads cut the data at other places, and the bytes have to be the same. */
const PACKERS = [
  [/\.tar\.zst$/, 'zstd', ['-q', '-10', '--single-thread', '--rm', '-f'], '.zst'],
  [/\.tar\.xz$/, 'xz', ['-q', '-6', '-T1', '-f'], '.xz'],
] as const

/**
 * Writes a bundle: a manifest and the files that it lists, in the order of their names, all with the same owner and
 * date, so that the same content gives the same bytes. The file gets its name when it is whole.
 *
 * @returns the manifest's SHA-256: who knows it knows the whole bundle.
 * @throws UsageError when the name says neither .tar.zst nor .tar.xz; LabError when the compressor fails.
 */
export async function packBundle(
  file: string,
  applied: Applied,
  { files, time }: Pick<Collected, 'files' | 'time'>,
  signal?: AbortSignal,
): Promise<{ readonly manifest: Manifest; readonly sha256: string }> {
  const packer = packerOf(file)
  const { series, base } = applied
  const names = [...files.keys()].toSorted()
  for (const name of names) {
    const bad = badName(name)
    if (bad !== undefined) throw new UsageError(`${JSON.stringify(name)} cannot go into a bundle: ${bad}`)
  }
  const manifest: Manifest = {
    schema: SCHEMA,
    kind: 'phyr-bundle',
    phyr: ownVersion(),
    time,
    series: seriesIdentity(series),
    base: {
      version: base.identity.version,
      identity: base.identity.package
        ? `${base.identity.package.name} ${base.identity.package.version}`
        : base.identity.commit,
      tree: base.identity.tree,
    },
    tree: applied.tree,
    files: names.map((path) => {
      const bytes = files.get(path)!
      return { path, bytes: bytes.length, sha256: sha256(bytes) }
    }),
  }
  const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
  const entries = [[MANIFEST, text] as const, ...names.map((name) => [name, files.get(name)!] as const)]
  const tar = await packTar(entries.map(([name, bytes]) => entryOf(name, bytes)))
  await compress(resolve(file), tar, packer, signal)
  return { manifest, sha256: sha256(text) }
}

function packerOf(file: string): (typeof PACKERS)[number] {
  const packer = PACKERS.find(([ending]) => ending.test(file))
  if (!packer) throw new UsageError(`${file} is no name of a bundle`, 'it ends in .tar.zst or .tar.xz')
  return packer
}

/** The date of every file in a bundle. */
const MTIME = new Date('2020-01-01T00:00:00Z')

function entryOf(name: string, body: Uint8Array): Parameters<typeof packTar>[0][number] {
  const header = { name, size: body.length, type: 'file' as const, mode: 0o644, uid: 0, gid: 0, mtime: MTIME }
  return { header, body }
}

async function compress(
  target: string,
  tar: Uint8Array,
  [, program, args, ending]: (typeof PACKERS)[number],
  signal: AbortSignal | undefined,
): Promise<void> {
  const dir = mkdtempSync(join(dirname(target), `.${basename(target)}-`))
  try {
    const plain = join(dir, 'bundle.tar')
    writeFileSync(plain, tar)
    await runOk(program, [...args, plain], signal ? { signal } : {})
    renameSync(`${plain}${ending}`, target)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
