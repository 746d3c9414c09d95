// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LabError } from '../../../tools/lib/errors.ts'
import { findQemu, probeQemu, requireDevices, type QemuProbe } from '../../../tools/machine/qemu-probe.ts'
import { fakeQemu } from './fake-qemu.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-probe-'))
  vi.stubEnv('PHYR_CACHE', join(dir, 'cache'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true, force: true })
})

describe('asking QEMU', () => {
  test('gives version, devices and their properties', async () => {
    const probe = await probeQemu({ qemu: fakeQemu(dir, 'exit 1') })
    expect(probe.version).toBe('7.2.22')
    expect(probe.qboot).toBe(false)
    expect(probe.devices['nvme']).toContain('cmb_size_mb')
  })

  test('happens once a binary', async () => {
    const qemu = fakeQemu(dir, 'exit 1')
    await probeQemu({ qemu })
    // From here on every question is answered with rubbish, by a binary of the same size and time.
    const { bytes, mtimeMs } = findQemu(qemu)
    expect((await probeQemu({ qemu })).binary).toMatchObject({ bytes, mtimeMs })
    fakeQemu(dir, 'exit 1', { version: 'QEMU emulator version 8.0.0' })
    expect((await probeQemu({ qemu })).version).toBe('8.0.0')
  })

  test.each([
    ['a version that is none', { version: 'hello' }, '--version'],
    ['a device without properties', { help: 'echo "$name options:"' }, 'edu,help'],
    ['another device’s answer', { help: 'echo "floppy options:"; echo "  addr=<int32>"' }, 'edu,help'],
    ['silence', { help: 'true' }, 'edu,help'],
  ])('fails loudly on %s', async (_what, change, question) => {
    const asked = probeQemu({ qemu: fakeQemu(dir, 'exit 1', change) })
    await expect(asked).rejects.toThrow(LabError)
    await expect(asked).rejects.toThrow(question)
  })

  test('takes "not found" for a device that is lacking, not for a broken QEMU', async () => {
    const help = `if [ $name = nvme ]; then echo "qemu: -device nvme,help: Device 'nvme' not found" >&2; exit 1; fi; echo "$name options:"; echo "  addr=<int32>"`
    const probe = await probeQemu({ qemu: fakeQemu(dir, 'exit 1', { help }) })
    expect(probe.devices['nvme']).toBeUndefined()
    expect(() => requireDevices(probe, ['-device', 'nvme,addr=0x2'])).toThrow('lacks the device nvme')
  })

  test('of a program that is not there is a lab error', async () => {
    await expect(probeQemu({ qemu: join(dir, 'nothing') })).rejects.toThrow('there is no such program')
    await expect(probeQemu({ qemu: 'phyr-no-such-qemu' })).rejects.toThrow('it is not in PATH')
  })
})

describe('what a machine needs', () => {
  const probe: QemuProbe = {
    binary: { path: '/usr/bin/qemu', bytes: 1, mtimeMs: 1 },
    version: '6.0',
    qboot: false,
    devices: { nvme: ['addr', 'drive', 'serial'] },
  }

  test('is there', () => {
    const args = ['-m', '1G', '-device', 'nvme,id=a,bus=pcie.0,addr=0x2,serial=a,,b,drive=d']
    expect(() => requireDevices(probe, args)).not.toThrow()
  })

  test('is named when it is not', () => {
    const args = ['-device', 'nvme,addr=0x2,cmb_size_mb=64']
    expect(() => requireDevices(probe, args)).toThrow('the property cmb_size_mb of the device nvme')
    expect(() => requireDevices(probe, ['-device', 'ivshmem-plain'])).toThrow('the device ivshmem-plain')
  })
})
