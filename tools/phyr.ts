// SPDX-License-Identifier: GPL-2.0-only
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { commandOf, globalOptions, interrupt } from './commands/define.ts'
import { failed } from './commands/failed.ts'
import { verbs } from './commands/verbs.ts'
import { dryRun } from './lib/dry-run.ts'
import { UsageError } from './lib/errors.ts'
import { killAll } from './lib/exec.ts'
import { log } from './lib/log.ts'
import { ownVersion } from './lib/paths.ts'

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // The first asks the stage to end and clean up after itself; the second no longer waits for it.
    if (interrupt.signal.aborted) {
      killAll()
      process.exit(125)
    }
    log.progressDone()
    log.warn(`phyr: ${name}: stopping`)
    interrupt.abort()
  })
}

const parser = yargs(hideBin(process.argv))
  .scriptName('phyr')
  .version(ownVersion())
  .usage('phyr VERB [options]\n\nFrom a patch series to a verdict: base, apply, build, boot, test, report.')
  .options(globalOptions)
  .command(verbs.map(commandOf))
  .completion('completion', 'print a shell completion script')
  .demandCommand(1, 'which verb? See phyr --help')
  .strict()
  .recommendCommands()
  .wrap(Math.min(110, process.stderr.columns ?? 110))
  .middleware((args) => {
    log.configure({ verbose: args['verbose'], quiet: args['quiet'] })
    dryRun.on = args['dryRun']
  })
  .fail((message: string | null, error: Error | undefined) => {
    // Throwing here ends the parse: without it the handler would run with invalid values.
    throw error ?? new UsageError(message ?? 'bad usage', 'see phyr --help')
  })

try {
  await parser.parseAsync()
} catch (error) {
  process.exitCode = failed(error, process.argv.includes('--json'))
}
