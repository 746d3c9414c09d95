// SPDX-License-Identifier: GPL-2.0-only
// An interactive guest needs the terminal itself, and has to stay in its foreground process group: the one program that
// does not go through tools/lib/exec.ts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { LabError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import type { Attended } from './attend.ts'
import type { ConsoleReader } from './console.ts'
import { follow } from '../lib/follow.ts'

export interface TerminalOptions {
  readonly consoleFile: string
  readonly resultsFile: string
  readonly reader: ConsoleReader
  readonly signal: AbortSignal | undefined
}

/**
 * Runs QEMU with its console on this terminal until the guest powers off or the user leaves. No deadlines.
 *
 * @throws LabError when QEMU cannot be run, or `signal` is aborted.
 */
export async function runOnTerminal(
  qemu: string,
  args: readonly string[],
  options: TerminalOptions,
): Promise<Attended> {
  const { reader, signal } = options
  log.command(qemu, args, undefined)
  log.info('a shell in the guest: leave with exit, or end the machine with Ctrl-A X (Ctrl-A H: help)')
  const started = performance.now()
  const follower = follow(options.consoleFile, (bytes) =>
    reader.feed(bytes, Math.round(performance.now() - started)),
  )
  follow(options.resultsFile, () => {}).close()
  const child = spawn(qemu, args, { stdio: ['inherit', 'inherit', 'inherit'] })
  const kill = (): void => void child.kill('SIGKILL')
  signal?.addEventListener('abort', kill, { once: true })
  if (signal?.aborted) kill()
  try {
    const [code, killedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    if (signal?.aborted) throw new Error('interrupted')
    return {
      code: code ?? 128,
      killedBy: killedBy ?? undefined,
      deadline: undefined,
      stderr: '', // it went to the terminal
      ms: performance.now() - started,
    }
  } catch (error) {
    throw new LabError({
      what: `${qemu} ${signal?.aborted ? 'was stopped' : 'cannot be run'}`,
      why: signal?.aborted ? 'the command was interrupted' : String(error),
      fix: signal?.aborted ? 'start it again' : 'run ./phyr doctor',
    })
  } finally {
    signal?.removeEventListener('abort', kill)
    follower.pump()
    follower.close()
    reader.end()
  }
}
