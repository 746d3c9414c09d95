// SPDX-License-Identifier: GPL-2.0-only
import { choosePatches } from '../check/choose.ts'
import { checkSeries } from '../check/check.ts'
import { checkTable } from '../check/table.ts'
import { EXIT } from '../lib/errors.ts'
import { findProject } from '../lib/project.ts'
import { getApplied } from '../run/sources.ts'
import { choiceOf } from './choice.ts'
import { defineVerb } from './define.ts'
import { sourceOptions } from './options.ts'

export default defineVerb({
  positionals: {
    patch: {
      type: 'string',
      array: true,
      describe: 'numbers (3), ranges (3-7) or file names of patches; default: all, and the cover letter',
    },
  },
  options: { ...sourceOptions },
  examples: [
    ['phyr check', 'every patch of the series at its place, and the cover letter'],
    ['phyr check 9 12-14', 'some of them'],
  ],
  async run(args, signal) {
    const project = findProject(args.C)
    const applied = await getApplied(project, choiceOf(args), signal)
    const files = applied.commits.map(({ patch }) => patch.file)
    const chosen = choosePatches(args.patch ?? [], files)
    const numbers = chosen?.map((at) => applied.commits[at - 1]?.patch.number ?? at)
    const record = await checkSeries(applied, { ...(numbers ? { numbers } : {}), signal })
    if (args.json) process.stdout.write(`${JSON.stringify(record)}\n`)
    else process.stdout.write(`${checkTable(record, { verbose: args.verbose > 0 })}\n`)
    return EXIT[record.outcome]
  },
})
