// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs'
import { checkMail } from '../check/b4.ts'
import { b4Json, b4Lines } from '../check/b4-answer.ts'
import { isOpen } from '../check/check-record.ts'
import { choosePatches } from '../check/choose.ts'
import { checkSeries } from '../check/check.ts'
import { checkTable } from '../check/table.ts'
import { EXIT, messageOf, UsageError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
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
  options: {
    ...sourceOptions,
    b4: {
      type: 'boolean',
      default: false,
      describe: 'check the patch mail on stdin and answer as b4 wants it: lines, or with --json its JSON',
    },
  },
  examples: [
    ['phyr check', 'every patch of the series at its place, and the cover letter'],
    ['phyr check 9 12-14', 'some of them'],
    ['git config b4.prep-perpatch-check-cmd "phyr check --b4"', 'for b4 prep --check, in a kernel checkout'],
  ],
  async run(args, signal) {
    const project = findProject(args.C)
    const choice = choiceOf(args)
    if (args.b4) {
      if (args.patch && args.patch.length > 0) throw new UsageError('--b4 takes the patch from stdin')
      return forB4(args.json)
    }
    const applied = await getApplied(project, choice, signal)
    const files = applied.commits.map(({ patch }) => patch.file)
    const chosen = choosePatches(args.patch ?? [], files)
    const numbers = chosen?.map((at) => applied.commits[at - 1]?.patch.number ?? at)
    const record = await checkSeries(applied, { ...(numbers ? { numbers } : {}), signal })
    if (args.json) process.stdout.write(`${JSON.stringify(record)}\n`)
    else process.stdout.write(`${checkTable(record, { verbose: args.verbose > 0 })}\n`)
    return EXIT[record.outcome]

    async function forB4(json: boolean): Promise<number> {
      // A line on stderr is a failure to b4.
      log.configure({ verbose: args.verbose, quiet: true })
      try {
        const check = await checkMail(readFileSync(0, 'utf8'), {
          cwd: process.cwd(),
          patches: project.patches,
          applied: () => getApplied(project, choice, signal),
          signal,
        })
        process.stdout.write(json ? `${JSON.stringify(b4Json(check))}\n` : b4Lines(check))
        return check.findings.some(isOpen) ? EXIT.fail : EXIT.pass
      } catch (error) {
        if (!json) throw error
        // b4 reads one thing only, a list of results.
        const failure = { tool: 'phyr', status: 'fail', summary: messageOf(error), details: '' }
        process.stdout.write(`${JSON.stringify([failure])}\n`)
        return EXIT.lab
      }
    }
  },
})
