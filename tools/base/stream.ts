// SPDX-License-Identifier: GPL-2.0-only
import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { killProcessGroup } from '../lib/exec.ts'
import { LabError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'

/** A program that runs while its stdin is written or its stdout is read. */
export interface Streamed {
  readonly stdin: Writable
  readonly stdout: Readable
  /** Settles when the program has ended; never rejects. */
  readonly ended: Promise<{ readonly code: number; readonly stderr: string }>
  /** Ends the program and its children at once. */
  kill(): void
}

/**
 * Starts a program (argument vector, no shell) whose streams carry more than memory should hold: lib's run()
 * keeps whole outputs and cannot join two programs, and the 1.8 GB of a kernel archive go from xz to git this
 * way. Whoever starts it must kill() or drain it; when this process dies its pipes close and it ends too.
 */
export function startStream(
  file: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string | undefined>>
    readonly signal?: AbortSignal
  } = {},
): Streamed {
  log.command(file, args, undefined)
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
  })
  const kill = (): void => killProcessGroup(child.pid)
  const onAbort = (): void => kill()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  if (options.signal?.aborted) kill()
  process.once('exit', kill)
  // A program that died early: its exit code tells the story, EPIPE does not.
  child.stdin.on('error', () => {})
  child.stdout.on('error', () => {})
  const ended = end(child, file).finally(() => {
    process.removeListener('exit', kill)
    options.signal?.removeEventListener('abort', onAbort)
  })
  return { stdin: child.stdin, stdout: child.stdout, ended, kill }
}

/** The lab error for a program that cannot be started. */
export function notInstalled(file: string): LabError {
  return new LabError({
    what: `cannot run ${file}`,
    why: 'it is not installed',
    fix: 'run ./phyr doctor --install',
  })
}

async function end(child: ChildProcess, file: string): Promise<{ code: number; stderr: string }> {
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-8192)
  })
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ code: 127, stderr: error.code === 'ENOENT' ? notInstalled(file).message : error.message }),
    )
    child.once('close', (code, signal) => resolve({ code: code ?? 128, stderr: signal ?? stderr }))
  })
}
