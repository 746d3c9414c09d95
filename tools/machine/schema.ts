// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'

const GiB = 1 << 30
const MiB = 1 << 20
const unit: Readonly<Record<string, number>> = { K: 1024, M: MiB, G: GiB, T: 1024 * GiB }

/** "64M" as bytes; powers of two only, as QEMU reads them. */
const size = z
  .string('a size such as 64M or 4G')
  .regex(/^[1-9]\d{0,5}[KMGT]$/, 'a size such as 64M or 4G')
  .transform((text) => Number(text.slice(0, -1)) * unit[text.slice(-1)]!)

/** A name that becomes an id on QEMU's command line. */
const id = z.string().regex(/^[a-z][a-z0-9]{0,15}$/, 'a short name of lower-case letters and digits')

/** Slot on the root complex: q35 itself has 0 (host bridge) and 31 (ICH9). */
const slot = z.int().min(1).max(30)

/** NVMe and virtio-blk both cut a serial at 20 bytes. */
const serial = z.string().regex(/^[a-z][a-z0-9-]{0,19}$/, 'at most 20 lower-case letters, digits and dashes')

const disk = z.strictObject({
  serial,
  model: z.enum(['nvme', 'virtio-blk']),
  /** `file` keeps what is written, for verifying; `null-co` answers at once, for measuring. */
  backend: z.enum(['file', 'null-co']),
  size,
  /** Microseconds of the host's time that a request takes; null-co only, and 0 is at once. */
  latency: z.int().min(0).max(1_000_000).default(0),
  /** Controller memory buffer, whole MiB. */
  cmb: size.optional(),
  /** NVMe's largest transfer as a power of two of 4 KiB pages; QEMU's default is 7, 512 KiB. */
  mdts: z.int().min(1).max(16).optional(),
  /** The port it sits under; without it the disk is on the root complex, in `slot`. */
  bus: id.optional(),
  slot: slot.optional(),
})

const device = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ivshmem'), size, bus: id.optional(), slot: slot.optional() }),
  /** QEMU's teaching device: it copies between DMA addresses, for suites that want to see each byte arrive. */
  z.strictObject({
    type: z.literal('edu'),
    /** So many of it in one place: each works at its own pace, which is ten transfers a second. */
    functions: z.int().min(1).max(8).default(1),
    bus: id.optional(),
    slot: slot.optional(),
  }),
  z.strictObject({
    type: z.literal('intel-iommu'),
    /** False: as real ones are, which the kernel may leave behind in what it unmaps (lazy); VFIO in QEMU needs true. */
    cachingMode: z.boolean().default(true),
  }),
])

const topology = z.strictObject({
  rootPorts: z.array(z.strictObject({ id, slot })).default([]),
  switches: z.array(z.strictObject({ id, rootPort: id, ports: z.array(id).min(1).max(32) })).default([]),
})

const shape = z.strictObject({
  description: z.string().min(1),
  cpu: z
    .string()
    .regex(/^[\w.-]+(,[+-]?[\w.-]+(=[\w.-]+)?)*$/, "a value of QEMU's -cpu")
    .default('max'),
  memory: size,
  cpus: z.int().min(1).max(64),
  topology: topology.prefault({}),
  disks: z.array(disk),
  devices: z.array(device).default([]),
  /** Pages set aside at boot. */
  hugePages: z
    .strictObject({ '1G': z.int().min(1).max(64).optional(), '2M': z.int().min(1).max(65536).optional() })
    .default({}),
  /** Added to the kernel's command line. */
  cmdline: z.array(z.string().regex(/^[\x21-\x7e]+$/, 'one word, no blanks')).default([]),
  /** Only benchmarks run here: it needs none of the disks that the suites count on. */
  bench: z.boolean().default(false),
  /** The guest's clock counts instructions: one of them is a nanosecond. One processor, TCG only. */
  icount: z.boolean().default(false),
  /** How much longer than the plainest machine it takes: the deadlines' factor. */
  slow: z.number().min(1).max(100).default(1),
})

export type MachineData = z.output<typeof shape>
export type Disk = MachineData['disks'][number]

/** A machine file: what one entry may say, and what has to fit together. */
export const machineSchema = shape.superRefine((machine, context) => {
  for (const { path, message } of [...placing(machine), ...diskRules(machine), ...traps(machine)])
    context.addIssue({ code: 'custom', path: [...path], message })
})

interface Problem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Every device has one place, every place at most one device, and every id names one thing. */
function placing(machine: MachineData): Problem[] {
  const problems: Problem[] = []
  const ids = new Set<string>()
  const slots = new Map<number, string>()
  const ports = new Map<string, string | undefined>() // id of a port, and who sits there
  const newId = (name: string, path: Problem['path']): void => {
    if (ids.has(name)) problems.push({ path, message: `there is another ${name}` })
    ids.add(name)
  }
  const takeSlot = (number: number, who: string, path: Problem['path']): void => {
    const other = slots.get(number)
    if (other !== undefined) problems.push({ path, message: `slot ${number} is taken by ${other}` })
    else slots.set(number, who)
  }
  const takePort = (name: string, who: string, path: Problem['path']): void => {
    if (!ports.has(name)) {
      const known = [...ports.keys()].join(', ') || 'none'
      problems.push({ path, message: `no port ${name}; ports here: ${known}` })
      return
    }
    const other = ports.get(name)
    if (other !== undefined) problems.push({ path, message: `port ${name} is taken by ${other}` })
    else ports.set(name, who)
  }

  for (const [i, port] of machine.topology.rootPorts.entries()) {
    newId(port.id, ['topology', 'rootPorts', i, 'id'])
    takeSlot(port.slot, port.id, ['topology', 'rootPorts', i, 'slot'])
    ports.set(port.id, undefined)
  }
  for (const [i, sw] of machine.topology.switches.entries()) {
    newId(sw.id, ['topology', 'switches', i, 'id'])
    takePort(sw.rootPort, sw.id, ['topology', 'switches', i, 'rootPort'])
    for (const [j, port] of sw.ports.entries()) {
      newId(port, ['topology', 'switches', i, 'ports', j])
      ports.set(port, undefined)
    }
  }
  const place = (
    who: string,
    at: { bus?: string | undefined; slot?: number | undefined },
    path: Problem['path'],
  ): void => {
    if ((at.bus === undefined) === (at.slot === undefined))
      problems.push({ path, message: 'give either slot (on the root complex) or bus (under a port)' })
    else if (at.bus !== undefined) takePort(at.bus, who, [...path, 'bus'])
    else if (at.slot !== undefined) takeSlot(at.slot, who, [...path, 'slot'])
  }
  for (const [i, entry] of machine.disks.entries()) place(entry.serial, entry, ['disks', i])
  for (const [i, entry] of machine.devices.entries())
    if (entry.type !== 'intel-iommu') place(entry.type, entry, ['devices', i])
  return problems
}

/** What the suites rely on: they find disks by serial, phyr-data and phyr-null on every machine. */
function diskRules(machine: MachineData): Problem[] {
  const problems: Problem[] = []
  const seen = new Set<string>()
  for (const [i, entry] of machine.disks.entries()) {
    if (seen.has(entry.serial))
      problems.push({ path: ['disks', i, 'serial'], message: `there is another ${entry.serial}` })
    seen.add(entry.serial)
    if (entry.latency > 0 && entry.backend !== 'null-co')
      problems.push({ path: ['disks', i, 'latency'], message: 'only null-co has a latency' })
    if (entry.mdts !== undefined && entry.model !== 'nvme')
      problems.push({ path: ['disks', i, 'mdts'], message: 'only nvme has one' })
    if (entry.cmb === undefined) continue
    if (entry.model !== 'nvme') problems.push({ path: ['disks', i, 'cmb'], message: 'only nvme has a CMB' })
    if (entry.cmb % MiB !== 0) problems.push({ path: ['disks', i, 'cmb'], message: 'whole MiB only' })
  }
  if (machine.bench) return problems
  for (const [wanted, backend] of [
    ['phyr-data', 'file'],
    ['phyr-null', 'null-co'],
  ] as const) {
    if (!machine.disks.some((entry) => entry.serial === wanted && entry.backend === backend))
      problems.push({
        path: ['disks'],
        message: `every machine needs a disk ${wanted} with backend ${backend}`,
      })
  }
  return problems
}

/** Combinations that are known to hang or, worse, to give wrong data (measured with QEMU 7.2). */
function traps(machine: MachineData): Problem[] {
  const problems: Problem[] = []
  const iommu = machine.devices.findIndex((entry) => entry.type === 'intel-iommu')
  if (iommu >= 0 && machine.topology.switches.length > 0 && !machine.cmdline.includes('iommu=pt')) {
    problems.push({
      path: ['devices', iommu],
      message:
        'a translating IOMMU above a switch: peer-to-peer transfers return full length with wrong data in QEMU; add iommu=pt to cmdline or drop one of the two',
    })
  }
  for (const [i, entry] of machine.disks.entries()) {
    if (machine.cpus === 1 && entry.model === 'nvme' && (entry.cmb ?? 0) < 16 * MiB) {
      problems.push({
        path: ['disks', i],
        message: "QEMU 7.2's NVMe hangs with one processor at queue depth above 1: use cpus: 2 or cmb: 16M",
      })
    }
  }
  if (machine.icount && machine.cpus !== 1)
    problems.push({ path: ['icount'], message: 'a clock that counts instructions needs cpus: 1' })
  if (machine.hugePages['1G'] !== undefined && machine.memory < 3584 * MiB)
    problems.push({ path: ['memory'], message: 'q35 gives no 1G page with less than 3584M' })
  return problems
}
