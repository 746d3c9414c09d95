// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../../tools/lib/errors.ts'
import { listMachines, loadMachine, parseMachine } from '../../../tools/machine/machine.ts'

const plain = `description: plain
memory: 1G
cpus: 2
disks:
  - serial: phyr-data
    model: virtio-blk
    backend: file
    size: 64M
    slot: 2
  - serial: phyr-null
    model: nvme
    backend: null-co
    size: 4G
    slot: 3
`

/** The message that a machine file is refused with. */
function refusal(text: string): string {
  try {
    parseMachine(text, 'm.yaml')
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error('it was accepted')
}

describe('the machines that come with phyr', () => {
  test('are these', () => {
    expect(listMachines()).toEqual([
      'hugepages',
      'iommu',
      'movable',
      'nvme',
      'p2pdma',
      'p2pdma-bridge',
      'p2pdma-iommu',
      'rdma',
      'swiotlb',
      'virtio',
    ])
  })

  test.each(listMachines())('%s loads, and has a disk with data and one for measuring', (name) => {
    const machine = loadMachine(name)
    expect(machine.name).toBe(name)
    expect(machine.disks.find((disk) => disk.serial === 'phyr-data')?.backend).toBe('file')
    expect(machine.disks.find((disk) => disk.serial === 'phyr-null')?.backend).toBe('null-co')
  })

  test('p2pdma has the CMB and its peer under the same switch', () => {
    const machine = loadMachine('p2pdma')
    const ports = machine.topology.switches[0]?.ports
    const [cmb, peer] = ['phyr-cmb', 'phyr-peer'].map((serial) =>
      machine.disks.find((disk) => disk.serial === serial),
    )
    expect(cmb?.cmb).toBe(64 << 20)
    expect(ports).toContain(cmb?.bus)
    expect(ports).toContain(peer?.bus)
  })
})

describe('a machine name that does not exist', () => {
  test.each([
    ['nmve', 'nvme'],
    ['p2pdm', 'p2pdma'],
    ['virtoi', 'virtio'],
  ])('%s gets told of %s', (typo, meant) => {
    expect(() => loadMachine(typo)).toThrow(`did you mean ${meant}?`)
  })

  test('gets the list when nothing is near', () => {
    expect(() => loadMachine('../../etc/passwd')).toThrow(
      expect.objectContaining({
        name: 'UsageError',
        message: 'no machine "../../etc/passwd"',
        fix: 'machines: hugepages, iommu, movable, nvme, p2pdma, p2pdma-bridge, p2pdma-iommu, rdma, swiotlb, virtio',
      }),
    )
  })
})

describe('a machine file', () => {
  test('gives sizes as bytes and fills in what is usual', () => {
    const machine = parseMachine(plain, 'm.yaml')
    expect(machine).toMatchObject({ cpu: 'max', memory: 2 ** 30, slow: 1, cmdline: [], devices: [] })
    expect(machine.disks[1]?.size).toBe(4 * 2 ** 30)
  })

  test.each([
    ['an unknown key', plain.replace('cpus: 2', 'cpus: 2\ncpu_count: 3'), /^m\.yaml:4:1: cpu_count: /],
    [
      'an unknown key in a disk',
      plain.replace('    slot: 2', '    slot: 2\n    sise: 1'),
      /^m\.yaml:10:5: disks\.0\.sise: /,
    ],
    [
      'a model that does not exist',
      plain.replace('virtio-blk', 'floppy'),
      /^m\.yaml:6:12: disks\.0\.model: /,
    ],
    ['a size without unit', plain.replace('64M', '64'), /^m\.yaml:8:11: disks\.0\.size: a size such as/],
    ['a missing key, at what lacks it', plain.replace('memory: 1G\n', ''), /^m\.yaml:1:1: memory: /],
    [
      'a slot taken twice',
      plain.replace('slot: 3', 'slot: 2'),
      /^m\.yaml:14:11: disks\.1\.slot: slot 2 is taken by phyr-data/,
    ],
    ['a slot of the chipset', plain.replace('slot: 3', 'slot: 31'), /^m\.yaml:14:11: disks\.1\.slot: /],
    ['no place at all', plain.replace('    slot: 3\n', ''), /^m\.yaml:10:5: disks\.1: give either slot/],
    [
      'a port that does not exist',
      plain.replace('slot: 3', 'bus: rp0'),
      /^m\.yaml:14:10: disks\.1\.bus: no port rp0; ports here: none/,
    ],
    [
      'a missing disk for measuring',
      plain.replace('null-co', 'file'),
      /^m\.yaml:5:3: disks: every machine needs a disk phyr-null/,
    ],
    [
      'a serial with a comma',
      plain.replace('serial: phyr-null', 'serial: a,b'),
      /disks\.1\.serial: at most 20/,
    ],
    ['an option smuggled into cpu', `${plain}cpu: "max -netdev user"\n`, /cpu: a value of QEMU's -cpu/],
    ['blanks on the command line', `${plain}cmdline: ["a b"]\n`, /cmdline\.0: one word/],
    [
      'an edu in the place of a disk',
      `${plain}devices: [{type: edu, slot: 3}]\n`,
      /devices\.0\.slot: slot 3 is taken by phyr-null/,
    ],
    [
      'more functions than a slot has',
      `${plain}devices: [{type: edu, slot: 4, functions: 9}]\n`,
      /devices\.0\.functions: /,
    ],
    ['broken YAML', `${plain}  x: [\n`, /^m\.yaml:\d+:\d+: /],
    ['a key given twice', `${plain}cpus: 4\n`, /^m\.yaml:15:1: Map keys must be unique/],
    ['NVMe with one processor', plain.replace('cpus: 2', 'cpus: 1'), /disks\.1: QEMU 7\.2's NVMe hangs/],
    ['a 1G page without room', `${plain}hugePages: {1G: 1}\n`, /^m\.yaml:2:9: memory: q35 gives no 1G page/],
  ])('with %s is refused', (_what, text, message) => {
    expect(refusal(text)).toMatch(message)
  })

  test('with one processor is fine when the NVMe has a CMB', () => {
    const text = plain.replace('cpus: 2', 'cpus: 1').replace('size: 4G', 'size: 4G\n    cmb: 16M')
    expect(parseMachine(text, 'm.yaml').cpus).toBe(1)
  })

  test('with a switch below a translating IOMMU is refused, unless it passes through', () => {
    const text = `${plain}topology:
  rootPorts: [{id: rp0, slot: 4}]
  switches: [{id: up0, rootPort: rp0, ports: [dn0]}]
devices: [{type: intel-iommu}]
`
    expect(refusal(text)).toMatch(/devices\.0: a translating IOMMU above a switch/)
    expect(parseMachine(`${text}cmdline: [iommu=pt]\n`, 'm.yaml').cmdline).toEqual(['iommu=pt'])
  })

  test('with several faults gets them all, one a line', () => {
    const text = plain.replace('cpus: 2', 'cpus: 0').replace('64M', 'big')
    expect(refusal(text).split('\n')).toHaveLength(2)
  })
})
