// SPDX-License-Identifier: GPL-2.0-only
import { EXIT } from '../lib/errors.ts'
import { findProject } from '../lib/project.ts'
import { getApplied } from '../run/sources.ts'
import { editTree } from '../series/edit.ts'
import { choiceOf } from './choice.ts'
import { defineVerb } from './define.ts'
import { sourceOptions } from './options.ts'

const { linux, base } = sourceOptions

export default defineVerb({
  positionals: { dir: { type: 'string', demandOption: true, describe: 'a new or empty directory' } },
  options: { linux, base },
  examples: [['phyr edit ~/phyr-tree', 'then git rebase -i, amend, add; then phyr refresh ~/phyr-tree']],
  async run(args, signal) {
    const applied = await getApplied(findProject(args.C), choiceOf(args), signal)
    const dir = await editTree(applied, args.dir, { signal })
    process.stdout.write(
      args.json
        ? `${JSON.stringify({ schema: 1, dir, commit: applied.commit, patches: applied.commits.length })}\n`
        : `${dir}: branch phyr, ${applied.commits.length} commits on tag phyr-base\nwhen done: phyr refresh ${dir}\n`,
    )
    return EXIT.pass
  },
})
