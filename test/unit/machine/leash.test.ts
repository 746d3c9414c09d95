// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { toolRoot } from '../../../tools/lib/paths.ts'

test('a guest does not outlive a phyr that is killed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'phyr-leash-'))
  try {
    const pidFile = join(dir, 'pid')
    const program = `
      import { leashed } from ${JSON.stringify(join(toolRoot, 'tools/machine/leash.ts'))}
      import { run } from ${JSON.stringify(join(toolRoot, 'tools/lib/exec.ts'))}
      const command = await leashed('sh', ['-c', 'echo $$ > ${pidFile}; exec sleep 62'])
      await run(command.file, command.args)`
    const phyr = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      cwd: toolRoot,
      stdio: 'ignore',
    })
    await expect
      .poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8'), { timeout: 20_000 })
      .toMatch(/\d/)
    const guest = Number(readFileSync(pidFile, 'utf8'))
    expect(existsSync(`/proc/${guest}`)).toBe(true)
    phyr.kill('SIGKILL')
    await once(phyr, 'exit')
    await expect.poll(() => existsSync(`/proc/${guest}`), { timeout: 5_000 }).toBe(false)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
