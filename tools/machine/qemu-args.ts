// SPDX-License-Identifier: GPL-2.0-only
import type { Accelerator, BootRequest } from './boot.ts'
import type { Machine } from './machine.ts'
import type { Disk } from './schema.ts'

const MiB = 1 << 20

export interface QemuArgumentsInput {
  readonly machine: Machine
  readonly accel: Accelerator['used']
  readonly image: string
  /** How the image starts, see image.ts. */
  readonly boot: 'pvh' | 'bzimage'
  readonly initramfs: string
  /** The kernel's whole command line, see kernelCommandLine(). */
  readonly cmdline: readonly string[]
  readonly consoleFile: string
  readonly resultsFile: string
  /** Image files of the disks with backend `file`, by serial. */
  readonly diskFiles: Readonly<Record<string, string>>
  /** Console on the terminal instead of only in the file. */
  readonly shell?: boolean | undefined
  /** Unix socket's path or TCP port (on the loopback only) for gdb; the guest waits for it. */
  readonly gdb?: string | undefined
  /** Whether QEMU has qboot.rom. */
  readonly qboot: boolean
  readonly plugin?: BootRequest['plugin'] | undefined
}

/**
 * QEMU's arguments for a machine: a pure function, so that a machine's command line can be kept as a golden file.
 *
 * Every device has its PCI slot fixed: the guest sees the same addresses whatever else is on the machine.
 */
export function qemuArguments(input: QemuArgumentsInput): string[] {
  const { machine } = input
  return [
    // No devices, no user's configuration, no display, no network, no monitor: only what is named below.
    ['-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none', '-monitor', 'none'],
    ['-machine', machineOption(input)],
    machine.icount ? INSTRUCTION_CLOCK : [],
    input.plugin === undefined ? [] : ['-plugin', pluginOption(input.plugin)],
    ['-cpu', machine.cpu, '-smp', String(machine.cpus), '-m', `${machine.memory / MiB}M`],
    // A panic ends QEMU with exit code 1 (a reset would end it with 0, as success does elsewhere).
    ['-no-reboot', '-action', 'panic=exit-failure', '-device', 'pvpanic'],
    ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4'],
    consoles(input),
    input.boot === 'pvh' && input.qboot ? ['-bios', 'qboot.rom'] : [],
    ['-kernel', input.image, '-initrd', input.initramfs, '-append', input.cmdline.join(' ')],
    iommu(machine),
    bridges(machine),
    machine.disks.flatMap((disk, i) => diskArguments(disk, i, input.diskFiles)),
    deviceMemory(machine),
    dmaEngines(machine),
    input.gdb === undefined ? [] : ['-S', '-gdb', gdbAddress(input.gdb)],
  ].flat()
}

/**
 * The kernel's command line: what the launcher needs, what the machine says, what the caller adds.
 *
 * earlyprintk shows a kernel that dies before its console is up. Under TCG the timer check of the IO-APIC can fail on
 * a loaded host ("IO-APIC + timer doesn't work", a panic); KVM guests skip it by themselves.
 */
export function kernelCommandLine(
  machine: Machine,
  accel: Accelerator['used'],
  added: readonly string[],
): string[] {
  return [
    'console=ttyS0,115200',
    'earlyprintk=serial,ttyS0,115200',
    'panic=-1',
    // Timestamps tell the kernel's messages from what init writes between them, see console.ts.
    'printk.time=1',
    // ttyS0 and ttyS1, and no 16 loop devices nobody uses (losetup makes more): 40 ms of boot.
    '8250.nr_uarts=2',
    'max_loop=0',
    ...(accel === 'tcg' ? ['no_timer_check'] : []),
    ...(machine.hugePages['1G'] === undefined
      ? []
      : ['hugepagesz=1G', `hugepages=${machine.hugePages['1G']}`]),
    ...(machine.hugePages['2M'] === undefined
      ? []
      : ['hugepagesz=2M', `hugepages=${machine.hugePages['2M']}`]),
    ...machine.cmdline,
    ...added,
  ]
}

// --- internal ---

/**
 * Everything that the guest can ask for and that would differ from boot to boot: the time is one nanosecond an
 * instruction from a fixed date on, waiting is skipped, random numbers of QEMU are from a fixed seed.
 */
const INSTRUCTION_CLOCK = [
  ['-icount', 'shift=0,sleep=off'],
  ['-rtc', 'base=2020-01-01,clock=vm'],
  ['-seed', '1'],
].flat()

function pluginOption(plugin: NonNullable<QemuArgumentsInput['plugin']>): string {
  return [plugin.library, ...plugin.arguments].map(quoted).join(',')
}

/** A value inside one of QEMU's comma-separated options: commas are doubled. */
function quoted(value: string): string {
  return value.replaceAll(',', ',,')
}

function machineOption({ machine, accel }: QemuArgumentsInput): string {
  // AHCI and SMBus of the chipset have no user here and cost boot time. Interrupt remapping under KVM needs the
  // IO-APIC in QEMU; TCG ignores the setting.
  const irqchip = machine.devices.some((device) => device.type === 'intel-iommu')
    ? ',kernel-irqchip=split'
    : ''
  return `q35,accel=${accel},sata=off,smbus=off${irqchip}`
}

/** ttyS0 is the console; ttyS1 takes the suite's results, so that no kernel message gets between them. */
function consoles({ shell, consoleFile, resultsFile }: QemuArgumentsInput): string[] {
  const console = shell
    ? // mux gives the terminal Ctrl-A X; signal=off hands Ctrl-C to the guest.
      `stdio,id=console,mux=on,signal=off,logfile=${quoted(consoleFile)}`
    : `file,id=console,path=${quoted(consoleFile)}`
  return [
    ['-chardev', console, '-serial', 'chardev:console'],
    ['-chardev', `file,id=results,path=${quoted(resultsFile)}`, '-serial', 'chardev:results'],
  ].flat()
}

/** Has to come before the devices whose DMA it translates. */
function iommu(machine: Machine): string[] {
  const device = machine.devices.find((one) => one.type === 'intel-iommu')
  return device
    ? ['-device', `intel-iommu,intremap=on,caching-mode=${device.cachingMode ? 'on' : 'off'}`]
    : []
}

function bridges({ topology }: Machine): string[] {
  const rootPorts = topology.rootPorts.map(
    (port, i) => `pcie-root-port,id=${port.id},bus=pcie.0,addr=${hex(port.slot)},chassis=1,slot=${i + 1}`,
  )
  const switches = topology.switches.flatMap((sw, i) => [
    `x3130-upstream,id=${sw.id},bus=${sw.rootPort},addr=0x0`,
    ...sw.ports.map(
      (port, j) => `xio3130-downstream,id=${port},bus=${sw.id},addr=${hex(j)},chassis=${i + 2},slot=${j + 1}`,
    ),
  ])
  return [...rootPorts, ...switches].flatMap((device) => ['-device', device])
}

function diskArguments(disk: Disk, index: number, files: Readonly<Record<string, string>>): string[] {
  const node = `disk${index}`
  const file = files[disk.serial]
  if (disk.backend === 'file' && file === undefined) throw new Error(`no image file for disk ${disk.serial}`)
  const backend =
    disk.backend === 'file'
      ? // The image lives as long as the guest: nothing is lost by not flushing.
        `driver=raw,node-name=${node},cache.no-flush=on,file.driver=file,file.filename=${quoted(file!)}`
      : // Zeroes and not whatever was in the buffer: the guest looks for a partition table in it.
        `driver=null-co,node-name=${node},size=${disk.size},read-zeroes=on${disk.latency > 0 ? `,latency-ns=${disk.latency * 1000}` : ''}`
  const place = placeOf(disk)
  const front =
    disk.model === 'nvme'
      ? `nvme,serial=${disk.serial},drive=${node},${place}${disk.cmb === undefined ? '' : `,cmb_size_mb=${disk.cmb / MiB}`}${disk.mdts === undefined ? '' : `,mdts=${disk.mdts}`}`
      : // Errors go to the guest: QEMU's default stops the machine when the host's disk is full.
        `virtio-blk-pci,serial=${disk.serial},drive=${node},${place},werror=report,rerror=report`
  return ['-blockdev', backend, '-device', front]
}

function deviceMemory(machine: Machine): string[] {
  return machine.devices.flatMap((device, i) =>
    device.type === 'ivshmem'
      ? [
          ['-object', `memory-backend-ram,id=shared${i},size=${device.size},share=on`],
          ['-device', `ivshmem-plain,memdev=shared${i},${placeOf(device)}`],
        ].flat()
      : [],
  )
}

/** By default it drops all bits of a DMA address above the 28th; the kernel's test can do without them, too. */
function dmaEngines(machine: Machine): string[] {
  return machine.devices.flatMap((device) =>
    device.type === 'edu'
      ? Array.from({ length: device.functions }, (_, i) => [
          '-device',
          `edu,${placeOf(device)}.${hex(i)},multifunction=on,dma_mask=0xffffffffffffffff`,
        ]).flat()
      : [],
  )
}

/** A port has one slot, number 0; on the root complex the machine file says which. */
function placeOf(at: { readonly bus?: string | undefined; readonly slot?: number | undefined }): string {
  return at.bus === undefined ? `bus=pcie.0,addr=${hex(at.slot ?? 0)}` : `bus=${at.bus},addr=0x0`
}

function gdbAddress(gdb: string): string {
  return /^\d+$/.test(gdb) ? `tcp:127.0.0.1:${gdb}` : `unix:${quoted(gdb)},server=on,wait=off`
}

function hex(number: number): string {
  return `0x${number.toString(16)}`
}
