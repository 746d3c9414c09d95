// SPDX-License-Identifier: GPL-2.0-only
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { cacheRoot } from '../lib/paths.ts'
import type { Arch, CrossArch } from './kernel.ts'
import type { Toolchain } from './toolchain.ts'

/** One way to call make on a kernel tree. */
export interface MakeCommand {
  readonly source: string
  /** O= */
  readonly object: string
  /** -C, O= and the variables; a target follows. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * The make command for a tree and an O= directory: what would make two builds of the same sources differ (time,
 * user, host, the build's number, git's state) is pinned, see Documentation/kbuild/reproducible-builds.rst.
 */
export function makeCommand(options: {
  readonly source: string
  readonly object: string
  readonly arch: Arch | CrossArch
  readonly toolchain: Toolchain
  readonly jobs?: number | undefined
  /** false: compile everything, for a fair comparison with plain make. */
  readonly ccache?: boolean
}): MakeCommand {
  const { source, object, arch, toolchain } = options
  const ccache = options.ccache === false ? undefined : toolchain.ccache
  const wrapper = ccache === undefined ? '' : 'ccache '
  const { cross } = toolchain
  return {
    source,
    object,
    args: [
      '-C',
      source,
      `O=${object}`,
      `ARCH=${arch}`,
      `-j${options.jobs ?? availableParallelism()}`,
      // What a target prints stays together, so that two failing compilers do not mix their lines.
      '--output-sync=target',
      ...(cross === '' ? [] : [`CROSS_COMPILE=${cross}`]),
      `CC=${wrapper}${cross}gcc`,
      `HOSTCC=${wrapper}gcc`,
      'LOCALVERSION=',
      ...Object.entries(PINNED).map(([name, value]) => `${name}=${value}`),
    ],
    env: { ...SCRUBBED, ...(ccache === undefined ? {} : ccacheEnv()) },
  }
}

const PINNED = {
  KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:00 UTC 2026',
  KBUILD_BUILD_USER: 'phyr',
  KBUILD_BUILD_HOST: 'lab',
  KBUILD_BUILD_VERSION: '1',
} as const

/** Variables of the user's shell that kbuild or the compiler would obey. */
const SCRUBBED: Readonly<Record<string, undefined>> = Object.fromEntries(
  `
    ARCH SUBARCH CROSS_COMPILE LLVM CC LD AS HOSTCC CFLAGS CPPFLAGS LDFLAGS KCFLAGS KAFLAGS KCPPFLAGS
    KBUILD_OUTPUT KBUILD_EXTRA_SYMBOLS KBUILD_VERBOSE KBUILD_EXTMOD KCONFIG_CONFIG KCONFIG_ALLCONFIG
    KCONFIG_NOSILENTUPDATE LOCALVERSION O V W C M OUTPUT TARGETS MAKEFLAGS MAKELEVEL MFLAGS GNUMAKEFLAGS MAKEFILES
    INSTALL_PATH INSTALL_HDR_PATH KSFT_INSTALL_PATH C_INCLUDE_PATH CPATH LIBRARY_PATH GCC_EXEC_PREFIX SOURCE_DATE_EPOCH
  `
    .trim()
    .split(/\s+/)
    .map((name) => [name, undefined]),
)

/**
 * ccache's directory is in phyr's own cache. Paths below the cache are made relative before they are hashed, and
 * the compiler's directory is left out of the hash: sources and objects both lie in the cache, so two trees that
 * lie side by side share their hits.
 */
function ccacheEnv(): Record<string, string> {
  return {
    CCACHE_DIR: join(cacheRoot(), 'ccache'),
    CCACHE_BASEDIR: cacheRoot(),
    CCACHE_NOHASHDIR: '1',
    CCACHE_COMPILERCHECK: 'content',
    CCACHE_MAXSIZE: '3G',
    // Kernel sources do not use __DATE__ or __TIME__ (-Werror=date-time holds them to it).
    CCACHE_SLOPPINESS: 'time_macros',
  }
}
