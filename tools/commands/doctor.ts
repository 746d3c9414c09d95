// SPDX-License-Identifier: GPL-2.0-only
import { examine, isComplete, lacking } from '../doctor/doctor.ts'
import { install } from '../doctor/install.ts'
import { doctorTable } from '../doctor/table.ts'
import { EXIT } from '../lib/errors.ts'
import { probeAccelerator } from '../machine/accel.ts'
import { defineVerb } from './define.ts'
import { guestOptions } from './options.ts'

export default defineVerb({
  options: {
    ...guestOptions,
    install: {
      type: 'boolean',
      default: false,
      describe: 'install what is missing (apt, as root or by sudo)',
    },
  },
  async run(args, signal) {
    let rows = await examine({ signal })
    // The line to run, when something is missing that cannot be installed without asking.
    let line: string | undefined
    if (args.install && !args['dry-run']) {
      const done = await install(rows, { signal })
      if (done.how === 'installed') rows = await examine({ signal })
      if (done.how === 'ask') line = done.line
    }
    const complete = isComplete(rows)
    // Without QEMU there is nothing to try; that it is missing is in the table.
    const accel = complete
      ? await probeAccelerator({ ...(args.accel ? { force: args.accel } : {}), signal })
      : undefined
    if (args.json) {
      const tools = rows.map(({ requirement: { name, minimum, need, purpose }, found, state }) => ({
        name,
        found: found ?? null,
        minimum: minimum ?? null,
        need,
        state,
        purpose,
      }))
      process.stdout.write(`${JSON.stringify({ schema: 1, complete, tools, accel: accel ?? null })}\n`)
    } else {
      process.stdout.write(`${doctorTable(rows)}\n`)
      if (accel) process.stdout.write(`accelerator: ${accel.used} (${accel.reason})\n`)
      if (line) process.stdout.write(`to install what is missing: ${line}\n`)
      else if (lacking(rows).length > 0)
        process.stdout.write('to install what is missing: ./phyr doctor --install\n')
    }
    return complete ? EXIT.pass : EXIT.lab
  },
})
