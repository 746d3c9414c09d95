// SPDX-License-Identifier: GPL-2.0-only
import { LabError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import type { BootOutcome, BootRequest } from './boot.ts'
import type { ConsoleReader } from './console.ts'
import { follow } from '../lib/follow.ts'
import { leashed } from './leash.ts'

/** How QEMU ended, before anyone asks what that means. */
export interface Attended {
  readonly code: number
  /** The signal that ended QEMU, when it was not us who sent it. */
  readonly killedBy: string | undefined
  /** The deadline that passed, upon which QEMU was killed. */
  readonly deadline: BootOutcome['deadline']
  readonly stderr: string
  readonly ms: number
}

export interface AttendOptions {
  readonly consoleFile: string
  readonly resultsFile: string
  /** Fed with the console as it comes. */
  readonly reader: ConsoleReader
  /** Seconds from the start; undefined: as long as it takes. */
  readonly deadlines: BootRequest['deadlines'] | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Runs QEMU to its end and reads its console meanwhile. A deadline that passes before the guest came so far ends it,
 * with everything that QEMU started.
 *
 * @throws LabError when QEMU cannot be run, or `signal` is aborted.
 */
export async function attend(
  qemu: string,
  args: readonly string[],
  options: AttendOptions,
): Promise<Attended> {
  const { reader, deadlines, signal } = options
  const command = await leashed(qemu, args)
  if (signal?.aborted) throw interrupted(qemu)
  const started = performance.now()
  const follower = follow(options.consoleFile, (bytes) =>
    reader.feed(bytes, Math.round(performance.now() - started)),
  )
  // Emptied too: what an earlier boot left there must not pass for this one's results.
  follow(options.resultsFile, () => {}).close()

  const stop = new AbortController()
  const onAbort = (): void => stop.abort()
  signal?.addEventListener('abort', onAbort, { once: true })
  let passed: BootOutcome['deadline']
  const timers = checks(reader, deadlines).map(({ name, seconds, reached }) =>
    setTimeout(() => {
      follower.pump() // what has been written, even if no notice of it has come yet
      if (reached() || stop.signal.aborted) return
      passed = name
      stop.abort()
    }, seconds * 1000),
  )
  const messages: string[] = []
  try {
    const onLine = (line: string, stream: string): void => {
      if (stream === 'stderr') messages.push(line)
    }
    const {
      code,
      signal: killedBy,
      stderr,
    } = await run(command.file, command.args, {
      signal: stop.signal,
      onLine,
    })
    return { code, killedBy, deadline: undefined, stderr, ms: performance.now() - started }
  } catch (error) {
    if (passed === undefined || !(error instanceof LabError)) throw error
    const stderr = messages.join('\n')
    return { code: 137, killedBy: undefined, deadline: passed, stderr, ms: performance.now() - started }
  } finally {
    for (const timer of timers) clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    follower.pump()
    follower.close()
    reader.end()
  }
}

function interrupted(qemu: string): LabError {
  return new LabError({
    what: `${qemu} was not started`,
    why: 'the command was interrupted',
    fix: 'run it again; whole stages are kept',
  })
}

function checks(
  reader: ConsoleReader,
  deadlines: BootRequest['deadlines'] | undefined,
): { name: NonNullable<BootOutcome['deadline']>; seconds: number; reached: () => boolean }[] {
  if (deadlines === undefined) return []
  return [
    { name: 'first-byte', seconds: deadlines.firstByte, reached: () => reader.marks.firstByte !== undefined },
    { name: 'banner', seconds: deadlines.banner, reached: () => reader.marks.banner !== undefined },
    { name: 'init', seconds: deadlines.init, reached: () => reader.marks.init !== undefined },
    { name: 'total', seconds: deadlines.total, reached: () => false },
  ]
}
