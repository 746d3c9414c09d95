// SPDX-License-Identifier: GPL-2.0-only

/**
 * The lab broke: no disk, QEMU died, a download was refused. Never a result, never cached, never blamed on a
 * patch. The command line prints the three parts and exits with 125, which `git bisect run` reads as
 * "cannot test".
 */
export class LabError extends Error {
  override readonly name = 'LabError'
  readonly what: string
  readonly why: string
  readonly fix: string
  /** More lines for the reader (a log's tail, a command line); may be empty. */
  readonly detail: readonly string[]

  constructor(parts: {
    what: string
    why: string
    fix: string
    detail?: readonly string[]
    cause?: unknown
  }) {
    super(`${parts.what}: ${parts.why}`, parts.cause === undefined ? undefined : { cause: parts.cause })
    this.what = parts.what
    this.why = parts.why
    this.fix = parts.fix
    this.detail = parts.detail ?? []
  }
}

/** Bad input by the user: an option, a machine file, a fragment. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly fix: string

  constructor(message: string, fix = '') {
    super(message)
    this.fix = fix
  }
}

/**
 * The input under test is at fault: a patch does not apply, the kernel does not compile, a config option does
 * not hold. A finding, exit code 1; `stage` names where, `blame` what (a patch file, a fragment).
 */
export class Finding extends Error {
  override readonly name = 'Finding'
  readonly stage: 'apply' | 'config' | 'build' | 'series'
  readonly blame: string | undefined
  readonly detail: readonly string[]

  constructor(parts: {
    stage: Finding['stage']
    message: string
    blame?: string | undefined
    detail?: readonly string[]
  }) {
    super(parts.message)
    this.stage = parts.stage
    this.blame = parts.blame
    this.detail = parts.detail ?? []
  }
}

/** Exit codes of every verb (design: `git bisect run ./phyr test ...` works as it is). */
export const EXIT = { pass: 0, fail: 1, usage: 2, skip: 4, lab: 125 } as const

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
