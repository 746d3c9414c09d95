// SPDX-License-Identifier: GPL-2.0-only
import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { LabError } from '../lib/errors.ts'
import { archiveName, type CpioEntry } from './cpio.ts'

/** More links than this in one path are a circle (ELOOP is 40 in Linux, see path_resolution(7)). */
const LINKS = 40

/**
 * The guest's file system while it is put together: host files at the host's own paths with the links that lead
 * there, so that a loader or a script finds in the guest what it finds on the host.
 */
export class Layout {
  readonly #entries = new Map<string, CpioEntry>()

  entries(): readonly CpioEntry[] {
    return [...this.#entries.values()]
  }

  /** Whether something is at this guest path, links followed. */
  has(path: string): boolean {
    return this.#entries.has(this.#follow(path))
  }

  /**
   * Adds one entry; links on the way to it are followed.
   *
   * @throws LabError when something else is there already.
   */
  add(entry: CpioEntry): void {
    archiveName(entry.path)
    const path = join(this.#follow(dirname(entry.path)), entry.path.slice(entry.path.lastIndexOf('/') + 1))
    const placed = { ...entry, path }
    const there = this.#entries.get(path)
    if (there?.kind === 'dir' && placed.kind === 'dir') return
    if (there !== undefined && JSON.stringify(there) !== JSON.stringify(placed)) {
      throw broken(path, 'two different things would be there')
    }
    this.#entries.set(path, placed)
  }

  /** Takes a host file, and every link on the way to it, at the same path. Returns the path without links. */
  mirror(hostPath: string): string {
    let path = resolve(hostPath)
    for (let hops = 0; hops < LINKS; hops++) {
      const link = firstLink(path)
      if (link === undefined) {
        const stat = statOf(path)
        if (!stat.isFile()) throw broken(path, 'it is neither a file nor a link to one')
        this.add({ kind: 'file', path, mode: modeOf(stat), source: path })
        return path
      }
      path = join(this.mirrorLink(link), path.slice(link.length))
    }
    throw broken(hostPath, 'its symbolic links lead in a circle')
  }

  /** Takes one host link as it is (its own directory has no link in it); returns where it leads. */
  mirrorLink(link: string): string {
    const target = readlinkSync(link)
    if (!this.#entries.has(link)) this.add({ kind: 'link', path: link, target })
    return resolve(dirname(link), target)
  }

  /**
   * Copies a host directory and all below it to a guest path. Links are copied as they are. Python's caches are left
   * out: they are written when somebody uses them, and would make the same directory another one.
   * Returns the regular files among it, as host and guest paths.
   */
  copyDirectory(source: string, path: string): { source: string; path: string }[] {
    const files: { source: string; path: string }[] = []
    this.add({ kind: 'dir', path, mode: 0o755 })
    for (const name of readdirSync(source).sort()) {
      if (name === '__pycache__') continue
      const from = join(source, name)
      const to = `${path}/${name}`
      const stat = statOf(from)
      if (stat.isDirectory()) files.push(...this.copyDirectory(from, to))
      else if (stat.isSymbolicLink()) this.add({ kind: 'link', path: to, target: readlinkSync(from) })
      else if (stat.isFile()) {
        this.add({ kind: 'file', path: to, mode: modeOf(stat), source: from })
        files.push({ source: from, path: to })
      } else throw broken(from, 'it is neither a file, a directory nor a link')
    }
    return files
  }

  #follow(path: string): string {
    let rest = path
    for (let hops = 0; hops < LINKS; hops++) {
      const parts = rest.split('/').slice(1)
      const at = parts.findIndex(
        (_, i) => this.#entries.get(`/${parts.slice(0, i + 1).join('/')}`)?.kind === 'link',
      )
      if (at < 0) return rest
      const link = `/${parts.slice(0, at + 1).join('/')}`
      const entry = this.#entries.get(link)
      if (entry?.kind !== 'link') return rest
      rest = join(resolve(dirname(link), entry.target), ...parts.slice(at + 1))
    }
    throw broken(path, 'its symbolic links lead in a circle')
  }
}

/** The first part of a path that is a symbolic link. */
function firstLink(path: string): string | undefined {
  for (let end = path.indexOf('/', 1); ; end = path.indexOf('/', end + 1)) {
    const part = end < 0 ? path : path.slice(0, end)
    if (statOf(part).isSymbolicLink()) return part
    if (end < 0) return undefined
  }
}

/** Two modes only, so that the host's umask and owner do not show in the archive. */
function modeOf(stat: Stats): number {
  return stat.mode & 0o111 ? 0o755 : 0o644
}

function statOf(path: string): Stats {
  try {
    return lstatSync(path)
  } catch (error) {
    throw broken(path, (error as Error).message)
  }
}

function broken(path: string, why: string): LabError {
  return new LabError({
    what: `cannot put ${path} into the guest`,
    why,
    fix: 'change the list of programs and files',
  })
}
