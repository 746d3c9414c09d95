// SPDX-License-Identifier: GPL-2.0-only

export type Arch = 'x86_64' | 'i386'

/** Architectures that objects are compiled for, but no kernel is built and booted. */
export type CrossArch = 'arm64' | 's390'

/** What a build leaves, as an artefact of the cache. Paths are absolute. */
export interface Kernel {
  readonly key: string
  readonly dir: string
  readonly cached: boolean
  readonly arch: Arch
  /** Name of the config: "lab", "debug", "i386", "i386-pae". */
  readonly config: string
  /** uname -r */
  readonly release: string
  /** What QEMU boots: the stripped vmlinux (PVH) on x86_64, bzImage on i386. */
  readonly image: string
  /** vmlinux with its symbols, for decode_stacktrace and gdb. */
  readonly vmlinux: string
  readonly systemMap: string
  readonly configFile: string
  /** `make -C tools/testing/selftests install` output; undefined when no target was asked for. */
  readonly selftests: string | undefined
  readonly record: KernelRecord
}

/** How it was built: part of every record. */
export interface KernelRecord {
  readonly compiler: string
  readonly configHash: string
  /** Wall clock of the build, seconds; 0.1 resolution. */
  readonly seconds: number
  readonly bytes: {
    readonly image: number
    readonly text: number
    readonly data: number
    readonly bss: number
  }
  /** SHA-256 over the sections that are loaded (SHF_ALLOC, not NOBITS): equal means the same code and data. */
  readonly allocatedHash: string
  /** Number of warnings of everything in it; see readWarnings(). */
  readonly warnings: number
}
