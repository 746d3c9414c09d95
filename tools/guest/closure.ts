// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readProgram, type ElfProgram } from '../lib/elf.ts'
import { LabError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'

/** A library (or loader) that a program needs. */
export interface Library {
  /** Path by which the loader finds it; may be a symbolic link. */
  readonly path: string
  /** The name it was asked for by, for example "libz.so.1". */
  readonly soname: string
  /** Found in none of the loader's own directories: a guest without ld.so.cache needs a link to it there. */
  readonly foreign: boolean
}

/** Where this machine's loader looks, beside what a program itself says. */
export interface LibrarySearch {
  /** From ld.so.cache: paths by soname, best first. */
  readonly known: ReadonlyMap<string, readonly string[]>
  /** Directories to look in, in order: those of ld.so.conf when there is no cache, then the loader's own. */
  readonly dirs: readonly string[]
}

/** The loader's own directories: Debian's multiarch ones, then those of every other distribution; see ld.so(8). */
export const LOADER_DIRS = [
  '/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu',
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib',
] as const

/**
 * Loaded by name while a program runs, so that no DT_NEEDED shows it: the C library loads libgcc_s when a thread
 * ends by pthread_exit() and aborts the program when it is not there.
 */
const LOADED_LATER: Readonly<Record<string, readonly string[]>> = { 'libc.so.6': ['libgcc_s.so.1'] }

/** Asks this machine where its libraries are: ldconfig's cache, else the directories of /etc/ld.so.conf. */
export async function librarySearch(): Promise<LibrarySearch> {
  const ldconfig = ['/sbin/ldconfig', '/usr/sbin/ldconfig', '/usr/bin/ldconfig'].find((p) => existsSync(p))
  const listing = ldconfig === undefined ? undefined : await run(ldconfig, ['-p'])
  if (listing?.code === 0) return { known: parseCache(listing.stdout), dirs: LOADER_DIRS }
  return { known: new Map(), dirs: [...configuredDirs('/etc/ld.so.conf'), ...LOADER_DIRS] }
}

/**
 * What `ldconfig -p` printed. Entries for particular processors ("hwcap", glibc-hwcaps directories) are left out:
 * the guest's processor is not the host's.
 */
export function parseCache(text: string): Map<string, string[]> {
  const known = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const match = /^\s+(\S+) \(([^)]*)\) => (\/.+)$/.exec(line)
    const [soname, kind, path] = [match?.[1], match?.[2], match?.[3]]
    if (soname === undefined || kind === undefined || path === undefined) continue
    if (kind.includes('hwcap') || path.includes('/glibc-hwcaps/')) continue
    known.set(soname, [...(known.get(soname) ?? []), path])
  }
  return known
}

/**
 * The shared libraries that `program` needs to start, found as the loader would find them, without running it:
 * each DT_NEEDED through DT_RPATH, DT_RUNPATH with $ORIGIN, the cache and the default directories, the right
 * class and machine only. Includes the loader itself. Empty for a static program.
 *
 * @throws LabError when a library is missing, naming the program and who asked for the library.
 */
export function closure(program: string, search: LibrarySearch): Library[] {
  const main = readProgram(program)
  if (main.interpreter === undefined && main.needed.length === 0) return []
  // The loader resolves a program's links before it takes $ORIGIN, and a library's not.
  const queue: Loaded[] = [{ path: realpathSync(program), elf: main, inherited: [] }]
  const found = new Map<string, Library>()
  const interpreter = main.interpreter
  if (interpreter !== undefined) {
    if (!existsSync(interpreter)) throw missing(program, program, interpreter)
    const soname = interpreter.slice(interpreter.lastIndexOf('/') + 1)
    found.set(soname, { path: interpreter, soname, foreign: false })
  }
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const later = next.elf.soname === undefined ? [] : (LOADED_LATER[next.elf.soname] ?? [])
    for (const name of [...next.elf.needed, ...later]) {
      if (found.has(name)) continue // the loader, too, takes a name once in a process
      const library = find(name, next, search, main)
      if (library === undefined && later.includes(name)) continue
      if (library === undefined) throw missing(program, next.path, name)
      found.set(name, library)
      const elf = readProgram(library.path)
      queue.push({ path: library.path, elf, inherited: rpathOf(next) })
    }
  }
  return [...found.values()]
}

interface Loaded {
  readonly path: string
  readonly elf: ElfProgram
  /** DT_RPATH of those that asked for it: unlike DT_RUNPATH it holds for the libraries below, too. */
  readonly inherited: readonly string[]
}

function find(name: string, from: Loaded, search: LibrarySearch, main: ElfProgram): Library | undefined {
  const fits = (path: string): boolean => {
    if (!existsSync(path)) return false
    try {
      const elf = readProgram(path)
      return elf.bits === main.bits && elf.machine === main.machine
    } catch {
      return false // a linker script, or damaged: the loader goes on to the next, too
    }
  }
  if (name.includes('/')) return fits(name) ? { path: name, soname: name, foreign: false } : undefined
  const own = [...rpathOf(from), ...from.elf.runpath.map((dir) => withOrigin(dir, from.path))]
  const stated = own.map((dir) => join(dir, name)).find(fits)
  if (stated !== undefined) return { path: stated, soname: name, foreign: false }
  const known = [...(search.known.get(name) ?? []), ...search.dirs.map((dir) => join(dir, name))].find(fits)
  return known === undefined ? undefined : { path: known, soname: name, foreign: isForeign(known) }
}

/** DT_RPATH in force for what `from` asks for: none of its own when it has a DT_RUNPATH, see ld.so(8). */
function rpathOf(from: Loaded): string[] {
  if (from.elf.runpath.length > 0) return []
  return [...from.elf.rpath.map((dir) => withOrigin(dir, from.path)), ...from.inherited]
}

function withOrigin(dir: string, path: string): string {
  return dir.replaceAll(/\$\{ORIGIN\}|\$ORIGIN\b/g, dirname(path))
}

function isForeign(path: string): boolean {
  const home = realpathSync(dirname(path))
  return !LOADER_DIRS.some((dir) => existsSync(dir) && realpathSync(dir) === home)
}

function configuredDirs(file: string, depth = 0): string[] {
  if (depth > 8 || !existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .flatMap((line) => {
      const pattern = /^include\s+(\S+)$/.exec(line)?.[1]
      if (pattern === undefined) return line.startsWith('/') ? [line] : []
      // Only the form that distributions use: one directory, *.conf.
      const dir = resolve(dirname(file), dirname(pattern))
      if (!pattern.endsWith('*.conf') || !existsSync(dir)) return []
      const names = readdirSync(dir).filter((name) => name.endsWith('.conf'))
      return names.sort().flatMap((name) => configuredDirs(join(dir, name), depth + 1))
    })
}

function missing(program: string, by: string, library: string): LabError {
  return new LabError({
    what: `${program} cannot run in the guest`,
    why:
      by === program ? `it needs ${library}, which is not here` : `${by} needs ${library}, which is not here`,
    fix: 'install the package that has this library, or take the program off the list',
  })
}
