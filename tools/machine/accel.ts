// SPDX-License-Identifier: GPL-2.0-only
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { artefact } from '../lib/cache.ts'
import { LabError } from '../lib/errors.ts'
import { run, runOk } from '../lib/exec.ts'
import { sha256 } from '../lib/hash.ts'
import { bootId } from '../lib/lock.ts'
import { toolRoot } from '../lib/paths.ts'
import type { Accelerator } from './boot.ts'
import { findQemu, type QemuBinary } from './qemu-probe.ts'

type Name = Accelerator['used']

/** What a guest did under one accelerator. */
export interface Verdict {
  readonly usable: boolean
  /** "guest code ran in 140 ms", "stopped in real mode, no answer in 2 s". */
  readonly reason: string
}

export interface AcceleratorOptions {
  readonly force?: Name
  readonly signal?: AbortSignal
  /** QEMU's program; from PATH by default. */
  readonly qemu?: string
}

/**
 * The time a guest has, milliseconds. KVM needs a tenth of its own; on machines where /dev/kvm opens and guests then
 * hang, these two seconds are the price. TCG has no fall-back, so a busy host gets all the time it may need.
 */
const deadlineMs: Readonly<Record<Name, number>> = { kvm: 2_000, tcg: 30_000 }

/**
 * Chooses the accelerator by making a guest run code under it: opening /dev/kvm, and even creating a virtual machine,
 * succeed on machines where no guest ever gets anywhere. KVM first, then TCG; the verdict is kept for this boot of the
 * host and this QEMU binary.
 *
 * @param options.force only this one; it is tried anew, whatever an earlier verdict said.
 * @throws LabError when the forced one, or in the end TCG, does not run a guest; the reason says how far it came.
 */
export async function probeAccelerator(options: AcceleratorOptions = {}): Promise<Accelerator> {
  const qemu = findQemu(options.qemu)
  const signal = options.signal
  if (options.force !== undefined) {
    const verdict = await tryOne(options.force, qemu, signal)
    if (!verdict.usable) throw unusable(options.force, verdict)
    return { used: options.force, reason: `asked for; ${verdict.reason}` }
  }
  const kvm = await remembered('kvm', qemu, signal)
  if (kvm.usable) return { used: 'kvm', reason: kvm.reason }
  const tcg = await remembered('tcg', qemu, signal)
  return { used: 'tcg', reason: `kvm: ${kvm.reason}; using tcg (${tcg.reason})` }
}

// --- internal ---

/** A verdict of this boot of the host. A TCG that fails is no verdict but a broken lab, and is not kept. */
async function remembered(name: Name, qemu: QemuBinary, signal: AbortSignal | undefined): Promise<Verdict> {
  const obstacle = name === 'kvm' ? kvmObstacle() : undefined
  if (obstacle !== undefined) return { usable: false, reason: obstacle }
  const inputs = { name, boot: bootId(), ...qemu, rom: sha256(readFileSync(romSource)), deadlineMs }
  const { manifest } = await artefact<Verdict>('accelerator', inputs, async () => {
    const verdict = await tryOne(name, qemu, signal)
    if (name === 'tcg' && !verdict.usable) throw unusable(name, verdict)
    return verdict
  })
  return manifest
}

async function tryOne(name: Name, qemu: QemuBinary, signal: AbortSignal | undefined): Promise<Verdict> {
  const obstacle = name === 'kvm' ? kvmObstacle() : undefined
  if (obstacle !== undefined) return { usable: false, reason: obstacle }
  const rom = await probeRom(signal)
  const first = await runGuest(name, qemu, rom, deadlineMs[name], signal)
  // Two seconds are plenty unless others want the processors: then once more, with patience. An accelerator that
  // emulates (about 3 million instructions a second) needs more than half a minute and is still told apart; one that
  // stops on the way to long mode does not get further by waiting.
  if (!first.slow || loadavg()[0]! < cpus().length) return first.verdict
  return (await runGuest(name, qemu, rom, 4 * deadlineMs[name], signal)).verdict
}

/** Why KVM cannot even be tried, or undefined. */
function kvmObstacle(): string | undefined {
  if (!existsSync('/dev/kvm')) return 'there is no /dev/kvm'
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
    return undefined
  } catch {
    return 'no right to open /dev/kvm'
  }
}

const romSource = join(toolRoot, 'tools/machine/probe/probe64.S')

/** The firmware, assembled once. */
async function probeRom(signal: AbortSignal | undefined): Promise<string> {
  const file = 'probe64.rom'
  const limits = { timeoutMs: 60_000, ...(signal === undefined ? {} : { signal }) }
  const made = await artefact('probe-rom', { source: sha256(readFileSync(romSource)) }, async (dir) => {
    const object = join(dir, 'probe64.o')
    const rom = join(dir, file)
    await runOk('gcc', ['-c', '-m32', '-x', 'assembler-with-cpp', romSource, '-o', object], limits)
    await runOk('ld', ['-m', 'elf_i386', '-Ttext=0', '--oformat', 'binary', '-o', rom, object], limits)
    const bytes = statSync(rom).size
    // The reset vector is at its end: a firmware of another size would start somewhere else.
    if (bytes !== 65_536) {
      throw new LabError({
        what: 'the accelerator probe was assembled wrongly',
        why: `the firmware has ${bytes} bytes and not 65536`,
        fix: 'check gcc and ld (binutils) on this machine',
      })
    }
    return { bytes }
  })
  return join(made.dir, file)
}

/** What the letters that the firmware writes on its way stand for. */
const stages: Readonly<Record<string, string>> = {
  '': 'before its first instruction',
  R: 'in real mode',
  RP: 'in protected mode',
  RPL: 'in long mode',
  RPL6: 'at its end',
}

/** The firmware's exit statuses, see probe64.S; QEMU's exit code is twice as much and one. */
const outcomes: Readonly<Record<number, string>> = {
  0x11: 'guest memory holds wrong data',
  0x12: 'cmpxchg16b does not work in the guest',
  0x13: 'fxsave and fxrstor do not work in the guest',
}
const success = (0x10 << 1) | 1

async function runGuest(
  name: Name,
  qemu: QemuBinary,
  rom: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<{ verdict: Verdict; slow: boolean }> {
  const started = performance.now()
  // The machine type of the tests: on others a half-working KVM comes further.
  const args = [
    ['-machine', `q35,accel=${name}`, '-cpu', 'max', '-m', '64M', '-smp', '1'],
    ['-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none', '-monitor', 'none'],
    ['-serial', 'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-bios', rom],
  ].flat()
  const result = await run(qemu.path, args, { timeoutMs, ...(signal === undefined ? {} : { signal }) })
  const ms = Math.round(performance.now() - started)
  if (result.code === success && result.stdout === 'RPL6' && !result.timedOut)
    return { verdict: { usable: true, reason: `guest code ran in ${ms} ms` }, slow: false }
  const slow = result.timedOut && (result.stdout === '' || result.stdout === 'RPL')
  return { verdict: { usable: false, reason: whyNot(result, timeoutMs) }, slow }
}

function whyNot(
  result: { code: number; timedOut: boolean; stdout: string; stderr: string },
  timeoutMs: number,
): string {
  const place = stages[result.stdout] ?? 'with noise on its serial port'
  if (result.timedOut) return `the guest stopped ${place}, no answer in ${timeoutMs / 1000} s`
  const message = result.stderr.trim().split('\n').at(-1)
  return (
    outcomes[result.code >> 1] ??
    `the guest ended ${place} (exit code ${result.code}${message ? `: ${message}` : ''})`
  )
}

function unusable(name: Name, verdict: Verdict): LabError {
  return new LabError({
    what: `${name} does not run a guest on this machine`,
    why: verdict.reason,
    fix:
      name === 'kvm'
        ? 'leave out --accel, or use --accel tcg (slower, works everywhere)'
        : 'check the QEMU installation: qemu-system-x86_64 has to start and to bring TCG',
  })
}
