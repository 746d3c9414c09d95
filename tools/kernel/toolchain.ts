// SPDX-License-Identifier: GPL-2.0-only
import { runOk } from '../lib/exec.ts'
import { which } from '../lib/which.ts'

/** The programs that make a kernel, and what identifies them. */
export interface Toolchain {
  /** For a record: "gcc (Debian 12.2.0-14+deb12u1) 12.2.0". */
  readonly compiler: string
  /** Other versions may give other code: all of this is an input of the artefact. */
  readonly identity: Readonly<Record<string, string>>
  /** Path of ccache; undefined when it is not installed. Not part of the identity: it changes no byte. */
  readonly ccache: string | undefined
  /** CROSS_COMPILE: what is in front of gcc, as and ld; empty for this machine's own. */
  readonly cross: string
}

/**
 * Asks the compiler, assembler, linker and make for their versions.
 *
 * @param options.cross prefix of a cross compiler's programs, for example "s390x-linux-gnu-"; default none.
 * @throws LabError when one of them is not installed.
 */
export async function findToolchain(
  options: { readonly cross?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<Toolchain> {
  const { cross = '' } = options
  const first = async (program: string, ...args: string[]): Promise<string> =>
    (await runOk(program, args, options.signal ? { signal: options.signal } : {})).split('\n', 1)[0] ?? ''
  const [compiler, target, assembler, linker, make] = await Promise.all([
    first(`${cross}gcc`, '--version'),
    first(`${cross}gcc`, '-dumpmachine'),
    first(`${cross}as`, '--version'),
    first(`${cross}ld`, '--version'),
    first('make', '--version'),
  ])
  return {
    compiler,
    identity: { compiler, target, assembler, linker, make },
    ccache: which('ccache'),
    cross,
  }
}
