// SPDX-License-Identifier: GPL-2.0-only
// 32-bit: the type's sizes are asserted when it compiles, KUnit runs in QEMU; once with a 32-bit and once with a
// 64-bit phys_addr_t. On the way the build is killed as the machine's power would: the next one goes on.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { cachedKernels, phyr } from './lab.ts'
import { runOutputSchema } from '../../tools/result/record.ts'
import { toolRoot } from '../../tools/lib/paths.ts'

test('kill -9 in the middle of a build: no artefact, and the next build goes on', async () => {
  const args = ['build', '--arch', 'i386', '--without', 'no-such.patch']
  expect((await phyr(args)).code, 'a patch to leave out that is not there is bad usage').toBe(2)
  const before = cachedKernels()
  const build = spawn(join(toolRoot, 'phyr'), ['build', '--arch', 'i386', '--config', 'i386'], {
    cwd: toolRoot,
    stdio: 'ignore',
    detached: true,
  })
  const ended = once(build, 'close')
  const compilers = (): string => {
    try {
      return execFileSync('pgrep', ['-g', String(build.pid), '-f', 'cc1'], { encoding: 'utf8' })
    } catch {
      return ''
    }
  }
  // It may be built already (a cache from an earlier run): then there is nothing to kill.
  const cached = await Promise.race([ended.then(() => true), sleep(20_000).then(() => false)])
  if (!cached) {
    process.kill(build.pid!, 'SIGKILL')
    await ended
    expect(cachedKernels()).toEqual(before)
    expect(compilers()).toBe('')
  }
  const again = await phyr(['build', '--arch', 'i386', '--json'])
  expect(again.code, again.stderr).toBe(0)
}, 1_200_000)

test.each(['i386', 'i386-pae'])(
  'phyr test kunit --arch i386, config %s',
  async (config) => {
    const { code, stdout, stderr } = await phyr([
      'test',
      'kunit',
      '--arch',
      'i386',
      '--config',
      config,
      '--json',
    ])
    expect(code, `${stderr}\n${stdout.slice(0, 3000)}`).toBe(0)
    const output = runOutputSchema.parse(JSON.parse(stdout))
    expect(output.kernel).toMatchObject({ arch: 'i386', config })
    expect(output.runs).toHaveLength(1)
    expect(output.runs[0]).toMatchObject({ suite: 'kunit', outcome: 'pass', failed: 0 })
    expect(output.runs[0]!.passed).toBeGreaterThanOrEqual(30)
  },
  1_200_000,
)
