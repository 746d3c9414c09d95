// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { loadMachine } from '../../../tools/machine/machine.ts'
import { bootSteadily, type SteadyBoot } from '../../../tools/run/boot-steadily.ts'
import { fakeImage, fakeQemu } from '../machine/fake-qemu.ts'

const token = '00112233445566778899aabbccddeeff'
const banner = `echo 'Linux version 7.3.4' >> $console`
const init = `${banner}; echo 'phyr: init 0.90' >> $console`
const good = `${init}; echo 'phyr: end ${token} status=0' >> $console; exit 33`
const warning = `printf -- '------------[ cut here ]------------\\nWARNING: a.c:1 at f+0x1/0x2, CPU#0: x/1\\n---[ end trace 0 ]---\\n' >> $console`

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-steady-'))
  vi.stubEnv('PHYR_CACHE', join(dir, 'cache'))
  fakeImage(dir)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true, force: true })
})

/** A guest that acts out `first`, and `then` at every boot after that. */
async function play(
  first: string,
  then: string,
  used: 'tcg' | 'kvm' = 'tcg',
): Promise<SteadyBoot & { boots: number }> {
  const count = join(dir, 'count')
  const act = `echo >> ${count}; if [ $(wc -l < ${count}) = 1 ]; then ${first}; else ${then}; fi`
  const steady = await bootSteadily({
    arch: 'x86_64',
    image: join(dir, 'bzImage'),
    initramfs: '/dev/null',
    cmdline: [],
    token,
    machine: loadMachine('virtio'),
    accel: { used, reason: 'a test' },
    qemu: fakeQemu(dir, act),
    workDir: join(dir, 'work'),
    deadlines: { firstByte: 1, banner: 1.5, init: 2, total: 4 },
  })
  return { ...steady, boots: readFileSync(count, 'utf8').length }
}

test('a boot that goes well is left alone', async () => {
  expect(await play(good, good)).toMatchObject({ outcome: { end: 'done' }, notes: [], boots: 1 })
})

test('one silent stop before init: booted again, noted, the first console kept', async () => {
  const steady = await play(`${banner}; sleep 60`, good)
  expect(steady).toMatchObject({ outcome: { end: 'done', status: 0 }, boots: 2 })
  expect(steady.notes.join()).toContain('Linux version')
  expect(existsSync(join(dir, 'work', 'console-first.log'))).toBe(true)
})

test('a kernel that hangs every time fails', async () => {
  expect(await play(`${banner}; sleep 60`, `${banner}; sleep 60`)).toMatchObject({
    outcome: { end: 'hang' },
    boots: 2,
  })
})

test.each([
  ['under KVM', `${banner}; sleep 60`, 'kvm'],
  ['with a complaint of the kernel', `${banner}; ${warning}; sleep 60`, 'tcg'],
  ['once init runs', `${init}; sleep 60`, 'tcg'],
] as const)('%s a hang is a hang, and no second boot hides it', async (_when, act, used) => {
  expect(await play(act, good, used)).toMatchObject({ outcome: { end: 'hang' }, notes: [], boots: 1 })
})
