// SPDX-License-Identifier: GPL-2.0-only
import { beforeWork } from '../lib/dry-run.ts'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar'
import { diskError } from '../lib/cache.ts'
import { LabError } from '../lib/errors.ts'
import { log, printable } from '../lib/log.ts'
import { CommitWriter } from './fast-import.ts'
import { gitOk, initBare } from './repo.ts'
import { startStream } from './stream.ts'
import { badLinkTarget, badTreePath } from './treepath.ts'

/** The branch of an imported repository that holds the base. */
export const BASE_REF = 'refs/heads/base'

/** Part of every imported repository's key: bump it when the same archive would become another commit. */
export const IMPORT_VERSION = 2

export interface Imported {
  readonly commit: string
  readonly tree: string
  readonly files: number
}

/**
 * Turns a source archive (.tar, .tar.xz, .tar.gz, .tar.zst) into one commit of a new bare repository at `repo`.
 *
 * The archive is read once, as a stream: decompressor, tar reader, `git fast-import`; no unpacked copy touches the
 * disk and memory stays flat (modern-tar reads the 1.7 GB and 102,340 entries of linux-source-7.3 in 3.3 s of CPU
 * and 113 MB, measured on the reference machine, so there is no reader of our own). The archive's one top directory
 * is stripped, and the commit's author and date are fixed.
 *
 * Left out: Debian's top-level .gitignore, which has a line `/*` and so hides every file from git and
 * ripgrep. An upstream .gitignore stays.
 *
 * @throws LabError when the archive is cut off or damaged, or holds an entry that has no place in a source tree
 *   (a path with `..` or `.git`, an absolute one, a link that leaves the tree, a device). `repo` is then to be
 *   removed: artefact() does.
 */
export async function importArchive(
  archive: string,
  repo: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Imported> {
  await initBare(repo, options)
  const source = openArchive(archive, options.signal)
  const writer = new CommitWriter(repo, BASE_REF, 'Linux, as the archive has it', options.signal)
  let files = 0
  try {
    const top = new TopDirectory(archive)
    const entries = Readable.toWeb(source.bytes).pipeThrough(createTarDecoder({ strict: true }))
    for await (const entry of entries as unknown as AsyncIterable<ParsedTarEntry>) {
      if (await addEntry(writer, entry, top, archive)) files++
      if (files % 1000 === 0) log.progress(`importing ${printable(archive)}: ${files} files`)
    }
    await source.finish()
    if (files === 0) throw new Error('it holds no files')
    await writer.finish()
  } catch (error) {
    source.kill()
    await writer.abort()
    throw await asLabError(error, archive, source, options.signal)
  } finally {
    log.progressDone()
  }
  const [commit, tree] = (await gitOk(repo, ['rev-parse', BASE_REF, `${BASE_REF}^{tree}`])).split('\n')
  if (!commit || !tree) throw new Error('git rev-parse printed no hashes')
  return { commit, tree, files }
}

/** Adds one tar entry to the commit; true when it became a file. */
async function addEntry(
  writer: CommitWriter,
  entry: ParsedTarEntry,
  top: TopDirectory,
  archive: string,
): Promise<boolean> {
  const { header, body } = entry
  const stream = body as unknown as AsyncIterable<Uint8Array>
  if (header.type === 'pax-global-header' || header.type === 'pax-header') return skip(stream)
  const path = top.strip(header.name)
  if (header.type === 'directory') return skip(stream)
  if (path === '') throw hostile(archive, header.name, 'it is a file where the top directory should be')
  if (header.type === 'symlink') {
    const target = header.linkname ?? ''
    const bad = badLinkTarget(path, target)
    if (bad) throw hostile(archive, header.name, bad)
    const data = Buffer.from(target)
    await writer.add({ path, mode: '120000', size: data.length }, oneChunk(data))
    return true
  }
  if (header.type === 'link') {
    writer.copy(top.strip(header.linkname ?? ''), path)
    return true
  }
  if (header.type !== undefined && header.type !== 'file') {
    throw hostile(archive, header.name, `it is a ${header.type}`)
  }
  const mode = (header.mode ?? 0) & 0o111 ? '100755' : '100644'
  if (path !== '.gitignore') {
    await writer.add({ path, mode, size: header.size }, stream)
    return true
  }
  const data = await whole(stream)
  if (/^\/\*$/m.test(data.toString('utf8'))) return false
  await writer.add({ path, mode, size: header.size }, oneChunk(data))
  return true
}

/** Checks entry names and takes the archive's one top directory off them. */
class TopDirectory {
  readonly #archive: string
  #top: string | undefined

  constructor(archive: string) {
    this.#archive = archive
  }

  strip(name: string): string {
    const plain = name.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '')
    if (plain === '.' || plain === '') return ''
    const bad = badTreePath(plain)
    if (bad) throw hostile(this.#archive, name, bad)
    const [top = '', ...rest] = plain.split('/')
    this.#top ??= top
    if (this.#top !== top) {
      throw new LabError({
        what: `${printable(this.#archive)} is not a Linux source archive`,
        why: `it has more than one top directory (${printable(this.#top)}, ${printable(top)})`,
        fix: 'pack the tree with one directory at the top: git archive --prefix=linux/ ...',
      })
    }
    return rest.join('/')
  }
}

interface Source {
  readonly bytes: Readable
  /** Waits for the decompressor; throws when it found the archive damaged. */
  finish(): Promise<void>
  kill(): void
}

/** The archive's bytes, decompressed by the system's own tool. */
function openArchive(archive: string, signal: AbortSignal | undefined): Source {
  const tool = DECOMPRESSORS.find(([ending]) => ending.test(archive))
  if (!tool) {
    const bytes = createReadStream(archive, { highWaterMark: 1 << 20 })
    return { bytes, finish: async () => {}, kill: () => void bytes.destroy() }
  }
  const [, file, args] = tool
  beforeWork(file, [...args, '--', archive])
  const program = startStream(file, [...args, '--', archive], signal ? { signal } : {})
  const finish = async (): Promise<void> => {
    // The tar may end before the stream does (padding): drain, or the program waits for ever.
    program.stdout.resume()
    const { code, stderr } = await program.ended
    if (code !== 0) throw new Error(stderr.trim().split('\n').at(-1) || `${file} exit code ${code}`)
  }
  return { bytes: program.stdout, finish, kill: () => program.kill() }
}

// -T0: xz decodes the blocks of a multi-block archive (Debian's has 69) on all cores.
const DECOMPRESSORS: readonly (readonly [RegExp, string, readonly string[]])[] = [
  [/\.(?:xz|txz)$/, 'xz', ['-dc', '-T0']],
  [/\.(?:gz|tgz)$/, 'gzip', ['-dc']],
  [/\.(?:zst|tzst)$/, 'zstd', ['-dcq']],
]

async function asLabError(
  error: unknown,
  archive: string,
  source: Source,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const disk = diskError(error)
  if (disk || error instanceof LabError) return disk ?? error
  if (signal?.aborted) {
    return new LabError({
      what: `the import of ${printable(archive)} was stopped`,
      why: 'the command was interrupted',
      fix: 'run it again; nothing half done is kept',
    })
  }
  // The decompressor knows better than the tar reader why the bytes ended.
  const why = await source.finish().then(
    () => undefined,
    (e: Error) => (e.message === 'SIGKILL' ? undefined : e.message),
  )
  const text = why ?? (error instanceof Error ? error.message : String(error))
  return new LabError({
    what: `${printable(archive)} cannot be read`,
    why: `it is cut off or damaged: ${printable(text)}`,
    fix: 'fetch the archive again',
    cause: error,
  })
}

function hostile(archive: string, name: string, why: string): LabError {
  return new LabError({
    what: `${printable(archive)} is refused`,
    why: `its entry ${printable(JSON.stringify(name))} has no place in a source tree: ${why}`,
    fix: 'use an archive from a source that you trust',
  })
}

async function skip(body: AsyncIterable<Uint8Array>): Promise<false> {
  for await (const _ of body);
  return false
}

async function whole(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* oneChunk(data: Uint8Array): AsyncIterable<Uint8Array> {
  yield data
}
