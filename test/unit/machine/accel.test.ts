// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LabError } from '../../../tools/lib/errors.ts'
import { probeAccelerator } from '../../../tools/machine/accel.ts'
import { fakeQemu } from './fake-qemu.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-accel-'))
  vi.stubEnv('PHYR_CACHE', join(dir, 'cache'))
  writeFileSync(join(dir, 'calls'), '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true, force: true })
})

/** A QEMU whose guests do `tcg` under TCG and `kvm` under KVM; each start is noted. */
function fake(acts: { tcg: string; kvm?: string }): string {
  return fakeQemu(
    dir,
    `case "$*" in
  *accel=kvm*) echo kvm >> ${join(dir, 'calls')}; ${acts.kvm ?? 'exit 1'} ;;
  *accel=tcg*) echo tcg >> ${join(dir, 'calls')}; ${acts.tcg} ;;
esac`,
  )
}
const calls = (): string[] => readFileSync(join(dir, 'calls'), 'utf8').split('\n').filter(Boolean)
const good = 'printf RPL6; exit 33'

describe('the accelerator', () => {
  test('is TCG when KVM’s guest says it cannot, and the reason says so', async () => {
    const qemu = fake({ tcg: good, kvm: 'printf RPL; exit 37' })
    const accel = await probeAccelerator({ qemu })
    expect(accel.used).toBe('tcg')
    expect(accel.reason).toMatch(/^kvm: .*; using tcg \(guest code ran in \d+ ms\)$/)
  })

  test('is asked for once a boot of the host', async () => {
    const qemu = fake({ tcg: good })
    const first = await probeAccelerator({ qemu })
    const before = calls()
    expect(before).toContain('tcg')
    expect(await probeAccelerator({ qemu })).toEqual(first)
    expect(calls()).toEqual(before)
  })

  test('that is forced is tried anew', async () => {
    const qemu = fake({ tcg: good })
    await probeAccelerator({ qemu, force: 'tcg' })
    const accel = await probeAccelerator({ qemu, force: 'tcg' })
    expect(accel).toMatchObject({ used: 'tcg', reason: expect.stringMatching(/^asked for; guest code ran/) })
    expect(calls()).toEqual(['tcg', 'tcg'])
  })

  test.each([
    ['right code, but no word from the guest', 'exit 33', 'before its first instruction'],
    ['right words, wrong code', 'printf RPL6; exit 0', 'at its end (exit code 0)'],
    ['wrong data in memory', 'printf RPL; exit 35', 'guest memory holds wrong data'],
    ['a broken cmpxchg16b', 'printf RPL; exit 37', 'cmpxchg16b does not work'],
    ['a QEMU that does not start', 'echo "no such accelerator" >&2; exit 1', 'no such accelerator'],
    ['noise', 'printf XYZZY; exit 33', 'with noise on its serial port'],
  ])('fails loudly on %s', async (_what, tcg, why) => {
    const asked = probeAccelerator({ qemu: fake({ tcg }), force: 'tcg' })
    await expect(asked).rejects.toThrow(LabError)
    await expect(asked).rejects.toThrow(why)
  })

  test('that fails for TCG is not remembered', async () => {
    await expect(probeAccelerator({ qemu: fake({ tcg: 'exit 1' }) })).rejects.toThrow(LabError)
    const once = calls().filter((name) => name === 'tcg').length
    await expect(probeAccelerator({ qemu: fake({ tcg: 'exit 1' }) })).rejects.toThrow(LabError)
    expect(calls().filter((name) => name === 'tcg')).toHaveLength(once + 1)
  })
})
