// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs'
import { writeAtomic } from '../lib/cache.ts'
import { EXIT, UsageError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import { findProject } from '../lib/project.ts'
import { getApplied } from '../run/sources.ts'
import { planGroups } from '../split/group-plan.ts'
import { groupsFile, groupsText, readGroups } from '../split/groups.ts'
import { checkOrder, planPatches } from '../split/plan.ts'
import { proposeGroups } from '../split/propose.ts'
import { splitTable } from '../split/table.ts'
import { defineVerb } from './define.ts'
import { sourceOptions } from './options.ts'

export default defineVerb({
  options: {
    linux: sourceOptions.linux,
    base: sourceOptions.base,
    write: {
      type: 'boolean',
      default: false,
      describe: 'write the proposed groups to patches/groups.yaml, where there is none yet',
    },
  },
  examples: [
    ['phyr split', 'what can go in alone, through which tree, in which order'],
    ['phyr mail --group NAME -o DIR', 'one of the groups as a series of its own'],
  ],
  async run(args, signal) {
    const project = findProject(args.C)
    const applied = await getApplied(project, { linux: args.linux, baseVersion: args.base }, signal)
    const patches = applied.series.patches
    const planned = await planPatches(applied, signal)
    const file = groupsFile(project.patches)
    const own = readGroups(project.patches, patches)
    const groups = own ?? proposeGroups(planned, patches, new Date())
    const plan = planGroups(groups, planned)
    if (plan.problems.length === 0) {
      const order = plan.groups.flatMap((group) => group.numbers.map((number) => patches[number - 1]!))
      await checkOrder(applied, order, signal)
    }
    if (args.write) {
      if (existsSync(file))
        throw new UsageError(`${file} is there already`, 'change it by hand: its change-ids must stay')
      if (!args['dry-run']) writeAtomic(file, groupsText(groups))
    }
    const answer = { schema: 1, proposed: own === undefined, patches: planned, ...plan }
    process.stdout.write(args.json ? `${JSON.stringify(answer)}\n` : `${splitTable(planned, plan)}\n`)
    if (own === undefined && !args.write)
      log.info('split   proposed groups; --write keeps them in patches/groups.yaml')
    for (const warning of plan.warnings) log.warn(`warning: ${warning}`)
    for (const problem of plan.problems) log.warn(`problem: ${problem}`)
    return plan.problems.length > 0 ? EXIT.fail : EXIT.pass
  },
})
