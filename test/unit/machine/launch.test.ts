// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LabError } from '../../../tools/lib/errors.ts'
import type { BootOutcome, BootRequest } from '../../../tools/machine/boot.ts'
import { boot } from '../../../tools/machine/launch.ts'
import { loadMachine } from '../../../tools/machine/machine.ts'
import { fakeImage, fakeQemu } from './fake-qemu.ts'

const token = '00112233445566778899aabbccddeeff'
const forged = 'ffeeddccbbaa99887766554433221100'
const begin = `printf '[    0.000000] Linux version 7.3.4\\r\\nphyr: init 0.90\\r\\n' >> $console`
const end = (status: number, by = token): string =>
  `printf 'phyr: end ${by} status=${status}\\r\\n' >> $console`
const panic = `printf '[    1.000000] Kernel panic - not syncing: VFS: no root\\r\\n' >> $console`

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-launch-'))
  vi.stubEnv('PHYR_CACHE', join(dir, 'cache'))
  fakeImage(dir)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true, force: true })
})

/** Boots a guest that is a shell script. */
async function play(act: string, change: Partial<BootRequest> = {}): Promise<BootOutcome> {
  return boot({
    arch: 'x86_64',
    image: join(dir, 'bzImage'),
    initramfs: '/dev/null',
    cmdline: [],
    token,
    machine: loadMachine('virtio'),
    accel: { used: 'tcg', reason: 'a test' },
    qemu: fakeQemu(dir, act),
    workDir: join(dir, 'work'),
    deadlines: { firstByte: 20, banner: 20, init: 20, total: 20 },
    ...change,
  })
}

describe('a guest that reaches its end', () => {
  test('is done with the status it gave', async () => {
    const outcome = await play(`${begin}; echo 'KTAP version 1' >> $results; ${end(3)}; exit 39`)
    expect(outcome).toMatchObject({ end: 'done', status: 3, deadline: undefined, splats: [], qemuExit: 39 })
    expect(outcome.ms.init).toBeGreaterThanOrEqual(outcome.ms.banner!)
    expect(outcome.ms.total).toBeGreaterThanOrEqual(outcome.ms.init!)
    expect(readFileSync(outcome.resultsFile, 'utf8')).toBe('KTAP version 1\n')
    expect(readFileSync(outcome.consoleFile, 'utf8')).toContain('Linux version')
    expect(outcome.command).toContain(join(dir, 'bzImage'))
  })

  test('leaves no disk images behind', async () => {
    const outcome = await play(`ls ${join(dir, 'work')} >> $results; ${begin}; ${end(0)}; exit 33`)
    expect(readFileSync(outcome.resultsFile, 'utf8')).toContain('phyr-data.img')
    expect(readdirSync(join(dir, 'work')).sort()).toEqual(['console.log', 'results.txt'])
  })

  test('with a warning on the way is done, and the warning is there', async () => {
    const warning = `printf -- '------------[ cut here ]------------\\nWARNING: a.c:1 at f+0x1/0x2, CPU#0: x/1\\n---[ end trace 0 ]---\\n' >> $console`
    const outcome = await play(`${begin}; ${warning}; ${end(0)}; exit 33`)
    expect(outcome.end).toBe('done')
    expect(outcome.splats.map((splat) => splat.kind)).toEqual(['warning'])
  })

  test('gets nothing from an earlier boot in the same directory', async () => {
    await play(`${begin}; echo old >> $results; ${end(0)}; exit 33`)
    const outcome = await play('exit 0')
    expect(outcome.end).toBe('reset')
    expect(readFileSync(outcome.consoleFile, 'utf8')).toBe('')
    expect(readFileSync(outcome.resultsFile, 'utf8')).toBe('')
  })
})

describe('a guest that only looks as if', () => {
  test.each([
    ['power-off', `${begin}; exit 0`],
    ['power-off with the token printed', `${begin}; ${end(0)}; exit 0`],
    ['the token with another status than the exit code', `${begin}; ${end(0)}; exit 35`],
    ['the exit code of success without a token', `${begin}; exit 33`],
    ['a forged token', `${begin}; ${end(0, forged)}; exit 33`],
    ['a token line without its end', `${begin}; printf 'phyr: end ${token} status=0' >> $console; exit 33`],
    ['the token among the results', `${begin}; echo 'phyr: end ${token} status=0' >> $results; exit 33`],
    ['a small value at the exit port', `${begin}; ${end(0)}; exit 3`],
    ['1 at the exit port, and no word of a panic', `${begin}; exit 1`],
    ['noise, and the exit code of success', `${begin}; head -c 300000 /dev/urandom >> $console; exit 33`],
  ])('it ended well is not done: %s', async (_what, act) => {
    const outcome = await play(act)
    expect(outcome.end).toBe('reset')
    expect(outcome.status).toBeUndefined()
  })
})

describe('a panic', () => {
  test.each([
    ['with exit code 1', `${begin}; ${panic}; exit 1`],
    ['that resets', `${begin}; ${panic}; exit 0`],
    ['and a forged end after it', `${begin}; ${panic}; ${end(0, forged)}; exit 33`],
    ['that hangs', `${begin}; ${panic}; sleep 60`],
  ])('%s is a panic', async (_what, act) => {
    const outcome = await play(act, { deadlines: { firstByte: 2, banner: 2, init: 2, total: 2 } })
    expect(outcome.end).toBe('panic')
    expect(outcome.splats[0]).toMatchObject({ kind: 'panic', title: expect.stringContaining('VFS: no root') })
    expect(outcome.tail.at(-1)).toMatch(/Kernel panic|phyr: end/)
  })
})

describe('a hang', () => {
  const short = { firstByte: 1, banner: 1.2, init: 1.4, total: 1.6 }

  test.each([
    ['first-byte', 'true'],
    ['banner', 'echo SeaBIOS >> $console'],
    ['init', `echo 'Linux version 7.3.4' >> $console`],
    ['total', begin],
  ] as const)('is told by its deadline: %s', async (deadline, act) => {
    const started = Date.now()
    // The child outlives a kill that only hits the shell; it would hold the pipes open.
    const outcome = await play(`${act}; sleep 61 & echo $! > ${join(dir, 'child')}; wait`, {
      deadlines: short,
    })
    expect(outcome).toMatchObject({ end: 'hang', deadline })
    expect(Date.now() - started).toBeLessThan(10_000)
    const child = Number(readFileSync(join(dir, 'child'), 'utf8'))
    await expect.poll(() => existsSync(`/proc/${child}`) && !isZombie(child)).toBe(false)
  })

  test('shows the last 30 lines and what QEMU said', async () => {
    const act = `${begin}; i=0; while [ $i -lt 100 ]; do echo line $i >> $console; i=$((i+1)); done; echo 'KVM internal error' >&2; sleep 60`
    const outcome = await play(act, { deadlines: short })
    expect(outcome.tail).toHaveLength(30)
    expect(outcome.tail.at(-1)).toBe('line 99')
    expect(outcome.qemuMessages).toEqual(['KVM internal error'])
  })
})

describe('the lab’s own faults are errors', () => {
  test.each([
    [
      'QEMU refuses its arguments',
      `echo "qemu: -device nvme: no such property" >&2; exit 1`,
      'no such property',
    ],
    ['QEMU has no memory', `echo "qemu: cannot set up guest memory 'pc.ram'" >&2; exit 1`, 'cannot set up'],
    ['QEMU is killed', `${begin}; kill -SEGV $$`, 'killed by SIGSEGV'],
    ['QEMU is killed after a panic', `${begin}; ${panic}; kill -KILL $$`, 'killed by SIGKILL'],
    ['QEMU fails in the middle', `${begin}; echo 'qemu: fatal: x' >&2; exit 1`, 'qemu: fatal: x'],
    ['an exit code that no guest can give', `${begin}; exit 2`, 'exit code 2'],
  ])('%s', async (_what, act, why) => {
    const outcome = play(act)
    await expect(outcome).rejects.toThrow(LabError)
    await expect(outcome).rejects.toThrow(why)
    expect(readdirSync(join(dir, 'work')).filter((file) => file.endsWith('.img'))).toEqual([])
  })

  test('a warning of QEMU alone is none', async () => {
    const outcome = await play(`${begin}; echo "qemu: warning: TCG lacks x" >&2; ${end(0)}; exit 33`)
    expect(outcome.end).toBe('done')
  })

  test('a cut-off image is not booted at all', async () => {
    truncateSync(join(dir, 'bzImage'), 1000)
    await expect(play(`touch ${join(dir, 'started')}; exit 0`)).rejects.toThrow('cut short')
    expect(existsSync(join(dir, 'started'))).toBe(false)
  })

  test('an interrupt ends the guest at once', async () => {
    const interrupt = new AbortController()
    const outcome = play(`${begin}; sleep 60`, { signal: interrupt.signal })
    setTimeout(() => interrupt.abort(), 500)
    const started = Date.now()
    await expect(outcome).rejects.toThrow(LabError)
    expect(Date.now() - started).toBeLessThan(10_000)
  })

  test('an interrupt before the start starts nothing', async () => {
    mkdirSync(join(dir, 'bin'))
    const started = join(dir, 'started')
    const qemu = fakeQemu(join(dir, 'bin'), `touch ${started}; exit 0`)
    await play('', { qemu }) // so that the questions to QEMU are answered
    expect(existsSync(started)).toBe(true)
    rmSync(started)
    await expect(play('', { qemu, signal: AbortSignal.abort() })).rejects.toThrow('was not started')
    expect(existsSync(started)).toBe(false)
  })
})

function isZombie(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return true
  }
}
