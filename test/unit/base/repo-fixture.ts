// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { packTar, type TarEntry } from 'modern-tar'
import type { Base } from '../../../tools/base/base.ts'
import { gitEnv } from '../../../tools/base/repo.ts'
import { runOk } from '../../../tools/lib/exec.ts'

/** The Makefile of a tree that passes for Linux. */
export const MAKEFILE =
  'VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\nEXTRAVERSION =\nNAME = Baby Opossum Posse\n\nall:\n'

/** Twenty numbered lines, so that a patch has context to miss. */
export const LINES = Array.from({ length: 20 }, (_, i) => `line ${i + 1}\n`).join('')

/** A scratch directory, with a cache of its own inside, and how to remove it. */
export function scratch(): { dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'phyr-test-'))
  const before = process.env['PHYR_CACHE']
  process.env['PHYR_CACHE'] = join(dir, 'cache')
  const remove = (): void => {
    if (before === undefined) delete process.env['PHYR_CACHE']
    else process.env['PHYR_CACHE'] = before
    rmSync(dir, { recursive: true, force: true })
  }
  return { dir, remove }
}

/** git in a checkout, with fixed dates and nobody's configuration. */
export async function gitIn(dir: string, ...args: string[]): Promise<string> {
  return runOk('git', args, { cwd: dir, env: gitEnv() })
}

/** A user's checkout with a small "Linux" in it, committed. */
export async function makeCheckout(
  dir: string,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  mkdirSync(dir, { recursive: true })
  await gitIn(dir, 'init', '-q', '-b', 'main')
  writeFiles(dir, { Makefile: MAKEFILE, 'mm/gup.c': LINES, 'block/bio.c': LINES, ...files })
  symlinkSync('mm/gup.c', join(dir, 'link'))
  await gitIn(dir, 'add', '-A')
  await gitIn(dir, 'commit', '-q', '-m', 'base')
  return dir
}

export function writeFiles(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
}

/** A tar file made of entries as they are given, hostile or not. */
export async function writeTar(file: string, entries: readonly TarEntry[]): Promise<string> {
  writeFileSync(file, await packTar(entries))
  return file
}

/** Entries of a good archive under `linux-7.3.4/`. */
export function linuxEntries(more: readonly TarEntry[] = []): TarEntry[] {
  return [
    { header: { name: 'linux-7.3.4/', size: 0, type: 'directory' } },
    fileEntry('linux-7.3.4/Makefile', MAKEFILE),
    fileEntry('linux-7.3.4/mm/gup.c', LINES),
    fileEntry('linux-7.3.4/scripts/run.sh', '#!/bin/sh\n', 0o755),
    { header: { name: 'linux-7.3.4/link', size: 0, type: 'symlink', linkname: 'mm/gup.c' } },
    ...more,
  ]
}

export function fileEntry(name: string, body: string, mode = 0o644): TarEntry {
  return { header: { name, size: Buffer.byteLength(body), type: 'file', mode }, body }
}

/** A base whose repository is the given checkout's own: for tests of what comes after the base. */
export async function baseOf(checkout: string): Promise<Base> {
  const commit = await gitIn(checkout, 'rev-parse', 'HEAD')
  const tree = await gitIn(checkout, 'rev-parse', 'HEAD^{tree}')
  const repo = join(checkout, '.git')
  return { repo, commit, identity: { provider: 'git', version: '7.3.4', tree, commit }, cached: false }
}
