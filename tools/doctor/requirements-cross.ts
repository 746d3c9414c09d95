// SPDX-License-Identifier: GPL-2.0-only
import type { Requirement } from './requirements.ts'

/**
 * Compilers for the architectures that touched objects are compiled for beside x86. They are large, and what they
 * would tell is told by nobody else, so without them `phyr prove` says which architectures it skipped.
 */
export const crossRequirements: readonly Requirement[] = [
  cross('aarch64-linux-gnu-gcc', 'arm64', {
    debian: 'gcc-aarch64-linux-gnu',
    fedora: 'gcc-aarch64-linux-gnu',
    arch: 'aarch64-linux-gnu-gcc',
    opensuse: 'cross-aarch64-gcc14',
  }),
  cross('s390x-linux-gnu-gcc', 's390', {
    debian: 'gcc-s390x-linux-gnu',
    fedora: 'gcc-s390x-linux-gnu',
    // The distribution has none.
    arch: 's390x-linux-gnu-gcc',
    opensuse: 'cross-s390x-gcc14',
  }),
  {
    name: 'sparse',
    probe: { kind: 'program', program: 'sparse', args: ['--version'], pattern: /(\d+\.\d+\.\d+)/ },
    minimum: '0.6.4',
    purpose: 'phyr prove and check: endianness and address spaces of the touched objects',
    need: 'optional',
    packages: { debian: 'sparse', fedora: 'sparse', arch: 'sparse', opensuse: 'sparse' },
  },
]

function cross(program: string, arch: string, packages: Requirement['packages']): Requirement {
  return {
    name: program,
    probe: { kind: 'program', program, args: ['--version'], pattern: /\) (\d+\.\d+\.\d+)/ },
    minimum: '8.1',
    purpose: `phyr prove: compile touched objects for ${arch}`,
    need: 'optional',
    packages,
  }
}
