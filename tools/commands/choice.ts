// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'
import type { KernelChoice } from '../run/kernel.ts'
import type { SourceChoice } from '../run/sources.ts'
import type { Settings } from '../suite/suite.ts'

/** The source options of a verb as the stages take them. */
export function choiceOf(args: {
  readonly linux?: string | undefined
  readonly base?: string | undefined
  readonly 'up-to'?: number | undefined
  readonly without?: readonly string[] | undefined
}): SourceChoice {
  if (args.linux !== undefined && args.base !== undefined) {
    throw new UsageError('--linux and --base name two bases', 'give one of them')
  }
  const upTo = args['up-to']
  if (upTo !== undefined && (!Number.isInteger(upTo) || upTo < 0)) {
    throw new UsageError(`--up-to takes a whole number of patches, not ${upTo}`)
  }
  return { linux: args.linux, baseVersion: args.base, upTo, without: args.without }
}

/**
 * What `--set NAME=N` and `--long` ask of the suites' variables.
 *
 * @throws UsageError for what is not NAME=N, and for a name that is given twice.
 */
export function settingsOf(args: {
  readonly long: boolean
  readonly set?: readonly string[] | undefined
}): Settings {
  const set = new Map<string, number>()
  for (const text of args.set ?? []) {
    const [, name = '', value = ''] = /^([a-z][a-z0-9_]*)=(\d{1,9})$/.exec(text) ?? []
    if (name === '')
      throw new UsageError(`--set takes NAME=N with a whole number, not ${JSON.stringify(text)}`)
    if (set.has(name)) throw new UsageError(`--set gives ${name} twice`)
    set.set(name, Number(value))
  }
  return { length: args.long ? 'long' : 'usual', set }
}

/** The source, kernel and guest options of a verb as the stages take them. */
export function kernelChoiceOf(
  args: Parameters<typeof choiceOf>[0] & {
    readonly arch: 'x86_64' | 'i386'
    readonly config?: string | undefined
    readonly jobs?: number | undefined
    readonly accel?: 'kvm' | 'tcg' | undefined
  },
): SourceChoice & KernelChoice & { readonly accel: 'kvm' | 'tcg' | undefined } {
  if (args.jobs !== undefined && (!Number.isInteger(args.jobs) || args.jobs < 1)) {
    throw new UsageError(`--jobs takes a whole number from 1, not ${args.jobs}`)
  }
  return { ...choiceOf(args), arch: args.arch, config: args.config, jobs: args.jobs, accel: args.accel }
}
