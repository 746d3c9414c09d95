// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../../../tools/lib/exec.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'
import { loadSuite } from '../../../tools/suite/suite.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-pins-'))
  mkdirSync(join(dir, 'proc/sys/vm'), { recursive: true })
})
afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

const vmstat = (acquired: number, released: number): string =>
  `nr_free_pages 5\nnr_foll_pin_acquired ${acquired}\nnr_foll_pin_released ${released}\nnr_written 3\n`

/** Runs `script` with pins.sh on a /proc of the test's; `sleep` stands for what happens while it waits. */
async function pins(script: string, sleep = ''): Promise<string> {
  writeFileSync(join(dir, 'sleep'), `#!/bin/sh\necho slept >> ${dir}/slept\n${sleep}\n`)
  chmodSync(join(dir, 'sleep'), 0o755)
  const text = readFileSync(join(toolRoot, 'qemu/guest/pins.sh'), 'utf8').replaceAll('/proc/', `${dir}/proc/`)
  const { stdout } = await run('sh', ['-c', `${text}\n${script}`], {
    env: { PATH: `${dir}:${process.env['PATH']}`, VMSTAT: join(dir, 'proc/vmstat') },
  })
  return stdout.trim()
}

test('pins adds up what the CPUs count before it reads', async () => {
  writeFileSync(join(dir, 'proc/vmstat'), vmstat(90683, 90673))
  expect(await pins('pins')).toBe('90683 90673')
  expect(readFileSync(join(dir, 'proc/sys/vm/stat_refresh'), 'utf8')).toBe('1\n')
})

test('what was pinned before does not count', async () => {
  writeFileSync(join(dir, 'proc/vmstat'), vmstat(120, 110))
  expect(await pins('pins_left 20 10')).toBe('0')
})

test('a release that comes a moment later is waited for', async () => {
  writeFileSync(join(dir, 'proc/vmstat'), vmstat(64, 0))
  const released = vmstat(64, 64).replaceAll('\n', '\\n')
  expect(await pins('pins_left 0 0', `printf '${released}' > $VMSTAT`)).toBe('0')
  expect(readFileSync(join(dir, 'slept'), 'utf8')).toBe('slept\n')
})

test('a leak is one after 3 s', async () => {
  writeFileSync(join(dir, 'proc/vmstat'), vmstat(64, 1))
  expect(await pins('pins_left 0 0')).toBe('63')
  expect(readFileSync(join(dir, 'slept'), 'utf8')).toBe('slept\n'.repeat(10))
})

test('suites that are about I/O have it', () => {
  for (const name of ['fio', 'p2p', 'rdma', 'pyverbs']) {
    const { script } = loadSuite(name)
    expect(script).toContain('pins_left() {')
    expect(script).toMatch(/pins_left \$before/)
  }
})
