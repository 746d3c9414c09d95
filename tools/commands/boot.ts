// SPDX-License-Identifier: GPL-2.0-only
import { EXIT, UsageError } from '../lib/errors.ts'
import { findProject } from '../lib/project.ts'
import { printable } from '../lib/log.ts'
import { bootAlone } from '../run/boot-alone.ts'
import { kernelChoiceOf } from './choice.ts'
import { defineVerb } from './define.ts'
import { guestOptions, kernelOptions, sourceOptions } from './options.ts'

export default defineVerb({
  positionals: { machine: { type: 'string', default: 'virtio', describe: 'see qemu/machines' } },
  options: {
    ...sourceOptions,
    ...kernelOptions,
    ...guestOptions,
    shell: { type: 'boolean', default: false, describe: 'a shell on the console; leave it to end the guest' },
    gdb: { type: 'string', describe: 'wait for gdb on this TCP port (localhost) or Unix socket' },
    append: { type: 'string', array: true, describe: 'one more word for the kernel command line' },
  },
  examples: [
    ['phyr boot p2pdma --shell', 'a console with fio, the selftests and the tools'],
    ['phyr boot --gdb 1234', 'stop before the first instruction'],
  ],
  async run(args, signal) {
    if (args.shell && (args.json || !process.stdin.isTTY)) {
      throw new UsageError('--shell needs a terminal, and does not go with --json')
    }
    const outcome = await bootAlone(
      findProject(args.C),
      {
        ...kernelChoiceOf(args),
        machine: args.machine,
        shell: args.shell,
        gdb: args.gdb,
        cmdline: args.append ?? [],
      },
      signal,
    )
    if (args.shell) return EXIT.pass
    const { end, status, ms, splats, tail } = outcome
    const good = end === 'done' && status === 0 && splats.length === 0
    if (args.json) {
      process.stdout.write(
        `${JSON.stringify({ schema: 1, machine: args.machine, outcome: good ? 'pass' : 'fail', end, status, ms, splats, tail })}\n`,
      )
    } else {
      const at = (value: number | undefined): string => (value === undefined ? 'never' : `${value} ms`)
      process.stdout.write(
        `${args.machine}: ${end}; first byte ${at(ms.firstByte)}, banner ${at(ms.banner)}, init ${at(ms.init)}, end ${at(ms.total)}\n`,
      )
      if (!good)
        for (const line of [...splats.map((s) => s.title), ...tail])
          process.stdout.write(`| ${printable(line)}\n`)
    }
    return good ? EXIT.pass : EXIT.fail
  },
})
