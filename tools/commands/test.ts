// SPDX-License-Identifier: GPL-2.0-only
import { findProject } from '../lib/project.ts'
import { execute } from '../run/execute.ts'
import { exportRuns } from '../run/exports.ts'
import { answer } from './answer.ts'
import { kernelChoiceOf, settingsOf } from './choice.ts'
import { defineVerb } from './define.ts'
import { exportOptions, guestOptions, kernelOptions, sourceOptions } from './options.ts'

export default defineVerb({
  positionals: {
    suite: { type: 'string', array: true, demandOption: true, describe: 'names of suites, see qemu/suites' },
  },
  options: {
    ...sourceOptions,
    ...kernelOptions,
    ...guestOptions,
    ...exportOptions,
    machine: {
      type: 'string',
      array: true,
      alias: 'm',
      describe: 'default: the machines that a suite names, or the plainest',
    },
    long: {
      type: 'boolean',
      default: false,
      describe: "the lab's lengths of suites that have two: more cases, more time",
    },
    set: {
      type: 'string',
      array: true,
      describe: 'NAME=N: a variable of a suite, see its file; may be given again',
    },
    again: { type: 'boolean', default: false, describe: 'boot again, even where a stored result would do' },
  },
  examples: [
    ['phyr test kunit --arch i386', 'KUnit on 32-bit; --config i386-pae for a 64-bit phys_addr_t'],
    ['phyr test kselftest --without 0001-x.patch', 'does the test catch a missing fix?'],
    ['phyr test gup --config debug --long', 'ten minutes of stress under KASAN and lockdep'],
    ['phyr test gup --set seed=4711 --set stress=0', 'the random cases of another seed'],
    ['git bisect run ./phyr test kunit --linux DIR', 'the exit codes are made for it'],
  ],
  async run(args, signal) {
    const output = await execute(
      findProject(args.C),
      {
        ...kernelChoiceOf(args),
        machines: args.machine,
        suites: args.suite,
        settings: settingsOf(args),
        again: args.again,
      },
      signal,
    )
    exportRuns(output, args)
    return answer(output, args.json)
  },
})
