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
  readonly positionals?: P
  readonly options?: O
  readonly examples?: readonly (readonly [string, string])[]
  /** Returns the exit code. */
  run(
    args: ArgumentsCamelCase<InferredOptionTypes<P> & InferredOptionTypes<O> & Global>,
    signal: AbortSignal,
  ): Promise<number>
}

/** A verb whose types have done their work. */
export type AnyVerb = Verb<Table, Table>

/** How a verb is called, and where its code is. */
export interface VerbEntry {
  readonly command: string
  readonly describe: string
  load(): Promise<AnyVerb>
}

/** Ends when the user presses Ctrl-C or the process is told to stop; see phyr.ts. */
export const interrupt = new AbortController()

/** Checks a verb's handler against its own option table, which yargs' types cannot do across modules. */
export function defineVerb<const P extends Table, const O extends Table>(verb: Verb<P, O>): AnyVerb {
  return verb
}

/** A verb as yargs takes it; its module is loaded when yargs has chosen it. */
export function commandOf(entry: VerbEntry): CommandModule {
  let loaded: AnyVerb | undefined
  return {
    command: entry.command,
    describe: entry.describe,
    builder: async (y: Argv) => {
      loaded = await entry.load()
      for (const [name, option] of Object.entries(loaded.positionals ?? {}))
        y.positional(name, option as never)
      for (const [line, what] of loaded.examples ?? []) y.example(line, what)
      return y.options(loaded.options ?? {})
    },
    async handler(args) {
      process.exitCode = await loaded!.run(args as never, interrupt.signal)
    },
  }
}
