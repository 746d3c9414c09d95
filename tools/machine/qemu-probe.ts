// SPDX-License-Identifier: GPL-2.0-only
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { artefact } from '../lib/cache.ts'
import { LabError } from '../lib/errors.ts'
import { run, runOk } from '../lib/exec.ts'

/** The QEMU that runs the guests; from PATH unless a caller names another. */
const defaultQemu = 'qemu-system-x86_64'

/** One QEMU binary: what a cached answer about it depends on. */
export interface QemuBinary {
  readonly path: string
  readonly bytes: number
  readonly mtimeMs: number
}

/** What one QEMU binary can do. */
export interface QemuProbe {
  readonly binary: QemuBinary
  /** For example "7.2.22". */
  readonly version: string
  /** True when qboot.rom is in QEMU's data directory: the firmware that starts a PVH kernel soonest. */
  readonly qboot: boolean
  /** Properties of the devices that phyr uses, by device; undefined for a device that this QEMU lacks. */
  readonly devices: Readonly<Record<string, readonly string[] | undefined>>
}

/** Every device that a machine file or the launcher can ask for. */
const devicesUsed = [
  'edu',
  'intel-iommu',
  'isa-debug-exit',
  'ivshmem-plain',
  'nvme',
  'pcie-root-port',
  'pvpanic',
  'virtio-blk-pci',
  'x3130-upstream',
  'xio3130-downstream',
] as const

/** Raise it when what is asked of QEMU changes: older answers are then asked for again. */
const stageVersion = 2

interface ProbeManifest {
  readonly version: string
  readonly dataDirs: readonly string[]
  readonly devices: Readonly<Record<string, readonly string[]>>
}

/** The QEMU program as a file. @throws LabError when it is not there. */
export function findQemu(program: string = defaultQemu): QemuBinary {
  const candidates =
    isAbsolute(program) || program.includes('/')
      ? [resolve(program)]
      : (process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir || '.', program))
  for (const candidate of candidates) {
    try {
      accessSync(candidate, constants.X_OK)
      const path = realpathSync(candidate)
      const { size, mtimeMs } = statSync(path)
      return { path, bytes: size, mtimeMs }
    } catch {
      // Not here: the next directory of PATH.
    }
  }
  throw new LabError({
    what: `cannot run ${program}`,
    why: isAbsolute(program) ? 'there is no such program' : 'it is not in PATH',
    fix: 'run ./phyr doctor --install',
  })
}

/**
 * Asks QEMU for its version, its data directories and the properties of the devices that phyr uses. One answer per
 * binary is kept in the cache.
 *
 * @throws LabError when QEMU answers something that cannot be right: a guess here would turn up as a broken guest.
 */
export async function probeQemu(options: { qemu?: string; signal?: AbortSignal } = {}): Promise<QemuProbe> {
  const binary = findQemu(options.qemu)
  const { manifest } = await artefact<ProbeManifest>(
    'qemu-probe',
    { ...binary, devices: devicesUsed, stageVersion },
    () => ask(binary.path, options.signal),
  )
  return {
    binary,
    version: manifest.version,
    // Looked at every time: it is a package of its own in some distributions and may come later.
    qboot: manifest.dataDirs.some((dir) => existsSync(join(dir, 'qboot.rom'))),
    devices: manifest.devices,
  }
}

/**
 * Checks that this QEMU has every device, and every property of it, that an argument list uses.
 *
 * @throws LabError naming what is missing.
 */
export function requireDevices(probe: QemuProbe, args: readonly string[]): void {
  for (const [i, option] of args.entries()) {
    if (option !== '-device') continue
    const [name = '', ...settings] = splitOption(args[i + 1] ?? '')
    const known = probe.devices[name]
    if (known === undefined) throw lacking(probe, `the device ${name}`)
    for (const setting of settings) {
      const property = setting.split('=')[0]!
      // These two belong to every device and are not listed.
      if (property === 'id' || property === 'bus') continue
      if (!known.includes(property)) throw lacking(probe, `the property ${property} of the device ${name}`)
    }
  }
}

// --- internal ---

/** An option's comma-separated parts; a doubled comma is a comma of the value. */
function splitOption(value: string): string[] {
  return value
    .replaceAll(',,', '\0')
    .split(',')
    .map((part) => part.replaceAll('\0', ','))
}

function lacking(probe: QemuProbe, what: string): LabError {
  return new LabError({
    what: `this QEMU lacks ${what}`,
    why: `${probe.binary.path} is version ${probe.version}; phyr's machines need 7.2 or newer with its usual devices`,
    fix: 'install a newer qemu-system-x86, or leave out the machine that uses it',
  })
}

async function ask(qemu: string, signal: AbortSignal | undefined): Promise<ProbeManifest> {
  const limits = { timeoutMs: 10_000, ...(signal === undefined ? {} : { signal }) }
  const banner = await runOk(qemu, ['--version'], limits)
  const version = /^QEMU emulator version (\d+\.\d+(?:\.\d+)?)/.exec(banner)?.[1]
  if (version === undefined) throw implausible(qemu, '--version', banner)

  const dataDirs = (await runOk(qemu, ['-L', 'help'], limits)).split('\n').filter((dir) => isAbsolute(dir))
  if (dataDirs.length === 0) throw implausible(qemu, '-L help', 'no directory')

  const devices: Record<string, readonly string[]> = {}
  for (const name of devicesUsed) {
    const properties = await askDevice(qemu, name, limits)
    if (properties !== undefined) devices[name] = properties
  }
  return { version, dataDirs, devices }
}

/** The properties that `-device NAME,help` lists; undefined when QEMU says that it has no such device. */
async function askDevice(
  qemu: string,
  name: string,
  limits: { timeoutMs: number; signal?: AbortSignal },
): Promise<string[] | undefined> {
  const answer = await run(qemu, ['-machine', 'q35', '-device', `${name},help`], limits)
  const [head, ...rows] = answer.stdout.split('\n')
  if (head === `${name} options:`) {
    const properties = rows.flatMap((row) => /^ {2}([^\s=]+)=</.exec(row)?.[1] ?? [])
    if (properties.length > 0) return properties
  } else if (/not found|not a valid device model name/.test(answer.stderr)) {
    return undefined
  }
  throw implausible(qemu, `-device ${name},help`, `${answer.stderr}${answer.stdout}`)
}

function implausible(qemu: string, question: string, answer: string): LabError {
  return new LabError({
    what: `cannot make sense of ${qemu} ${question}`,
    why: 'the answer is not what QEMU prints',
    fix: 'check that this program is QEMU and that it starts',
    detail: answer.trim().split('\n').slice(0, 10),
  })
}
