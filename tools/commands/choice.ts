// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'
import type { KernelChoice } from '../run/kernel.ts'
import type { SourceChoice } from '../run/sources.ts'

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
