// SPDX-License-Identifier: GPL-2.0-only
import { findProject } from '../lib/project.ts'
import { execute } from '../run/execute.ts'
import { exportRuns } from '../run/exports.ts'
import { answer } from './answer.ts'
import { kernelChoiceOf } from './choice.ts'
import { defineVerb } from './define.ts'
import { exportOptions, guestOptions, kernelOptions, sourceOptions } from './options.ts'

/** The machines of a run when none is named. */
const usualMachines = ['virtio', 'nvme', 'p2pdma'] as const

export default defineVerb({
  options: {
    ...sourceOptions,
    ...kernelOptions,
    ...guestOptions,
    ...exportOptions,
    machine: { type: 'string', array: true, alias: 'm', describe: `default: ${usualMachines.join(' ')}` },
    again: { type: 'boolean', default: false, describe: 'boot again, even where a stored result would do' },
  },
  examples: [
    ['phyr run', 'the verdict on the series'],
    ['phyr run --linux ~/linux@v7.3 -m nvme -m iommu', 'on a checkout, on two machines'],
  ],
  async run(args, signal) {
    const output = await execute(
      findProject(args.C),
      {
        ...kernelChoiceOf(args),
        machines: args.machine ?? usualMachines,
        suites: undefined,
        settings: { length: 'short', set: new Map() },
        again: args.again,
      },
      signal,
    )
    exportRuns(output, args)
    return answer(output, args.json)
  },
})
