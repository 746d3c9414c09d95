// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events'
import { diskFull, saysDiskFull } from '../lib/disk-full.ts'
import { LabError } from '../lib/errors.ts'
import { gitEnv, PHYR_IDENT } from './repo.ts'
import { startStream, type Streamed } from './stream.ts'

/** One file of the commit under way. */
export interface TreeFile {
  readonly path: string
  readonly mode: '100644' | '100755' | '120000'
  readonly size: number
}

/**
 * Writes one commit into a bare repository through `git fast-import`: entries go into the pack as they come and no
 * file is unpacked anywhere. The commit's author and date are phyr's own and fixed, so equal trees give equal
 * commits. Call finish() last; without it git refuses the unfinished stream and no ref is made.
 */
export class CommitWriter {
  readonly #git: Streamed
  #pending: Uint8Array[] = []
  #bytes = 0

  constructor(repo: string, ref: string, message: string, signal?: AbortSignal) {
    // Level 1 and no deltas: git's defaults take ten times as long and the pack is read far more than moved.
    const args = [
      '-c',
      'core.compression=1',
      '-c',
      'pack.compression=1',
      `--git-dir=${repo}`,
      'fast-import',
      '--quiet',
      '--done',
      '--depth=0',
    ]
    this.#git = startStream('git', args, { env: gitEnv(), ...(signal ? { signal } : {}) })
    this.#git.stdout.resume()
    const who = `${PHYR_IDENT.name} <${PHYR_IDENT.email}> ${PHYR_IDENT.date}`
    this.#put(Buffer.from(`commit ${ref}\ncommitter ${who}\n`))
    this.#putData(Buffer.from(`${message}\n`))
  }

  /** Adds a file; the body's length must be `file.size`. */
  async add(file: TreeFile, body: AsyncIterable<Uint8Array>): Promise<void> {
    this.#put(Buffer.from(`M ${file.mode} inline ${quoted(file.path)}\ndata ${file.size}\n`))
    let seen = 0
    for await (const chunk of body) {
      seen += chunk.length
      if (seen > file.size) break
      this.#put(chunk)
      if (this.#bytes > CHUNK) await this.#flush()
    }
    if (seen !== file.size) throw new Error(`${file.path} has ${seen} bytes, its header says ${file.size}`)
    this.#put(LF)
  }

  /** Adds a second name of a file that is in the commit already (tar's hard link). */
  copy(from: string, to: string): void {
    this.#put(Buffer.from(`C ${quoted(from, true)} ${quoted(to)}\n`))
  }

  /**
   * Ends the stream and waits for git.
   *
   * @throws LabError when git did not take the commit.
   */
  async finish(): Promise<void> {
    this.#put(Buffer.from('done\n'))
    await this.#flush()
    this.#git.stdin.end()
    const { code, stderr } = await this.#git.ended
    if (code !== 0) throw importFailed(code, stderr)
  }

  /** Gives up: git is ended and its half pack is left to whoever removes the repository. */
  async abort(): Promise<void> {
    this.#git.kill()
    await this.#git.ended
  }

  #putData(data: Uint8Array): void {
    this.#put(Buffer.from(`data ${data.length}\n`))
    this.#put(data)
    this.#put(LF)
  }

  #put(chunk: Uint8Array): void {
    this.#pending.push(chunk)
    this.#bytes += chunk.length
  }

  async #flush(): Promise<void> {
    const { stdin } = this.#git
    const data = Buffer.concat(this.#pending)
    this.#pending = []
    this.#bytes = 0
    if (stdin.destroyed) throw importFailed((await this.#git.ended).code, (await this.#git.ended).stderr)
    if (stdin.write(data)) return
    const gone = await Promise.race([once(stdin, 'drain').then(() => undefined), this.#git.ended])
    if (gone) throw importFailed(gone.code, gone.stderr)
  }
}

const CHUNK = 256 << 10
const LF = Buffer.from('\n')

function importFailed(code: number, stderr: string): LabError {
  const lines = stderr.trim().split('\n')
  if (saysDiskFull(stderr)) return diskFull('git fast-import', lines.slice(-10))
  return new LabError({
    what: 'git fast-import failed',
    why: lines.at(-1) || `exit code ${code}`,
    fix: 'run it again; -v shows every command',
    detail: lines.slice(-10),
  })
}

/** A path as fast-import reads it: C-quoted where it would be misread (the source of a copy ends at a blank). */
function quoted(path: string, source = false): string {
  if (!/["\\\n]/.test(path) && !(source && path.includes(' '))) return path
  return `"${path.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`
}
