// SPDX-License-Identifier: GPL-2.0-only
import { createReadStream, existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar'
import { startStream } from '../base/stream.ts'
import { messageOf, UsageError } from '../lib/errors.ts'
import { sha256 } from '../lib/hash.ts'
import { printable } from '../lib/log.ts'
import { badName, MANIFEST } from './manifest.ts'

/** One file of a bundle. */
export interface Entry {
  readonly bytes: number
  readonly sha256: string
}

/** A bundle as it was read. Nothing of it has been written anywhere. */
export interface Opened {
  /** By name: every plain file with a good name. */
  readonly entries: ReadonlyMap<string, Entry>
  /** Contents of what is looked into: the manifest, patches, mails and the proof. */
  readonly contents: ReadonlyMap<string, Uint8Array>
  /** What has no place in a bundle, and what could not be read. */
  readonly problems: readonly string[]
}

/** Bounds: a bundle may be a bomb. The largest that phyr packs is some 100 MB. */
export interface Limits {
  readonly entry: number
  readonly total: number
  readonly count: number
}

const LIMITS: Limits = { entry: 256 << 20, total: 2 ** 32, count: 100_000 }

const UNPACKERS = [
  [/\.tar\.zst$/, 'zstd', ['-dcq', '--memory=128MB']],
  [/\.tar\.xz$/, 'xz', ['-dcq', '--memlimit=256MiB']],
] as const

/**
 * Reads a bundle, as a stream, and hashes every file in it.
 *
 * @throws UsageError when there is no such file or its name is of no bundle.
 */
export async function readBundle(
  file: string,
  limits: Limits = LIMITS,
  signal?: AbortSignal,
): Promise<Opened> {
  const unpacker = UNPACKERS.find(([ending]) => ending.test(file))
  if (!unpacker) throw new UsageError(`${file} is no bundle`, 'it ends in .tar.zst or .tar.xz')
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`)
  const [, program, args] = unpacker
  const source = startStream(program, args, signal ? { signal } : {})
  createReadStream(file)
    .on('error', () => source.kill())
    .pipe(source.stdin)
  const entries = new Map<string, Entry>()
  const contents = new Map<string, Uint8Array>()
  const problems: string[] = []
  let total = 0
  let count = 0
  try {
    const decoded = Readable.toWeb(source.stdout).pipeThrough(createTarDecoder({ strict: true }))
    for await (const { header, body } of decoded as unknown as AsyncIterable<ParsedTarEntry>) {
      const name = header.name
      count++
      if (count > limits.count) throw new Error(`it has more than ${limits.count} files`)
      const bytes = await bytesOf(body, limits.entry, name)
      total += bytes.length
      if (total > limits.total) throw new Error(`it is larger than ${limits.total} bytes`)
      const bad = header.type === 'file' ? badName(name) : `a ${header.type}, where only files belong`
      if (bad !== undefined) {
        problems.push(`${JSON.stringify(name)}: ${bad}`)
        continue
      }
      if (entries.has(name)) problems.push(`${name}: is in it twice`)
      entries.set(name, { bytes: bytes.length, sha256: sha256(bytes) })
      if (name === MANIFEST || /^(?:patches|mail|kernel-config)\/|^records\/proof\.json$/.test(name))
        contents.set(name, bytes)
    }
    const { code, stderr } = await source.ended
    if (code !== 0) problems.push(`it is damaged: ${printable(stderr.trim().split('\n').at(-1) ?? '')}`)
  } catch (error) {
    source.kill()
    const { stderr } = await source.ended
    const said = stderr.startsWith(program) ? stderr.trim().split('\n').at(-1) : undefined
    problems.push(`it cannot be read: ${printable(said ?? messageOf(error))}`)
  }
  return { entries, contents, problems }
}

async function bytesOf(body: unknown, most: number, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > most) throw new Error(`${JSON.stringify(name)} is larger than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
