// SPDX-License-Identifier: GPL-2.0-only
import { EXIT } from '../lib/errors.ts'
import { findProject } from '../lib/project.ts'
import { readSeries } from '../series/read.ts'
import { refreshSeries } from '../series/refresh.ts'
import { defineVerb } from './define.ts'

export default defineVerb({
  positionals: { dir: { type: 'string', demandOption: true, describe: 'what phyr edit made' } },
  async run(args) {
    const done = await refreshSeries(args.dir, readSeries(findProject(args.C).patches))
    const { changed, added, removed } = done
    if (args.json) process.stdout.write(`${JSON.stringify({ schema: 1, changed, added, removed })}\n`)
    else {
      const lines = [
        ...changed.map((file) => `changed ${file}`),
        ...added.map((file) => `added   ${file}`),
        ...removed.map((file) => `removed ${file}`),
      ]
      process.stdout.write(`${lines.length === 0 ? 'nothing changed' : lines.join('\n')}\n`)
    }
    return EXIT.pass
  },
})
