// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync, readSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { EM, isElf, readProgram } from '../lib/elf.ts'
import { LabError } from '../lib/errors.ts'
import { runOk } from '../lib/exec.ts'
import { isExecutable } from '../lib/which.ts'
import { closure, LOADER_DIRS, type LibrarySearch } from './closure.ts'
import type { Layout } from './layout.ts'

/** Where a guest's shell looks for programs; init.c has the same list. */
const GUEST_PATH = [
  '/phyr/bin',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
]
const ALSO = ['/usr/sbin', '/sbin', '/usr/bin', '/bin']

/**
 * The absolute path of a program of this machine.
 *
 * @throws LabError when it is not installed.
 */
export function findProgram(name: string, path: string = process.env['PATH'] ?? ''): string {
  const dirs = [...path.split(':').filter((dir) => isAbsolute(dir)), ...ALSO]
  const candidates = isAbsolute(name) ? [name] : name.includes('/') ? [] : dirs.map((dir) => join(dir, name))
  const found = candidates.find((file) => isExecutable(file))
  if (found !== undefined) return found
  throw new LabError({
    what: `cannot put ${JSON.stringify(name)} into the guest`,
    why: 'there is no such program on this machine',
    fix: 'run ./phyr doctor --install, or install it and try again',
  })
}

/** Takes a host program; an ELF program must be one that the x86_64 guest can run. Returns its path without links. */
export function addProgram(layout: Layout, file: string): string {
  if (isElf(file)) {
    const { bits, machine } = readProgram(file)
    if (bits !== 64 || machine !== EM.x86_64) {
      throw new LabError({
        what: `cannot put ${file} into the guest`,
        why: 'it is not a program for x86_64',
        fix: 'use a machine of that architecture, or take the program off the list',
      })
    }
  }
  layout.mirror(file)
  return realpathSync(file)
}

/**
 * Takes the shared libraries of an ELF file. Those that the loader finds only through ld.so.cache, which the
 * guest does not have, get a link in the directory of the C library.
 */
export function addLibraries(layout: Layout, file: string, search: LibrarySearch): void {
  const libraries = closure(file, search)
  for (const { path } of libraries) layout.mirror(path)
  const home = libraries.find((l) => l.soname === 'libc.so.6')?.path
  for (const { path, soname, foreign } of libraries) {
    const link = join(home === undefined ? LOADER_DIRS[0] : dirname(home), soname)
    if (foreign && !layout.has(link)) layout.add({ kind: 'link', path: link, target: path })
  }
}

/**
 * Takes busybox as /bin/busybox and makes a link for each applet that is not there as a program of its own.
 *
 * @throws LabError when it is missing or needs shared libraries.
 */
export async function addBusybox(layout: Layout, signal?: AbortSignal): Promise<void> {
  const fix = 'run ./phyr doctor --install (Debian: busybox-static)'
  let busybox: string
  try {
    busybox = findProgram('busybox')
  } catch (error) {
    throw new LabError({ what: 'cannot build the guest', why: 'busybox is not installed', fix, cause: error })
  }
  const elf = readProgram(busybox)
  if (elf.interpreter !== undefined || elf.needed.length > 0) {
    throw new LabError({ what: `cannot use ${busybox} in the guest`, why: 'it is not a static program', fix })
  }
  layout.add({ kind: 'file', path: '/bin/busybox', mode: 0o755, source: realpathSync(busybox) })
  const applets = await runOk(busybox, ['--list-full'], signal ? { signal } : {})
  for (const applet of applets.split('\n')) {
    const name = basename(applet)
    if (!/^[\w[+.-]+$/.test(name) || name === 'busybox') continue
    if (GUEST_PATH.some((dir) => layout.has(join(dir, name)))) continue
    layout.add({ kind: 'link', path: join('/', dirname(applet), name), target: '/bin/busybox' })
  }
}

/**
 * What a script (a file that starts with #!) lacks in the guest: its interpreter's path, and for /usr/bin/env
 * the program that it looks up. Undefined when nothing, and for what is no script.
 */
export function missingInterpreter(layout: Layout, file: string): string | undefined {
  const line = scriptLine(file)
  if (line === undefined) return undefined
  const [interpreter = '', ...rest] = line.split(/\s+/)
  if (!layout.has(interpreter)) return interpreter
  if (basename(interpreter) !== 'env') return undefined
  const wanted = rest.find((word) => !word.startsWith('-') && !word.includes('='))
  if (wanted === undefined || GUEST_PATH.some((dir) => layout.has(join(dir, wanted)))) return undefined
  return wanted
}

function scriptLine(file: string): string | undefined {
  const buffer = Buffer.alloc(256) // as much as the kernel looks at (BINPRM_BUF_SIZE)
  const fd = openSync(file, 'r')
  try {
    const length = readSync(fd, buffer, 0, buffer.length, 0)
    const text = buffer.toString('latin1', 0, length)
    return text.startsWith('#!') ? text.slice(2).split('\n')[0]?.trim() : undefined
  } finally {
    closeSync(fd)
  }
}
