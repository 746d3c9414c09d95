// SPDX-License-Identifier: GPL-2.0-only
import { listCache, planGc, removeItem } from '../lib/gc.ts'
import { EXIT } from '../lib/errors.ts'
import { cacheRoot } from '../lib/paths.ts'
import { defineVerb } from './define.ts'

const GiB = 2 ** 30

export default defineVerb({
  options: {
    'max-gib': {
      type: 'number',
      default: 30,
      describe: 'keep at most this much, GiB; 0 deletes all that can be made again',
    },
    'max-days': { type: 'number', default: 30, describe: 'delete what was not used for so many days' },
  },
  async run(args) {
    const root = cacheRoot()
    const items = await listCache(root)
    const doomed = planGc(items, { maxBytes: args['max-gib'] * GiB, maxDays: args['max-days'] })
    for (const item of doomed) {
      if (!args['dry-run']) await removeItem(root, item)
      if (!args.json) {
        const verb = args['dry-run'] ? 'would delete' : 'deleted'
        process.stdout.write(`${verb} ${item.stage}/${item.name}  ${(item.bytes / GiB).toFixed(2)} GiB\n`)
      }
    }
    const sum = (list: typeof items): number => list.reduce((n, item) => n + item.bytes, 0)
    const answer = {
      schema: 1,
      cache: root,
      bytes: sum(items) - sum(doomed),
      deleted: doomed.length,
      freed: sum(doomed),
    }
    process.stdout.write(
      args.json
        ? `${JSON.stringify(answer)}\n`
        : `${root}: ${(answer.bytes / GiB).toFixed(2)} GiB in use, ${(answer.freed / GiB).toFixed(2)} GiB ${args['dry-run'] ? 'could be ' : ''}freed\n`,
    )
    return EXIT.pass
  },
})
