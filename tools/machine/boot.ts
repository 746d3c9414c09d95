// SPDX-License-Identifier: GPL-2.0-only
import type { Machine } from './machine.ts'

export interface Accelerator {
  readonly used: 'kvm' | 'tcg'
  /** Why: "guest code ran in 140 ms", "kvm: no answer in 2 s; using tcg". */
  readonly reason: string
}

/** A kernel's complaint found in the console. */
export interface Splat {
  readonly kind:
    | 'panic'
    | 'oops'
    | 'bug'
    | 'warning'
    | 'lockdep'
    | 'kasan'
    | 'hung-task'
    | 'rcu-stall'
    | 'soft-lockup'
    | 'kmemleak'
    | 'dma-api'
  /** The headline, for example "WARNING: CPU: 0 PID: 1 at block/bio.c:1234". */
  readonly title: string
  /** The lines of the report, at most 80. */
  readonly lines: readonly string[]
}

/**
 * How a boot ended.
 * - `done`: the guest's own end printed its token and left with `status`.
 * - `panic`, `hang` (a deadline passed; see `deadline`), `reset` (the guest rebooted or powered off without its
 *   token), `qemu` (QEMU died or refused its arguments: the lab's fault, boot() throws LabError for that).
 */
export interface BootOutcome {
  readonly end: 'done' | 'panic' | 'hang' | 'reset'
  /** Exit status of the guest's script, 0 to 100; only for `done`. */
  readonly status: number | undefined
  readonly deadline: 'first-byte' | 'banner' | 'init' | 'total' | undefined
  readonly splats: readonly Splat[]
  /** Last 30 lines of the console. */
  readonly tail: readonly string[]
  readonly consoleFile: string
  /** What the suite wrote to its own port: KTAP or fio's JSON, without the kernel's messages in between. */
  readonly resultsFile: string
  readonly qemuExit: number
  /** What QEMU itself said on stderr (a device that the guest used wrongly, say); usually empty. */
  readonly qemuMessages: readonly string[]
  /** Milliseconds from starting QEMU; undefined when not reached. */
  readonly ms: {
    readonly firstByte: number | undefined
    readonly banner: number | undefined
    readonly init: number | undefined
    readonly total: number
  }
  /** QEMU's command line, as it was run. */
  readonly command: readonly string[]
}

export interface BootRequest {
  readonly arch: 'x86_64' | 'i386'
  /** Kernel image, see Kernel.image. */
  readonly image: string
  /** One uncompressed cpio file; the guest stage makes it. */
  readonly initramfs: string
  /** Added to the command line that boot() needs itself (console=, panic=...). */
  readonly cmdline: readonly string[]
  /** The secret that only the guest's init knows; see tools/guest/initramfs.ts. */
  readonly token: string
  readonly machine: Machine
  readonly accel: Accelerator
  /** QEMU's program; `qemu-system-x86_64` from PATH by default. */
  readonly qemu?: string
  /** Directory for console, results and disk images; the disk images are removed at the end. */
  readonly workDir: string
  /** Seconds; multiplied by the machine's and the config's slowness by the caller. */
  readonly deadlines: {
    readonly firstByte: number
    readonly banner: number
    readonly init: number
    readonly total: number
  }
  /** A TCG plugin that watches the guest, as QEMU's -plugin takes it; see tools/bench/plugin.ts. */
  readonly plugin?: { readonly library: string; readonly arguments: readonly string[] }
  /** Interactive: console on the terminal, no deadlines. Leaving the shell powers off: the end is then `reset`. */
  readonly shell?: boolean
  /** Unix socket or TCP port (on the loopback) for gdb; the guest waits for it to continue. No deadlines either. */
  readonly gdb?: string
  readonly signal?: AbortSignal
}
