// SPDX-License-Identifier: GPL-2.0-only
import { crossRequirements } from './requirements-cross.ts'
import { handoverRequirements } from './requirements-handover.ts'
import { checkRequirements } from './requirements-check.ts'
import { rdmaRequirements } from './requirements-rdma.ts'

/** Distributions that phyr knows package names for; each stands for its relatives as well. */
export type Family = 'debian' | 'fedora' | 'arch' | 'opensuse'

/** How to tell whether a thing is there. */
export type Probe =
  /** A program on $PATH; `pattern`'s first group in what it prints is its version. */
  | {
      readonly kind: 'program'
      readonly program: string
      readonly args: readonly string[]
      readonly pattern: RegExp
      /** It goes into the guest without libraries. */
      readonly isStatic?: boolean
    }
  /** A program on $PATH that does not tell its version. */
  | { readonly kind: 'command'; readonly program: string }
  /** A C header that the compiler finds. */
  | { readonly kind: 'header'; readonly header: string }
  /** A static library that the compiler finds. */
  | { readonly kind: 'archive'; readonly archive: string }
  /** A file at this path. */
  | { readonly kind: 'file'; readonly file: string }

export type ProgramProbe = Extract<Probe, { kind: 'program' }>

/** One thing that the lab uses. */
export interface Requirement {
  readonly name: string
  readonly probe: Probe
  /** Lowest version that works; undefined: any. */
  readonly minimum: string | undefined
  readonly purpose: string
  /**
   * - required: without it `phyr run` does not work.
   * - recommended: --install gets it, but the lab works without (slower, or with a suite skipped).
   * - optional: only shown; too large to install for everyone.
   */
  readonly need: 'required' | 'recommended' | 'optional'
  /** The only suites and verbs that need it: where one of them is to be run, it is required. */
  readonly neededBy?: readonly string[]
  readonly packages: Readonly<Record<Family, string>>
}

function program(
  name: string,
  pattern: RegExp = /(\d+(?:\.\d+)+)/,
  args: readonly string[] = ['--version'],
): ProgramProbe {
  return { kind: 'program', program: name, args, pattern }
}

function everywhere(name: string): Readonly<Record<Family, string>> {
  return { debian: name, fedora: name, arch: name, opensuse: name }
}

/**
 * What the lab needs. Minimum versions of the kernel's build tools are those of
 * Documentation/process/changes.rst in Linux 7.3; QEMU's is the oldest that the machines were tried with.
 */
export const requirements: readonly Requirement[] = [
  {
    name: 'gcc',
    probe: program('gcc', /\) (\d+\.\d+\.\d+)/),
    minimum: '8.1',
    purpose: 'compile the kernel, the selftests and the guest’s init',
    need: 'required',
    packages: everywhere('gcc'),
  },
  {
    name: 'C library headers',
    probe: { kind: 'header', header: 'stdio.h' },
    minimum: undefined,
    purpose: 'compile the kernel’s own tools and the selftests',
    need: 'required',
    packages: { debian: 'libc6-dev', fedora: 'glibc-devel', arch: 'glibc', opensuse: 'glibc-devel' },
  },
  {
    name: 'ld',
    probe: program('ld', /(\d+\.\d+(?:\.\d+)?)\s*$/m),
    minimum: '2.30',
    purpose: 'assemble, link and strip the kernel (binutils)',
    need: 'required',
    packages: everywhere('binutils'),
  },
  {
    name: 'make',
    probe: program('make'),
    minimum: '4.0',
    purpose: 'build the kernel',
    need: 'required',
    packages: everywhere('make'),
  },
  {
    name: 'flex',
    probe: program('flex'),
    minimum: '2.5.35',
    purpose: 'build kconfig and the device tree compiler',
    need: 'required',
    packages: everywhere('flex'),
  },
  {
    name: 'bison',
    probe: program('bison'),
    minimum: '2.0',
    purpose: 'build kconfig and the device tree compiler',
    need: 'required',
    packages: everywhere('bison'),
  },
  {
    name: 'bc',
    probe: program('bc'),
    minimum: '1.06.95',
    purpose: 'compute the kernel’s time constants',
    need: 'required',
    packages: everywhere('bc'),
  },
  {
    name: 'libelf headers',
    probe: { kind: 'header', header: 'gelf.h' },
    minimum: undefined,
    purpose: 'build objtool',
    need: 'required',
    packages: {
      debian: 'libelf-dev',
      fedora: 'elfutils-libelf-devel',
      arch: 'libelf',
      opensuse: 'libelf-devel',
    },
  },
  {
    name: 'openssl headers',
    probe: { kind: 'header', header: 'openssl/opensslv.h' },
    minimum: undefined,
    purpose: 'only kernels that sign modules or hold keys; the lab’s configs do not',
    need: 'optional',
    packages: {
      debian: 'libssl-dev',
      fedora: 'openssl-devel',
      arch: 'openssl',
      opensuse: 'libopenssl-devel',
    },
  },
  {
    name: 'python3',
    probe: program('python3'),
    minimum: '3.9',
    purpose: 'scripts of the kernel’s build',
    need: 'required',
    packages: { ...everywhere('python3'), arch: 'python' },
  },
  {
    name: 'perl',
    probe: program('perl', /\(v(\d+\.\d+\.\d+)\)/),
    minimum: undefined,
    purpose: 'checkpatch, and scripts of the kernel’s build',
    need: 'required',
    packages: everywhere('perl'),
  },
  {
    name: 'git',
    probe: program('git'),
    minimum: '2.30',
    purpose: 'apply the series, one commit a patch',
    need: 'required',
    packages: everywhere('git'),
  },
  {
    name: 'xz',
    probe: program('xz'),
    minimum: undefined,
    purpose: 'unpack the base',
    need: 'required',
    packages: { ...everywhere('xz'), debian: 'xz-utils' },
  },
  {
    name: 'rsync',
    probe: program('rsync', /version (\d+(?:\.\d+)+)/),
    minimum: undefined,
    purpose: 'install the selftests',
    need: 'required',
    packages: everywhere('rsync'),
  },
  {
    name: 'qemu-system-x86_64',
    probe: program('qemu-system-x86_64', /version (\d+(?:\.\d+)+)/),
    minimum: '7.2',
    purpose: 'the machines',
    need: 'required',
    packages: {
      debian: 'qemu-system-x86',
      fedora: 'qemu-system-x86-core',
      arch: 'qemu-system-x86',
      opensuse: 'qemu-x86',
    },
  },
  {
    name: 'busybox',
    probe: { ...program('busybox', /v(\d+(?:\.\d+)+)/, ['--help']), isStatic: true },
    minimum: '1.30',
    purpose: 'the guest’s shell and tools; has to be static',
    need: 'required',
    packages: { ...everywhere('busybox'), debian: 'busybox-static', opensuse: 'busybox-static' },
  },
  {
    name: 'fio',
    probe: program('fio', /fio-(\d+(?:\.\d+)+)/),
    minimum: '3.16',
    purpose: 'load and data verification in the guest, with io_uring',
    need: 'required',
    packages: everywhere('fio'),
  },
  {
    name: 'ccache',
    probe: program('ccache'),
    minimum: '4.0',
    purpose: 'a cold build after a small change takes a minute instead of six',
    need: 'recommended',
    packages: everywhere('ccache'),
  },
  {
    name: 'chromium',
    probe: program('chromium'),
    minimum: undefined,
    purpose: 'look at the report in a test; any browser shows it',
    need: 'optional',
    packages: everywhere('chromium'),
  },
  {
    name: 'pahole',
    probe: program('pahole', /v(\d+\.\d+)/),
    // The first that can write BTF into a file of its own.
    minimum: '1.22',
    purpose: 'sizes and layouts of structures in phyr bench',
    need: 'optional',
    packages: { debian: 'dwarves', fedora: 'dwarves', arch: 'pahole', opensuse: 'dwarves' },
  },
  {
    name: 'gdb',
    probe: program('gdb', /(\d+\.\d+)\s*$/m),
    minimum: '7.2',
    purpose: 'debug a guest (phyr boot --gdb)',
    need: 'optional',
    packages: everywhere('gdb'),
  },
  ...rdmaRequirements,
  ...crossRequirements,
  ...handoverRequirements,
  ...checkRequirements,
]
