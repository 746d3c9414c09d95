// SPDX-License-Identifier: GPL-2.0-only
import { EXIT } from '../lib/errors.ts'
import { printable } from '../lib/log.ts'
import { findProject } from '../lib/project.ts'
import { getApplied } from '../run/sources.ts'
import { choiceOf } from './choice.ts'
import { defineVerb } from './define.ts'
import { sourceOptions } from './options.ts'

export default defineVerb({
  options: sourceOptions,
  examples: [['phyr apply --base 7.2', 'does it apply to the 7.2 package?']],
  async run(args, signal) {
    const applied = await getApplied(findProject(args.C), choiceOf(args), signal)
    const commits = applied.commits.map(({ patch, commit }) => ({
      file: patch.file,
      subject: patch.subject,
      commit,
    }))
    const { commit, tree, cached } = applied
    process.stdout.write(
      args.json
        ? `${JSON.stringify({ schema: 1, base: applied.base.identity, commit, tree, cached, repo: applied.base.repo, commits })}\n`
        : [...commits.map((c) => `${c.commit.slice(0, 12)} ${printable(c.subject)}\n`), `${commit}\n`].join(
            '',
          ),
    )
    return EXIT.pass
  },
})
