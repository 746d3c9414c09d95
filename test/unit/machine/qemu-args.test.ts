// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest'
import { listMachines, loadMachine } from '../../../tools/machine/machine.ts'
import {
  kernelCommandLine,
  qemuArguments,
  type QemuArgumentsInput,
} from '../../../tools/machine/qemu-args.ts'

function input(name: string, change: Partial<QemuArgumentsInput> = {}): QemuArgumentsInput {
  const machine = loadMachine(name)
  return {
    machine,
    accel: 'tcg',
    image: '/k/vmlinux',
    boot: 'pvh',
    initramfs: '/g/initramfs.cpio',
    cmdline: kernelCommandLine(machine, 'tcg', ['kunit.enable=0']),
    consoleFile: '/w/console.log',
    resultsFile: '/w/results.txt',
    diskFiles: Object.fromEntries(machine.disks.map((disk) => [disk.serial, `/w/${disk.serial}.img`])),
    qboot: true,
    ...change,
  }
}

/** One option with its value a line: what a golden file shows. */
function text(args: readonly string[]): string {
  const rows: string[] = []
  for (const arg of args) {
    if (arg.startsWith('-')) rows.push(arg)
    else rows.push(`${rows.pop()} ${arg}`)
  }
  return `${rows.join('\n')}\n`
}

describe("QEMU's arguments", () => {
  test.each(listMachines())('of %s are those of the golden file', async (name) => {
    await expect(text(qemuArguments(input(name)))).toMatchFileSnapshot(`golden/${name}.args`)
  })

  test.each(listMachines())(
    'of %s never have a network, a monitor, or a device without its place',
    (name) => {
      const args = qemuArguments(input(name))
      expect(args).toEqual(expect.arrayContaining(['-nodefaults', '-no-user-config', '-no-reboot']))
      expect(args[args.indexOf('-nic') + 1]).toBe('none')
      expect(args[args.indexOf('-monitor') + 1]).toBe('none')
      expect(args.join(' ')).not.toMatch(/netdev|virtio-net|e1000/)
      const pci = args.filter(
        (arg, i) => args[i - 1] === '-device' && /^(nvme|virtio|ivshmem|edu|pcie|x)/.test(arg),
      )
      for (const device of pci) expect(device).toMatch(/,addr=0x[0-9a-f]+/)
    },
  )

  test('put the IOMMU before the devices whose DMA it translates', () => {
    const args = qemuArguments(input('iommu'))
    const devices = args.filter((_, i) => args[i - 1] === '-device')
    const iommu = devices.findIndex((device) => device.startsWith('intel-iommu'))
    expect(iommu).toBeGreaterThanOrEqual(0)
    expect(iommu).toBeLessThan(devices.findIndex((device) => device.startsWith('nvme')))
  })

  test('give every function of an edu a place, and all bits of an address', () => {
    const args = qemuArguments(input('p2pdma'))
    const edus = args.filter((arg) => arg.startsWith('edu,'))
    expect(edus.slice(0, 5)).toEqual([
      ...[0, 1, 2, 3].map((n) => `edu,bus=dn4,addr=0x0.0x${n},multifunction=on,dma_mask=0xffffffffffffffff`),
      'edu,bus=pcie.0,addr=0x5.0x0,multifunction=on,dma_mask=0xffffffffffffffff',
    ])
    expect(new Set(edus).size).toBe(edus.length)
  })

  test('double commas where QEMU splits at them, and only there', () => {
    const args = qemuArguments(
      input('virtio', {
        image: '/k,1/vmlinux',
        consoleFile: '/w,1/c',
        resultsFile: '/w,1/r',
        diskFiles: { 'phyr-data': '/w,1/d.img,readonly=on' },
        gdb: '/w,1/gdb',
      }),
    )
    expect(args).toContain('/k,1/vmlinux')
    expect(args).toContain('file,id=console,path=/w,,1/c')
    expect(args).toContain('file,id=results,path=/w,,1/r')
    expect(args).toContain('unix:/w,,1/gdb,server=on,wait=off')
    expect(args.find((arg) => arg.includes('d.img'))).toMatch(/,file\.filename=\/w,,1\/d\.img,,readonly=on$/)
  })

  test('use qboot for a PVH kernel only, and only where there is one', () => {
    expect(qemuArguments(input('virtio'))).toContain('qboot.rom')
    expect(qemuArguments(input('virtio', { qboot: false }))).not.toContain('-bios')
    expect(qemuArguments(input('virtio', { boot: 'bzimage' }))).not.toContain('-bios')
  })

  test('let gdb in on the loopback only', () => {
    const args = qemuArguments(input('virtio', { gdb: '1234' }))
    expect(args.slice(-3)).toEqual(['-S', '-gdb', 'tcp:127.0.0.1:1234'])
  })

  test('put a shell on the terminal, with a way out and a log', () => {
    const args = qemuArguments(input('virtio', { shell: true }))
    expect(args).toContain('stdio,id=console,mux=on,signal=off,logfile=/w/console.log')
  })

  test('fail without an image for a disk that needs one', () => {
    expect(() => qemuArguments(input('virtio', { diskFiles: {} }))).toThrow('phyr-data')
  })
})

describe("the kernel's command line", () => {
  test('has the machine’s own words before the caller’s', () => {
    const line = kernelCommandLine(loadMachine('hugepages'), 'kvm', ['quiet']).join(' ')
    expect(line).toContain('hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=128')
    expect(line).toMatch(/^console=ttyS0/)
    expect(line).toMatch(/ quiet$/)
    expect(line).not.toContain('no_timer_check')
  })
})
