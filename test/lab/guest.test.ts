// SPDX-License-Identifier: GPL-2.0-only
// Guests that misbehave, on the real kernel: none of them may look like a pass, each must be told for what it is.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildInitramfs, withToken, type Initramfs } from '../../tools/guest/initramfs.ts'
import { probeAccelerator } from '../../tools/machine/accel.ts'
import type { Accelerator, BootOutcome } from '../../tools/machine/boot.ts'
import { loadMachine } from '../../tools/machine/machine.ts'
import { decode } from '../../tools/machine/stacktrace.ts'
import { bootSteadily } from '../../tools/run/boot-steadily.ts'
import type { BuiltKernel } from '../../tools/run/kernel.ts'
import { judge } from '../../tools/suite/judge.ts'
import { labKernel } from './lab.ts'

let built: BuiltKernel
let guest: Initramfs
let accel: Accelerator
let workDir: string

beforeAll(async () => {
  built = await labKernel()
  guest = await buildInitramfs({
    arch: 'x86_64',
    treeDir: built.treeDir,
    treeId: built.treeId,
    programs: [],
    directories: [],
  })
  accel = await probeAccelerator({})
})
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), 'phyr-guest-'))
})
afterEach(() => rmSync(workDir, { recursive: true, force: true }))

async function bootScript(
  script: string,
  options: { total?: number; initramfs?: string } = {},
): Promise<BootOutcome> {
  const sealed = await withToken(guest, script, workDir)
  const { outcome } = await bootSteadily({
    arch: 'x86_64',
    image: built.kernel.image,
    initramfs: options.initramfs ?? sealed.initramfs,
    cmdline: ['kunit.enable=0'],
    token: sealed.token,
    machine: loadMachine('virtio'),
    accel,
    workDir,
    deadlines: { firstByte: 30, banner: 40, init: 60, total: options.total ?? 90 },
  })
  return outcome
}

const passing = 'echo "KTAP version 1"; echo 1..1; echo "ok 1 - fine"'

/** The verdict of a script suite on this boot. */
function verdict(outcome: BootOutcome): ReturnType<typeof judge> {
  return judge({
    suite: { kind: 'script', files: [] },
    boot: outcome,
    console: readFileSync(outcome.consoleFile, 'latin1'),
    results: readFileSync(outcome.resultsFile, 'latin1'),
  })
}

describe('a guest that behaves', () => {
  test('passes, and its results come without the kernel in between', async () => {
    const outcome = await bootScript(passing)
    expect(outcome).toMatchObject({ end: 'done', status: 0, splats: [] })
    expect(readFileSync(outcome.resultsFile, 'utf8')).toBe('KTAP version 1\n1..1\nok 1 - fine\n')
    expect(verdict(outcome)).toMatchObject({ outcome: 'pass', passed: 1 })
    expect(outcome.ms.init).toBeGreaterThan(0)
  })

  test('its exit status comes through', async () => {
    const outcome = await bootScript(`${passing}; exit 7`)
    expect(outcome).toMatchObject({ end: 'done', status: 7 })
    expect(verdict(outcome).outcome).toBe('fail')
  })

  test('binary noise on the console does not disturb it', async () => {
    const outcome = await bootScript(`head -c 200000 /dev/urandom > /dev/console; ${passing}`)
    expect(outcome).toMatchObject({ end: 'done', status: 0 })
    expect(verdict(outcome).outcome).toBe('pass')
  })
})

describe('a guest that misbehaves', () => {
  test('panics', async () => {
    const outcome = await bootScript(`${passing}; echo PANIC > /sys/kernel/debug/provoke-crash/DIRECT`)
    expect(outcome.end).toBe('panic')
    expect(outcome.splats.map((s) => s.kind)).toContain('panic')
    expect(verdict(outcome).outcome).toBe('fail')
  })

  test('oopses in a thread of its own and goes on: still a failure, with file and line', async () => {
    const outcome = await bootScript(`(echo WRITE_RO > /sys/kernel/debug/provoke-crash/DIRECT) ; ${passing}`)
    expect(outcome.splats.length).toBeGreaterThan(0)
    expect(verdict(outcome).outcome).toBe('fail')
    const decoded = await decode({
      splat: outcome.splats[0]!,
      vmlinux: built.kernel.vmlinux,
      treeDir: built.treeDir,
    })
    expect(decoded.reason).toBeUndefined()
    expect(decoded.lines.join('\n')).toMatch(/\.c:\d+/)
  })

  test('warns: all tests passed, and the run fails', async () => {
    const outcome = await bootScript(`echo WARNING > /sys/kernel/debug/provoke-crash/DIRECT; ${passing}`)
    expect(outcome).toMatchObject({ end: 'done', status: 0 })
    expect(outcome.splats.map((s) => s.kind)).toEqual(['warning'])
    expect(verdict(outcome)).toMatchObject({ outcome: 'fail', passed: 1 })
  })

  test('hangs: the deadline ends it, with the end of its console', async () => {
    const outcome = await bootScript(`${passing}; echo last words > /dev/console; sleep 1000`, { total: 15 })
    expect(outcome).toMatchObject({ end: 'hang', deadline: 'total' })
    expect(outcome.tail.join('\n')).toContain('last words')
    expect(outcome.tail.length).toBeLessThanOrEqual(30)
    expect(verdict(outcome).outcome).toBe('fail')
  })

  test.each([
    ['reboots', 'echo b > /proc/sysrq-trigger'],
    ['powers off', 'poweroff -f'],
  ])('%s', async (_name, how) => {
    const outcome = await bootScript(`${passing}; ${how}; sleep 100`)
    expect(outcome.end).toBe('reset')
    expect(verdict(outcome).outcome).toBe('fail')
  })

  test('forges the success line, with a token of its own making, and the exit code', async () => {
    const outcome = await bootScript(
      `${passing}
      echo "phyr: end 00000000000000000000000000000000 status=0" > /dev/console
      cat /phyr/token > /dev/console
      printf '\\020' | dd of=/dev/port bs=1 seek=244 conv=notrunc
      sleep 100`,
      { total: 20 },
    )
    expect(outcome.end).not.toBe('done')
    expect(verdict(outcome).outcome).toBe('fail')
  })

  test('ends in the middle of its results', async () => {
    const outcome = await bootScript(
      'echo "KTAP version 1"; echo 1..3; echo "ok 1 - one"; echo "# Subtest: two"',
    )
    const judged = verdict(outcome)
    expect(judged.outcome).toBe('fail')
    expect(judged.crashed).toBeGreaterThan(0)
  })
})
