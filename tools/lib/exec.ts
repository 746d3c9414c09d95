// SPDX-License-Identifier: GPL-2.0-only
import { setMaxListeners } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { execa, type Options } from 'execa'
import { diskFull, saysDiskFull } from './disk-full.ts'
import { LabError } from './errors.ts'
import { log } from './log.ts'

export interface RunOptions {
  readonly cwd?: string
  /** Added to the tool's own environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string | Uint8Array
  /** Aborting ends the program and everything it started. */
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  /** Called with each line of stdout and stderr as it comes. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /** Appends stdout and stderr to this file. */
  readonly logFile?: string
  /**
   * Appends both streams to this file as one, in the order in which they are written, and keeps nothing of them: for
   * programs whose messages on stderr mean something only beside those on stdout.
   */
  readonly outputFile?: string
  /** Bytes of each stream kept in the result; the rest is still streamed. Default 64 MiB. */
  readonly maxBuffer?: number
}

export interface RunResult {
  readonly code: number
  readonly signal: string | undefined
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

/**
 * Runs one program with an argument vector (never a shell) and returns whatever it exited with.
 *
 * The program gets a process group of its own and an abort or a timeout kills the whole group: make and QEMU
 * wrappers leave children that would otherwise hold the pipes open for as long as they live.
 *
 * @throws LabError when the program cannot be started at all, or `signal` was aborted.
 */
export async function run(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  if (options.signal?.aborted) throw abortError(file)
  // Many programs at once may listen to one interrupt: no leak, whatever Node suspects.
  if (options.signal) setMaxListeners(0, options.signal)
  log.command(file, args, options.cwd)
  const output = options.outputFile === undefined ? undefined : openSync(options.outputFile, 'a')
  const child = execa(file, args, execaOptions(options, output))
  const killGroup = (): void => killProcessGroup(child.pid)
  let timedOut = false
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true
          killGroup()
        }, options.timeoutMs)
  options.signal?.addEventListener('abort', killGroup, { once: true })
  liveGroups.add(killGroup)
  if (options.onLine) {
    const onLine = options.onLine
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => onLine(line, 'stdout'))
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => onLine(line, 'stderr'))
  }
  try {
    const result = await child
    if (options.signal?.aborted) throw abortError(file)
    // Many programs at once may listen to one interrupt: no leak, whatever Node suspects.
    if (options.signal) setMaxListeners(0, options.signal)
    if (result.code === 'ENOENT' || result.code === 'EACCES') {
      throw new LabError({
        what: `cannot run ${file}`,
        why: result.code === 'ENOENT' ? 'it is not installed' : 'it may not be executed',
        fix: 'run ./phyr doctor --install',
      })
    }
    if (result.exitCode === undefined && result.signal === undefined) {
      // Arguments too long, no memory for a new process: it never ran.
      throw new LabError({
        what: `cannot run ${file}`,
        why: result.code ?? 'it did not start',
        fix: 'see -v',
      })
    }
    return {
      code: result.exitCode ?? (result.signal ? 128 : 127),
      signal: result.signal,
      stdout: textOf(result.stdout),
      stderr: textOf(result.stderr),
      timedOut,
    }
  } finally {
    if (output !== undefined) closeSync(output)
    clearTimeout(timer)
    liveGroups.delete(killGroup)
    options.signal?.removeEventListener('abort', killGroup)
  }
}

/**
 * Like run(), but any exit code other than 0 is a broken lab. Returns stdout without its last newline.
 *
 * @throws LabError naming the program, its exit code and the last lines it wrote.
 */
export async function runOk(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await run(file, args, options)
  if (result.code !== 0) {
    const said = `${result.stderr}\n${result.stdout}`.trim()
    const tail = said.split('\n').slice(-20)
    if (saysDiskFull(said)) throw diskFull(file, tail)
    throw new LabError({
      what: `${file} ${args.slice(0, 3).join(' ')} failed`,
      why: result.timedOut ? `no answer in ${options.timeoutMs} ms` : `exit code ${result.code}`,
      fix: 'see the lines above; -v shows every command',
      detail: tail,
    })
  }
  return result.stdout.replace(/\n$/, '')
}

/** The argument vector as one line that can be pasted into a shell. For people to read; never run by us. */
export function shellLine(file: string, args: readonly string[]): string {
  return [file, ...args]
    .map((a) => (/^[\w@%+=:,./-]+$/.test(a) ? a : `'${a.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}

/** Ends a process and its descendants that share its group; quiet when it is gone already. */
export function killProcessGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Already ended: that is what was asked for.
  }
}

/** Ends everything that run() started and that still lives: for the command line's Ctrl-C. */
export function killAll(): void {
  for (const kill of liveGroups) kill()
}

const liveGroups = new Set<() => void>()

function execaOptions(
  options: RunOptions,
  output: number | undefined,
): Options & { encoding: 'utf8'; reject: false } {
  const toFile = options.logFile === undefined ? [] : [{ file: options.logFile, append: true }]
  // Any descriptor will do; execa's types have the first few only.
  const both = output as 3 | undefined
  return {
    reject: false,
    encoding: 'utf8',
    detached: true,
    cleanup: true,
    stripFinalNewline: false,
    maxBuffer: options.maxBuffer ?? 64 << 20,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    stdout: both ?? ['pipe', ...toFile],
    stderr: both ?? ['pipe', ...toFile],
    env: { LC_ALL: 'C.UTF-8', ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? {} : { input: options.input }),
  }
}

function textOf(output: unknown): string {
  return typeof output === 'string' ? output : ''
}

function abortError(file: string): LabError {
  return new LabError({
    what: `${file} was stopped`,
    why: 'the command was interrupted',
    fix: 'run it again; whole stages are kept',
  })
}
