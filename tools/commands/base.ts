// SPDX-License-Identifier: GPL-2.0-only
import { EXIT } from '../lib/errors.ts'
import { findProject } from '../lib/project.ts'
import { getBase } from '../run/sources.ts'
import { defineVerb } from './define.ts'
import { sourceOptions } from './options.ts'
import { choiceOf } from './choice.ts'

const { linux, base } = sourceOptions

export default defineVerb({
  options: { linux, base },
  async run(args, signal) {
    const got = await getBase(findProject(args.C), choiceOf(args), signal)
    process.stdout.write(
      args.json
        ? `${JSON.stringify({ schema: 1, ...got.base.identity, repo: got.base.repo, cached: got.base.cached })}\n`
        : `Linux ${got.base.identity.version}\ncommit ${got.base.commit}\ntree   ${got.base.identity.tree}\nrepo   ${got.base.repo}\n`,
    )
    return EXIT.pass
  },
})
