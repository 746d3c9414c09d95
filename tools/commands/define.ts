// SPDX-License-Identifier: GPL-2.0-only
import type { ArgumentsCamelCase, Argv, CommandModule, InferredOptionTypes, Options } from 'yargs'

type Table = Readonly<Record<string, Options>>

/** Options that every verb has. The table is the parser, the help text and the type. */
export const globalOptions = {
  json: {
    type: 'boolean',
    default: false,
    describe: 'print one JSON object on stdout and nothing else there',
  },
  'dry-run': {
    type: 'boolean',
    alias: 'n',
    default: false,
    describe: 'print what would be run, and run nothing',
  },
  verbose: { type: 'count', alias: 'v', describe: 'show the commands that are run' },
  quiet: { type: 'boolean', alias: 'q', default: false, describe: 'only warnings and the answer' },
  C: { type: 'string', describe: 'the project: a directory with patches/, kernel-config/ and qemu/' },
} as const satisfies Table

type Global = InferredOptionTypes<typeof globalOptions>

/** One verb: its option table gives its handler's argument its type. */
interface Verb<P extends Table, O extends Table> {
  readonly command: string
  readonly describe: string
  readonly positionals?: P
  readonly options?: O
  readonly examples?: readonly (readonly [string, string])[]
  /** Returns the exit code. */
  run(
    args: ArgumentsCamelCase<InferredOptionTypes<P> & InferredOptionTypes<O> & Global>,
    signal: AbortSignal,
  ): Promise<number>
}

/** Ends when the user presses Ctrl-C or the process is told to stop; see phyr.ts. */
export const interrupt = new AbortController()

/** Declares a verb so that yargs can take it. (yargs 18 types no module namespace as a verb.) */
export function defineVerb<const P extends Table, const O extends Table>(verb: Verb<P, O>): CommandModule {
  return {
    command: verb.command,
    describe: verb.describe,
    builder(y: Argv) {
      for (const [name, option] of Object.entries(verb.positionals ?? {})) y.positional(name, option as never)
      for (const [line, what] of verb.examples ?? []) y.example(line, what)
      return y.options(verb.options ?? {})
    },
    async handler(args) {
      process.exitCode = await verb.run(args as never, interrupt.signal)
    },
  }
}
