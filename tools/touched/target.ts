// SPDX-License-Identifier: GPL-2.0-only
import type { Arch, CrossArch } from '../kernel/kernel.ts'
import { findToolchain, type Toolchain } from '../kernel/toolchain.ts'
import { which } from '../lib/which.ts'

/** A configuration that touched objects are compiled under. */
export interface Target {
  /** "allmodconfig", or what differs from it. */
  readonly config: string
  readonly arch: Arch | CrossArch
  /** The directory under arch/. */
  readonly srcarch: string
  /** CROSS_COMPILE. */
  readonly cross: string
  /** Options that are set against what the make target would choose. */
  readonly seed: readonly string[]
}

/**
 * Options of allmodconfig that only cost time or need programs of the host, and change nothing of which lines are
 * compiled: signatures and keys (openssl), debug information and BTF (pahole), instrumentation. Warnings stay
 * warnings: they are compared with those of the patch before.
 */
const SEED: readonly string[] = [
  'CONFIG_WERROR=n',
  'CONFIG_MODULE_SIG=n',
  'CONFIG_KEXEC_SIG=n',
  'CONFIG_IMA_APPRAISE_MODSIG=n',
  'CONFIG_SECURITY_LOCKDOWN_LSM=n',
  'CONFIG_SYSTEM_EXTRA_CERTIFICATE=n',
  'CONFIG_DEBUG_INFO_NONE=y',
  'CONFIG_GCC_PLUGINS=n',
  'CONFIG_KASAN=n',
  'CONFIG_KCSAN=n',
  'CONFIG_KCOV=n',
  'CONFIG_GCOV_KERNEL=n',
  'CONFIG_UBSAN=n',
  'CONFIG_HEADERS_INSTALL=n',
]

/** Every configuration, in the order of a report. */
export const targets: readonly Target[] = [
  { config: 'allmodconfig', arch: 'x86_64', srcarch: 'x86', cross: '', seed: SEED },
  { config: 'allmodconfig', arch: 'i386', srcarch: 'x86', cross: '', seed: SEED },
  // allmodconfig has PAE, where physical addresses have 64 bits and longs have 32: without it both have 32.
  {
    config: 'allmodconfig-nopae',
    arch: 'i386',
    srcarch: 'x86',
    cross: '',
    seed: [...SEED, 'CONFIG_X86_PAE=n'],
  },
  { config: 'allmodconfig', arch: 'arm64', srcarch: 'arm64', cross: 'aarch64-linux-gnu-', seed: SEED },
  { config: 'allmodconfig', arch: 's390', srcarch: 's390', cross: 's390x-linux-gnu-', seed: SEED },
]

/** The compiler for a target, or why there is none. */
export async function toolchainFor(
  target: Target,
  signal: AbortSignal | undefined,
): Promise<Toolchain | { readonly missing: string }> {
  const gcc = `${target.cross}gcc`
  if (which(gcc) === undefined) return { missing: `${gcc} is not installed` }
  return findToolchain({ cross: target.cross, signal })
}
