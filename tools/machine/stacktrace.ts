// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import type { Splat } from './boot.ts'

export interface Decoded {
  /** With file and line beside each function, or as they were when `reason` is given. */
  readonly lines: readonly string[]
  /** Why the lines are as they were; undefined when they were decoded. */
  readonly reason: string | undefined
}

/**
 * Adds file and line to a report's call trace with the base's own scripts/decode_stacktrace.sh.
 *
 * Never throws but for an interrupt: a report that cannot be decoded is still a report.
 *
 * @param options.vmlinux with symbols; without debug info there are no lines to find.
 * @param options.treeDir the tree that the kernel was built from.
 */
export async function decode(options: {
  splat: Splat
  vmlinux: string
  treeDir: string
  signal?: AbortSignal
}): Promise<Decoded> {
  const { splat, vmlinux, treeDir, signal } = options
  const raw = (reason: string): Decoded => ({ lines: splat.lines, reason })
  const script = join(treeDir, 'scripts/decode_stacktrace.sh')
  for (const needed of [script, vmlinux]) if (!existsSync(needed)) return raw(`${needed} is not there`)
  try {
    const result = await run('bash', [script, vmlinux, treeDir], {
      input: `${splat.lines.join('\n')}\n`,
      timeoutMs: 120_000,
      // It asks debuginfod servers when the variable is set: nothing here needs the network.
      env: { DEBUGINFOD_URLS: undefined },
      ...(signal === undefined ? {} : { signal }),
    })
    if (result.timedOut) return raw('decode_stacktrace.sh took longer than 120 s')
    if (result.code !== 0)
      return raw(`decode_stacktrace.sh ended with ${result.code}: ${lastLine(result.stderr)}`)
    const lines = result.stdout.replace(/\n+$/, '').split('\n')
    if (lines.length < splat.lines.length) return raw('decode_stacktrace.sh lost lines of the report')
    if (!lines.some((line) => /\((?:[^()\s]*\/)?[^()\s/]+\.[chS]:\d+/.test(line)))
      return raw(`${vmlinux} has no debug info for this trace`)
    return { lines, reason: undefined }
  } catch (error) {
    if (signal?.aborted) throw error
    return raw(`decode_stacktrace.sh: ${messageOf(error)}`)
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
