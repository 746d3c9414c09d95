// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../lib/errors.ts'
import { run, type RunResult } from '../lib/exec.ts'
import { log } from '../lib/log.ts'
import { staysInside } from '../lib/paths.ts'
import type { MakeCommand } from './make-args.ts'

/**
 * The targets that the tree has. A target of the series is not there in the base alone: it is left out and named.
 *
 * @throws UsageError for a name that is no path below tools/testing/selftests.
 */
export function presentTargets(source: string, targets: readonly string[]): readonly string[] {
  return [...new Set(targets)].sort().filter((target) => {
    if (!staysInside(target) || !/^[\w-]+(?:\/[\w-]+)*$/.test(target)) {
      throw new UsageError(`"${target}" is no selftest target`, 'a directory below tools/testing/selftests')
    }
    const there = existsSync(join(source, 'tools', 'testing', 'selftests', target, 'Makefile'))
    if (!there) log.info(`kernel  selftests: this tree has no target ${target}`)
    return there
  })
}

/**
 * Builds selftests against the tree's own headers and installs them into `destination`, with run_kselftest.sh.
 * The first step that fails ends it; its result is the caller's to judge.
 */
export async function installSelftests(options: {
  readonly make: MakeCommand
  readonly targets: readonly string[]
  readonly destination: string
  readonly logFile: string
  readonly signal?: AbortSignal | undefined
}): Promise<RunResult> {
  const { make, targets, destination, logFile, signal } = options
  const runOptions = { env: make.env, logFile, cwd: make.object, ...(signal ? { signal } : {}) }
  const headers = await run('make', [...make.args, 'headers'], runOptions)
  if (headers.code !== 0) return headers
  return run(
    'make',
    [
      '-C',
      join(make.source, 'tools', 'testing', 'selftests'),
      ...make.args.filter((arg) => /^(?:O=|-j|CC=|--output-sync)/.test(arg)),
      `TARGETS=${targets.join(' ')}`,
      `KSFT_INSTALL_PATH=${destination}`,
      'install',
    ],
    runOptions,
  )
}
