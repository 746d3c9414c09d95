// SPDX-License-Identifier: GPL-2.0-only
import { resolve } from 'node:path'
import { EXIT, UsageError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import { writeReport } from '../result/report.ts'
import { isDamaged, loadStored, type Damaged } from '../result/json-files.ts'
import { runOutputSchema } from '../result/record.ts'
import { latestRecord, resultsOf } from '../result/store.ts'
import { defineVerb } from './define.ts'

const tell = (damaged: Damaged): void => log.warn(`left out: ${damaged.file}: ${damaged.why}`)

export default defineVerb({
  positionals: { record: { type: 'string', describe: 'a record, as `phyr run --json` prints it' } },
  options: {
    output: { type: 'string', alias: 'o', default: 'phyr-report.html', describe: 'the file to write' },
  },
  async run(args) {
    const stored =
      args.record === undefined ? latestRecord(undefined, tell) : loadStored(args.record, runOutputSchema)
    if (stored === undefined) {
      throw new UsageError(
        args.record === undefined ? 'there is no record yet' : `there is no file ${args.record}`,
        'run ./phyr run first',
      )
    }
    if (isDamaged(stored)) throw new UsageError(`${stored.file} is no record: ${stored.why}`)
    const file = resolve(args.output)
    if (!args['dry-run']) writeReport(stored.record, resultsOf(stored.record, undefined, tell), file)
    process.stdout.write(args.json ? `${JSON.stringify({ schema: 1, report: file })}\n` : `${file}\n`)
    return EXIT.pass
  },
})
