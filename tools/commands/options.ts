// SPDX-License-Identifier: GPL-2.0-only
import type { Options } from 'yargs'

type Table = Readonly<Record<string, Options>>

/** Which sources: for every verb that needs a base and a series. */
export const sourceOptions = {
  linux: {
    type: 'string',
    describe: 'a base you have: DIR[@rev] (a checkout, not written to) or FILE.tar[.xz]',
  },
  base: { type: 'string', describe: 'a linux-source package by version: 7.3, 7.2, 7.3-rc' },
  'up-to': { type: 'number', describe: 'apply only the first N patches (0: the base alone)' },
  without: { type: 'string', array: true, describe: 'leave out this patch file; may be given again' },
} as const satisfies Table

/** Which kernel: for every verb that builds. */
export const kernelOptions = {
  arch: { choices: ['x86_64', 'i386'], default: 'x86_64', describe: 'architecture of the guest' },
  config: { type: 'string', describe: 'lab, debug, i386, i386-pae; default follows --arch' },
  jobs: { type: 'number', alias: 'j', describe: 'parallel make jobs; default: the number of CPUs' },
} as const satisfies Table

/** How guests run. */
export const guestOptions = {
  accel: { choices: ['kvm', 'tcg'], describe: 'accelerator; default: kvm when a guest really runs on it' },
} as const satisfies Table

/** Copies of the results for other programs. */
export const exportOptions = {
  junit: { type: 'string', describe: 'write JUnit XML, one file a run, into this directory' },
  ktap: { type: 'string', describe: 'write KTAP, one file a run, into this directory' },
} as const satisfies Table
