// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto'
import { lstatSync, statSync } from 'node:fs'
import { appendFile, chmod, constants, copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Arch } from '../kernel/kernel.ts'
import { artefact, diskError } from '../lib/cache.ts'
import { isElf } from '../lib/elf.ts'
import { LabError } from '../lib/errors.ts'
import { sha256, sha256File } from '../lib/hash.ts'
import { toolRoot } from '../lib/paths.ts'
import { findCarried } from './carry.ts'
import { librarySearch } from './closure.ts'
import { compileInit, compileStatic } from './compile.ts'
import { writeCpio, type CpioEntry } from './cpio.ts'
import { Layout } from './layout.ts'
import { addBusybox, addLibraries, addProgram, findProgram, missingInterpreter } from './programs.ts'
import { toolLibraries, toolSource } from './tools.ts'

/** Goes up when the same inputs would give another archive. */
const VERSION = 1

/** One file for the guest: with its text or bytes, or copied from the host. */
export type GuestFile =
  | { readonly path: string; readonly mode: number; readonly data: string | Uint8Array }
  | { readonly path: string; readonly mode: number; readonly source: string }

export interface InitramfsRequest {
  readonly arch: Arch
  /** The checked-out tree, for its nolibc. */
  readonly treeDir: string
  /** Hash of the tree's content: stands for it in the key. */
  readonly treeId: string
  /** Host programs: names looked up on PATH, in /usr/sbin and /sbin, or absolute paths. */
  readonly programs: readonly string[]
  /** What those programs open by name, see carry.ts; the libraries of what they load are taken, too. */
  readonly carry?: readonly string[]
  /** phyr's own tools, see tools.ts; they go to /phyr/bin. */
  readonly tools?: readonly string[]
  readonly files?: readonly GuestFile[]
  /** Host directories, copied with all below them; the libraries of their programs are taken, too. */
  readonly directories?: readonly { readonly path: string; readonly source: string }[]
  readonly signal?: AbortSignal
}

/** The part of an initramfs that does not change from run to run. */
export interface Initramfs {
  readonly key: string
  /** An uncompressed cpio archive in the cache; never written to again. */
  readonly file: string
  readonly bytes: number
  readonly cached: boolean
  /** Whether it can run a suite's script; the i386 guest has nothing but init. */
  readonly shell: boolean
  /** What is in it and may not work, for example a script whose interpreter is missing. */
  readonly warnings: readonly string[]
}

/**
 * Puts together the guest's file system as an artefact: init, busybox with a link for each applet, the programs
 * and their shared libraries, tools, files. The same host files give the same bytes.
 *
 * @throws LabError when something is missing on this machine, naming what to install.
 */
export async function buildInitramfs(request: InitramfsRequest): Promise<Initramfs> {
  return packInitramfs({ ...request, init: await compileInit(request) })
}

/** buildInitramfs() with an init that is there already. */
export async function packInitramfs(
  request: Omit<InitramfsRequest, 'treeDir' | 'treeId'> & { readonly init: string },
): Promise<Initramfs> {
  const layout = new Layout()
  addSkeleton(layout)
  layout.add({ kind: 'file', path: '/init', mode: 0o755, source: request.init })
  const shell = request.arch === 'x86_64'
  const warnings = shell ? await addUserland(layout, request) : requireNone(request)
  for (const file of request.files ?? []) layout.add({ kind: 'file', ...file })
  const entries = await withHashes(layout.entries())
  const made = await artefact<{ bytes: number; warnings: readonly string[] }>(
    'initramfs',
    { version: VERSION, contents: entries.map(keyPart).sort() },
    async (dir) => ({ bytes: await writeCpio(join(dir, 'base.cpio'), entries, request.signal), warnings }),
  )
  return {
    key: made.key,
    file: join(made.dir, 'base.cpio'),
    bytes: made.manifest.bytes,
    cached: made.cached,
    shell,
    warnings: made.manifest.warnings,
  }
}

/**
 * The initramfs of one run: the cached part, followed by a small archive with a new token (32 hex digits), the
 * suite's script, lib.sh and `files`. The kernel unpacks archives that follow each other one by one.
 *
 * The token is in that file (mode 600, in `workDir`), in what this function returns, and nowhere else.
 *
 * @param script text of /phyr/run; undefined for a guest without a shell, whose tests run while it boots.
 * @throws LabError when there is a script and no shell to run it.
 */
export async function withToken(
  base: Pick<Initramfs, 'file' | 'shell'>,
  script: string | undefined,
  workDir: string,
  files: readonly GuestFile[] = [],
): Promise<{ initramfs: string; token: string }> {
  if (script !== undefined && !base.shell) {
    throw new LabError({
      what: 'cannot run a script in this guest',
      why: 'it has no shell: an i386 guest runs the tests that are in its kernel, and nothing else',
      fix: 'use the x86_64 guest, or leave the script out',
    })
  }
  const token = randomBytes(16).toString('hex')
  const overlay = join(workDir, 'overlay.cpio')
  const initramfs = join(workDir, 'initramfs.cpio')
  const entries: CpioEntry[] = [
    { kind: 'dir', path: '/phyr', mode: 0o755 },
    { kind: 'file', path: '/phyr/token', mode: 0o400, data: token },
    ...files.map((file): CpioEntry => ({ kind: 'file', ...file })),
  ]
  if (script !== undefined) {
    entries.push({ kind: 'file', path: '/phyr/run', mode: 0o755, data: script })
    const lib = join(toolRoot, 'qemu/guest/lib.sh')
    entries.push({ kind: 'file', path: '/phyr/lib.sh', mode: 0o644, source: lib })
  }
  try {
    await mkdir(workDir, { recursive: true })
    await writeCpio(overlay, entries)
    await rm(initramfs, { force: true })
    await copyFile(base.file, initramfs, constants.COPYFILE_FICLONE)
    await chmod(initramfs, 0o600)
    await appendFile(initramfs, await readFile(overlay))
    return { initramfs, token }
  } catch (error) {
    throw diskError(error) ?? error
  } finally {
    await rm(overlay, { force: true })
  }
}

type Userland = Pick<InitramfsRequest, 'programs' | 'carry' | 'tools' | 'directories' | 'signal'>

/** Directories that init mounts on, and what must be there before it has mounted anything. */
function addSkeleton(layout: Layout): void {
  for (const path of ['/dev', '/proc', '/sys', '/etc', '/phyr', '/phyr/bin', '/run', '/mnt']) {
    layout.add({ kind: 'dir', path, mode: 0o755 })
  }
  layout.add({ kind: 'dir', path: '/tmp', mode: 0o1777 })
  // The kernel opens it for init, before there is a devtmpfs.
  layout.add({ kind: 'char', path: '/dev/console', mode: 0o600, major: 5, minor: 1 })
  layout.add({ kind: 'char', path: '/dev/null', mode: 0o666, major: 1, minor: 3 })
  layout.add({ kind: 'file', path: '/etc/passwd', mode: 0o644, data: 'root:x:0:0:root:/:/bin/sh\n' })
  layout.add({ kind: 'file', path: '/etc/group', mode: 0o644, data: 'root:x:0:\n' })
}

async function addUserland(layout: Layout, request: Userland): Promise<string[]> {
  // A machine whose /bin is /usr/bin gives a guest that has it so: one file under both names.
  for (const dir of ['/bin', '/sbin', '/lib', '/lib64']) {
    if (lstatSync(dir, { throwIfNoEntry: false })?.isSymbolicLink()) layout.mirrorLink(dir)
  }
  const search = await librarySearch()
  const programs = request.programs.filter((name) => name !== 'busybox').map((name) => findProgram(name))
  for (const program of programs) {
    const file = addProgram(layout, program)
    if (isElf(file)) addLibraries(layout, file, search)
  }
  for (const file of (request.carry ?? []).flatMap((pattern) => findCarried(pattern))) {
    const carried = statSync(file).isDirectory()
      ? layout.copyDirectory(file, file).map((copied) => copied.source)
      : [layout.mirror(file)]
    for (const source of carried) if (isElf(source)) addLibraries(layout, source, search)
  }
  for (const name of request.tools ?? []) {
    const source = await compileStatic(toolSource(name), toolLibraries(name), request.signal)
    layout.add({ kind: 'file', path: `/phyr/bin/${name}`, mode: 0o755, source })
  }
  const copied = (request.directories ?? []).flatMap((d) => layout.copyDirectory(d.source, d.path))
  for (const { source } of copied) if (isElf(source)) addLibraries(layout, source, search)
  await addBusybox(layout, request.signal)
  for (const program of programs) {
    const lacks = missingInterpreter(layout, program)
    if (lacks === undefined) continue
    throw new LabError({
      what: `cannot put ${program} into the guest`,
      why: `it is a script for ${lacks}, which the guest does not have`,
      fix: `add ${lacks} to the programs, or take the script off the list`,
    })
  }
  // In a directory that was built elsewhere (selftests) not every script is for this guest: told, not refused.
  return copied.flatMap(({ source, path }) => {
    const lacks = missingInterpreter(layout, source)
    return lacks === undefined ? [] : [`${path} is a script for ${lacks}, which the guest does not have`]
  })
}

function requireNone(request: Userland): string[] {
  const asked = [
    ...request.programs,
    ...(request.carry ?? []),
    ...(request.tools ?? []),
    ...(request.directories ?? []).map((d) => d.path),
  ]
  if (asked.length === 0) return []
  throw new LabError({
    what: `cannot put ${asked[0]} into the i386 guest`,
    why: 'that guest has nothing but init: this machine has no 32-bit programs and libraries',
    fix: 'use the x86_64 guest for suites with programs',
  })
}

/** The hash of each host file, so that the key and the copy are of the same bytes. */
async function withHashes(entries: readonly CpioEntry[]): Promise<CpioEntry[]> {
  const hashed: CpioEntry[] = []
  for (const entry of entries) {
    hashed.push('source' in entry ? { ...entry, sha256: await sha256File(entry.source) } : entry)
  }
  return hashed
}

/** An entry as one line of the key: its content by hash, and not where on the host it comes from. */
function keyPart(entry: CpioEntry): string {
  const { kind, path } = entry
  if (entry.kind === 'link') return [path, kind, entry.target].join(' ')
  const mode = entry.mode.toString(8)
  if ('major' in entry) return [path, kind, mode, entry.major, entry.minor].join(' ')
  if (entry.kind === 'dir') return [path, kind, mode].join(' ')
  return [path, kind, mode, 'data' in entry ? sha256(entry.data) : entry.sha256].join(' ')
}
