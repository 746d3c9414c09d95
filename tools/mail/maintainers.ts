// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { git, gitOk } from '../base/repo.ts'
import { artefact } from '../lib/cache.ts'
import { LabError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import { sha256 } from '../lib/hash.ts'
import { log } from '../lib/log.ts'
import { staysInside } from '../lib/paths.ts'
import type { Applied, Patch } from '../series/series.ts'
import { unquoteName, type Address } from './address.ts'
import { readMaintained, type Maintained } from './maintained.ts'

/** Somebody whom MAINTAINERS names, and as what. */
export interface Maintainer extends Address {
  /** As get_maintainer.pl says it: "maintainer:BLOCK LAYER", "reviewer:...", "open list:...". */
  readonly role: string
}

/** Who has to do with a patch. */
export interface PatchMaintainers {
  readonly file: string
  readonly people: readonly Maintainer[]
  /** Files of the patch that nobody maintains: no person is named, whatever lists are. */
  readonly unmaintained: readonly string[]
}

const SCRIPT = 'scripts/get_maintainer.pl'

/**
 * Nothing of git's history: who once touched a line has not asked for mail. Text, not --json: Linux 7.3's JSON loses the
 * address of a name with parentheses ("Joerg Roedel (AMD)"), and encodes a name that is not ASCII twice.
 */
const OPTIONS = ['--roles', '--nosubstatus', '--no-tree', '--nogit', '--nogit-fallback', '--nofixes']

/** Part of the cache's keys: raised when what is stored means something else. */
const VERSION = 2

/**
 * Asks the tree's own get_maintainer.pl about every patch, and about each of its files. The script is the base's, so that
 * a patch cannot change what is run here; MAINTAINERS is the one that the series leaves. Answers are cached by the text
 * of the patch and by what of the tree the script reads.
 *
 * @returns undefined when the tree has no such script.
 */
export async function maintainersOf(
  applied: Applied,
  signal?: AbortSignal,
): Promise<readonly PatchMaintainers[] | undefined> {
  const tree = await scriptTree(applied, signal)
  if (tree === undefined) return undefined
  const maintained = readMaintained(readFileSync(join(tree.dir, 'MAINTAINERS'), 'utf8'), (path) =>
    existsSync(join(tree.dir, path)),
  )
  const found: PatchMaintainers[] = []
  for (const { patch } of applied.commits) {
    const inputs = { version: VERSION, tree: tree.key, patch: sha256(patch.text) }
    const { manifest } = await artefact('maintainers', inputs, async () => {
      log.progress(`who maintains patch ${patch.number} of ${applied.commits.length}`)
      return askAbout(patch, tree.dir, maintained, signal)
    })
    found.push({ file: patch.file, ...manifest })
  }
  log.progressDone()
  return found
}

async function askAbout(
  patch: Patch,
  tree: string,
  maintained: Maintained,
  signal: AbortSignal | undefined,
): Promise<Omit<PatchMaintainers, 'file'>> {
  const people = await ask(tree, [], patch.text, signal)
  const doubtful = patch.paths.filter((path) => staysInside(path) && !maintained.has(path))
  // The script wants to see the files; what is in them does not matter to it.
  for (const path of doubtful) touch(join(tree, path))
  const claimed = async (...paths: string[]): Promise<boolean> =>
    (await ask(tree, ['-f', ...paths], '', signal)).some(isPerson)
  if (doubtful.length === 0 || !(await claimed(...doubtful))) return { people, unmaintained: doubtful }
  const unmaintained: string[] = []
  for (const path of doubtful) if (!(await claimed(path))) unmaintained.push(path)
  return { people, unmaintained }
}

/** A maintainer: neither a list nor a reviewer only. Several roles are joined by commas. */
export function isPerson({ role }: Pick<Maintainer, 'role'>): boolean {
  return !/^[^:,]*\blist\b/.test(role) && (!role.startsWith('reviewer:') || /,maintainer:/.test(role))
}

async function ask(
  tree: string,
  args: readonly string[],
  input: string,
  signal: AbortSignal | undefined,
): Promise<Maintainer[]> {
  const said = await run('perl', [SCRIPT, ...OPTIONS, ...args], {
    cwd: tree,
    input,
    // No configuration of the user's (~/.get_maintainer.conf): the same tree names the same people everywhere.
    env: { HOME: tree, PERL5OPT: undefined, PERL5LIB: undefined },
    timeoutMs: 60_000,
    ...(signal ? { signal } : {}),
  })
  if (said.code !== 0) {
    throw new LabError({
      what: `${SCRIPT} gave no answer`,
      why: said.stderr.trim().split('\n').at(-1) || `exit code ${said.code}`,
      fix: 'is perl there? ./phyr doctor',
    })
  }
  return parseAnswer(said.stdout)
}

/**
 * What the script printed: a line each, `NAME <user@host> (ROLE)` or `user@host (ROLE)`; both names and roles may have
 * parentheses of their own.
 *
 * @throws LabError for a line that is neither.
 */
export function parseAnswer(stdout: string): Maintainer[] {
  return stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const match = /^(?:(.*?)\s*<([^<>]*)>|([^\s<>()]+))\s+\((.*)\)$/.exec(line)
      if (!match) {
        throw new LabError({
          what: `${SCRIPT} said something unexpected`,
          why: JSON.stringify(line),
          fix: 'this may be a bug of phyr: report it with the version of Linux',
        })
      }
      return {
        name: unquoteName(match[1] ?? ''),
        email: match[2] ?? match[3] ?? '',
        role: match[4] ?? '',
      }
    })
}

/** A directory with as much of the tree as the script looks at: itself, MAINTAINERS and the names of directories. */
async function scriptTree(
  applied: Applied,
  signal: AbortSignal | undefined,
): Promise<{ key: string; dir: string } | undefined> {
  const { repo, commit: base } = applied.base
  const options = signal ? { signal } : {}
  const blobs = await gitOk(
    repo,
    ['ls-tree', base, '--', SCRIPT, '.mailmap', '.get_maintainer.ignore'],
    options,
  )
  if (!blobs.includes(SCRIPT)) return undefined
  const own = await gitOk(repo, ['ls-tree', applied.commit, '--', 'MAINTAINERS'], options)
  if (own === '') return undefined
  const dirs = await gitOk(repo, ['ls-tree', '-r', '-d', '-z', '--name-only', applied.commit], options)
  const inputs = { version: VERSION, blobs, maintainers: own, dirs: sha256(dirs) }
  const { key, dir } = await artefact('maintainers-tree', inputs, async (out) => {
    for (const name of dirs.split('\0'))
      if (staysInside(name)) mkdirSync(join(out, name), { recursive: true })
    const put = async (commit: string, path: string): Promise<void> => {
      const { code, stdout } = await git(repo, ['cat-file', 'blob', `${commit}:${path}`], options)
      if (code !== 0) return
      mkdirSync(dirname(join(out, path)), { recursive: true })
      writeFileSync(join(out, path), stdout)
    }
    for (const path of [SCRIPT, '.mailmap', '.get_maintainer.ignore']) await put(base, path)
    await put(applied.commit, 'MAINTAINERS')
    return {}
  })
  return { key, dir }
}

/** Makes an empty file, if none is there. */
function touch(file: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '', { flag: 'a' })
}
