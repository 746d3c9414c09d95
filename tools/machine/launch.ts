// SPDX-License-Identifier: GPL-2.0-only
import { beforeWork } from '../lib/dry-run.ts'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { LabError } from '../lib/errors.ts'
import { shellLine } from '../lib/exec.ts'
import { log } from '../lib/log.ts'
import { attend, type Attended } from './attend.ts'
import type { BootOutcome, BootRequest } from './boot.ts'
import { ConsoleReader } from './console.ts'
import { makeDiskImages } from './disks.ts'
import { bootMethod } from './image.ts'
import { kernelCommandLine, qemuArguments } from './qemu-args.ts'
import { probeQemu, requireDevices } from './qemu-probe.ts'
import { SplatFinder } from './splat.ts'
import { runOnTerminal } from './terminal.ts'

/**
 * Boots a kernel on a machine and waits for its end, whichever that is: see BootOutcome. The console and the suite's
 * results stay in `workDir`; the disks' images do not.
 *
 * @throws LabError when QEMU cannot start, lacks a device, or dies by itself, and when `signal` is aborted.
 */
export async function boot(request: BootRequest): Promise<BootOutcome> {
  const { machine } = request
  const probe = await probeQemu({
    ...(request.qemu === undefined ? {} : { qemu: request.qemu }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  mkdirSync(request.workDir, { recursive: true })
  const method = bootMethod(request.image)
  const disks = makeDiskImages(machine, request.workDir)
  try {
    const consoleFile = join(request.workDir, 'console.log')
    const resultsFile = join(request.workDir, 'results.txt')
    const args = qemuArguments({
      machine,
      accel: request.accel.used,
      image: request.image,
      boot: method,
      initramfs: request.initramfs,
      cmdline: kernelCommandLine(machine, request.accel.used, [
        ...request.cmdline,
        // What runs by itself must not chatter between the user's lines; its warnings may.
        ...(request.shell ? ['phyr.shell', 'loglevel=5'] : []),
      ]),
      consoleFile,
      resultsFile,
      diskFiles: disks.files,
      shell: request.shell,
      gdb: request.gdb,
      qboot: probe.qboot,
      plugin: request.plugin,
    })
    requireDevices(probe, args)
    if (request.gdb !== undefined) sayGdb(request.gdb)

    beforeWork(probe.binary.path, args)
    const splats = new SplatFinder()
    const reader = new ConsoleReader({ token: request.token, onLine: (line) => splats.line(line) })
    const files = { consoleFile, resultsFile }
    const attended = request.shell
      ? await runOnTerminal(probe.binary.path, args, { ...files, reader, signal: request.signal })
      : await attend(probe.binary.path, args, {
          ...files,
          reader,
          // Whoever steps through a boot with gdb sets the pace.
          deadlines: request.gdb === undefined ? request.deadlines : undefined,
          signal: request.signal,
        })
    return judge({ attended, reader, splats, files, command: [probe.binary.path, ...args] })
  } finally {
    disks.remove()
  }
}

/** The guest's exit status n leaves QEMU as ((16 + n) << 1) | 1: isa-debug-exit, and 1 stays free for panics. */
function exitCodeFor(status: number): number {
  return ((16 + status) << 1) | 1
}

function judge(seen: {
  attended: Attended
  reader: ConsoleReader
  splats: SplatFinder
  files: { consoleFile: string; resultsFile: string }
  command: readonly string[]
}): BootOutcome {
  const { attended, reader, command } = seen
  const splats = seen.splats.finish()
  const tail = reader.tail()
  const qemuMessages = attended.stderr.split('\n').filter((line) => line.trim() !== '')
  const end = endOf(
    attended,
    reader,
    splats.some((splat) => splat.kind === 'panic'),
  )
  if (end === 'qemu') throw qemuDied(attended, qemuMessages, tail, command)
  const { firstByte, banner, init } = reader.marks
  return {
    end,
    status: end === 'done' ? reader.status : undefined,
    deadline: end === 'hang' ? attended.deadline : undefined,
    splats,
    tail,
    ...seen.files,
    qemuExit: attended.code,
    qemuMessages,
    ms: { firstByte, banner, init, total: Math.round(attended.ms) },
    command,
  }
}

/**
 * What the end was. Success needs two witnesses that agree: the token, which only the guest's init knows, with a status
 * beside it, and that status as QEMU's exit code. Everything else that looks like an end of the guest is none.
 */
function endOf(attended: Attended, reader: ConsoleReader, panicked: boolean): BootOutcome['end'] | 'qemu' {
  const { code, deadline, killedBy } = attended
  if (deadline !== undefined) return panicked ? 'panic' : 'hang'
  if (killedBy !== undefined) return 'qemu'
  if (reader.status !== undefined && code === exitCodeFor(reader.status)) return 'done'
  if (panicked) return 'panic'
  // QEMU was not even started: out of processes or memory.
  if (code === 127 && reader.marks.firstByte === undefined) return 'qemu'
  // 0: the guest powered off or reset. Odd codes: it wrote to the exit port without its token. QEMU's own errors are 1
  // with a message (a warning is none), or even.
  const complained = attended.stderr
    .split('\n')
    .some((line) => line.trim() !== '' && !/\bwarning: /.test(line))
  if (code === 0 || (code % 2 === 1 && !(code === 1 && complained))) return 'reset'
  return 'qemu'
}

function qemuDied(
  attended: Attended,
  messages: readonly string[],
  tail: readonly string[],
  command: readonly string[],
): LabError {
  const how =
    attended.killedBy === undefined ? `exit code ${attended.code}` : `killed by ${attended.killedBy}`
  const [file = '', ...args] = command
  return new LabError({
    what: 'QEMU died',
    why: messages.at(-1) === undefined ? how : `${messages.at(-1)} (${how})`,
    fix: 'check memory and disk space of this machine; ./phyr doctor checks QEMU',
    detail: [
      ...messages,
      ...(tail.length > 0 ? ['the console ended with:', ...tail] : []),
      shellLine(file, args),
    ],
  })
}

function sayGdb(gdb: string): void {
  const target = /^\d+$/.test(gdb) ? `localhost:${gdb}` : gdb
  log.info(
    `the guest waits for gdb: gdb VMLINUX -ex 'target remote ${target}' -ex 'hbreak start_kernel' -ex c`,
  )
}
