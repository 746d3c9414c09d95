// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { diskError } from '../lib/cache.ts'
import { LabError } from '../lib/errors.ts'

/** One thing in an archive. `path` is absolute, as the guest sees it; `mode` has permission bits only. */
export type CpioEntry =
  | { readonly kind: 'dir'; readonly path: string; readonly mode: number }
  | {
      readonly kind: 'file'
      readonly path: string
      readonly mode: number
      readonly data: string | Uint8Array
    }
  | {
      readonly kind: 'file'
      readonly path: string
      readonly mode: number
      /** A file of the host. */
      readonly source: string
      /** When given, the bytes must still have this hash when they are copied. */
      readonly sha256?: string
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'char' | 'block'
      readonly path: string
      readonly mode: number
      readonly major: number
      readonly minor: number
    }

const TRAILER = 'TRAILER!!!'
/** File types of st_mode, see inode(7). */
const TYPE = { dir: 0o040000, file: 0o100000, link: 0o120000, char: 0o020000, block: 0o060000 } as const
/** The kernel drops names and link targets that do not fit PATH_MAX with their NUL (init/initramfs.c). */
const LONGEST = 4095
const CHUNK = 1 << 20
/** GNU cpio pads to its block; the kernel wants 4 between archives that follow each other, 512 is both. */
const BLOCK = 512

/**
 * Writes an uncompressed "newc" archive (Documentation/driver-api/early-userspace/buffer-format.rst), and
 * returns its size in bytes, a multiple of 512.
 *
 * The same entries give the same bytes, in whatever order they come: names are sorted, times are 0, owner is
 * root, inode numbers count from 1. Directories that are not in `entries` are made, with mode 755.
 *
 * @throws LabError for a name that is not safe to unpack, a name that is there twice, something below a
 *   non-directory, a source that cannot be read or has changed, a full disk.
 */
export async function writeCpio(
  out: string,
  entries: Iterable<CpioEntry>,
  signal?: AbortSignal,
): Promise<number> {
  const sorted = inOrder(entries)
  let file: FileHandle | undefined
  try {
    file = await open(out, 'w', 0o600)
    const writer = new Writer(file)
    let inode = 1
    for (const entry of sorted) {
      signal?.throwIfAborted()
      await writeEntry(writer, entry, inode++)
    }
    await writer.write(header(TRAILER, { inode: 0, mode: 0, links: 1, size: 0, major: 0, minor: 0 }))
    await writer.pad(BLOCK)
    await writer.flush()
    return writer.bytes
  } catch (error) {
    throw diskError(error) ?? error
  } finally {
    await file?.close()
  }
}

/** Checks a guest path and returns it without the leading slash, as archives have it. */
export function archiveName(path: string): string {
  const bad = (why: string): LabError =>
    new LabError({
      what: `cannot put ${JSON.stringify(path.slice(0, 80))} into the initramfs`,
      why,
      fix: 'rename it, or leave it out',
    })
  if (!path.startsWith('/')) throw bad('the path is not absolute')
  const name = path.slice(1)
  if (/[\0-\x1f\x7f]/.test(name)) throw bad('the name has control characters')
  const parts = name.split('/')
  if (parts.some((p) => p === '' || p === '.' || p === '..'))
    throw bad('a part of the name is empty, . or ..')
  if (name === TRAILER) throw bad('that name ends an archive')
  if (Buffer.byteLength(name) > LONGEST) throw bad('the name is too long')
  return name
}

function inOrder(entries: Iterable<CpioEntry>): CpioEntry[] {
  const byName = new Map<string, CpioEntry>()
  for (const entry of entries) {
    const name = archiveName(entry.path)
    if (byName.has(name)) throw clash(entry.path, 'it is there twice')
    byName.set(name, entry)
  }
  for (const [name, entry] of byName) {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      const parent = name.slice(0, at)
      const there = byName.get(parent)
      if (there === undefined) byName.set(parent, { kind: 'dir', path: `/${parent}`, mode: 0o755 })
      else if (there.kind !== 'dir') throw clash(entry.path, `/${parent} is not a directory`)
    }
  }
  // By code units, never by locale; a parent is a prefix of its children and so comes before them.
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
}

async function writeEntry(writer: Writer, entry: CpioEntry, inode: number): Promise<void> {
  const name = archiveName(entry.path)
  const mode = TYPE[entry.kind] | (entry.kind === 'link' ? 0o777 : entry.mode & 0o7777)
  const node = 'major' in entry ? { major: entry.major, minor: entry.minor } : { major: 0, minor: 0 }
  const head = (size: number): Buffer =>
    header(name, { inode, mode, links: entry.kind === 'dir' ? 2 : 1, size, ...node })
  if (entry.kind === 'file' && 'source' in entry) {
    await copySource(writer, entry, head)
    return
  }
  const data = entry.kind === 'file' ? entry.data : entry.kind === 'link' ? linkTarget(entry) : ''
  const bytes = Buffer.from(data as string)
  await writer.write(head(bytes.length))
  await writer.write(bytes)
  await writer.pad(4)
}

async function copySource(
  writer: Writer,
  entry: { readonly path: string; readonly source: string; readonly sha256?: string },
  head: (size: number) => Buffer,
): Promise<void> {
  const file = await openSource(entry.source)
  try {
    const size = (await file.stat()).size
    if (size > 0xffffffff) throw clash(entry.path, 'the archive cannot hold more than 4 GiB in a file')
    await writer.write(head(size))
    const hash = createHash('sha256')
    const buffer = Buffer.alloc(Math.min(CHUNK, size))
    let done = 0
    while (done < size) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(CHUNK, size - done), done)
      if (bytesRead === 0) break
      const part = buffer.subarray(0, bytesRead)
      hash.update(part)
      await writer.write(part)
      done += bytesRead
    }
    if (done !== size || (entry.sha256 !== undefined && hash.digest('hex') !== entry.sha256)) {
      throw clash(entry.path, `${entry.source} changed while it was copied`)
    }
    await writer.pad(4)
  } finally {
    await file.close()
  }
}

async function openSource(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    throw new LabError({
      what: `cannot read ${path}`,
      why: (error as Error).message,
      fix: 'check that it is there and may be read',
      cause: error,
    })
  }
}

function linkTarget(entry: { readonly path: string; readonly target: string }): string {
  if (entry.target === '' || entry.target.includes('\0') || Buffer.byteLength(entry.target) > LONGEST) {
    throw clash(entry.path, 'its target is empty, too long or has a NUL')
  }
  return entry.target
}

interface Fields {
  readonly inode: number
  readonly mode: number
  readonly links: number
  readonly size: number
  readonly major: number
  readonly minor: number
}

/** 110 bytes of hexadecimal fields, the name, its NUL, and zeros up to a multiple of 4. */
function header(name: string, f: Fields): Buffer {
  const bytes = Buffer.from(`${name}\0`)
  const fields = [f.inode, f.mode, 0, 0, f.links, 0, f.size, 0, 0, f.major, f.minor, bytes.length, 0]
  const text = `070701${fields.map((n) => n.toString(16).toUpperCase().padStart(8, '0')).join('')}`
  const used = text.length + bytes.length
  return Buffer.concat([Buffer.from(text), bytes, Buffer.alloc((4 - (used % 4)) % 4)])
}

function clash(path: string, why: string): LabError {
  return new LabError({ what: `cannot put ${path} into the initramfs`, why, fix: 'change the list of files' })
}

/** Gathers the many small pieces, so that an applet's link is not two system calls. */
class Writer {
  bytes = 0
  readonly #file: FileHandle
  #pending: Buffer[] = []
  #held = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  async write(data: Uint8Array): Promise<void> {
    this.#pending.push(Buffer.from(data)) // a copy: the caller reads the next part into the same buffer
    this.#held += data.length
    this.bytes += data.length
    if (this.#held >= CHUNK) await this.flush()
  }

  async pad(to: number): Promise<void> {
    await this.write(Buffer.alloc((to - (this.bytes % to)) % to))
  }

  async flush(): Promise<void> {
    const all = Buffer.concat(this.#pending)
    this.#pending = []
    this.#held = 0
    await this.#file.writeFile(all)
  }
}
