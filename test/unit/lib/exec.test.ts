// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LabError } from '../../../tools/lib/errors.ts'
import { run, runOk, shellLine } from '../../../tools/lib/exec.ts'

test('arguments reach the program as they are: no shell looks at them', async () => {
  const args = ['$(touch /tmp/x)', '; exit 3', 'a b', "it's", '']
  const result = await run('printf', ['%s|', ...args])
  expect(result).toMatchObject({ code: 0, stdout: "$(touch /tmp/x)|; exit 3|a b|it's||" })
})

test('a program that fails is a value for run() and a lab error for runOk()', async () => {
  expect(await run('sh', ['-c', 'echo out; echo err >&2; exit 3'])).toMatchObject({
    code: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  })
  await expect(runOk('sh', ['-c', 'echo reason >&2; exit 3'])).rejects.toMatchObject({
    why: 'exit code 3',
    detail: ['reason'],
  })
})

test('a program that is not there names doctor', async () => {
  await expect(run('phyr-no-such-program', [])).rejects.toMatchObject({
    why: 'it is not installed',
    fix: expect.stringContaining('doctor'),
  })
})

test('a timeout ends the whole process group at once, grandchildren too', async () => {
  const start = Date.now()
  const result = await run('sh', ['-c', 'sleep 20 & echo $!; wait'], { timeoutMs: 200 })
  expect(result.timedOut).toBe(true)
  expect(Date.now() - start).toBeLessThan(5000)
  const grandchild = Number(result.stdout)
  expect(grandchild).toBeGreaterThan(1)
  await expect.poll(() => alive(grandchild)).toBe(false)
})

test('an abort is a lab error, and ends the program', async () => {
  const abort = new AbortController()
  setTimeout(() => abort.abort(), 100)
  const start = Date.now()
  await expect(run('sleep', ['20'], { signal: abort.signal })).rejects.toBeInstanceOf(LabError)
  expect(Date.now() - start).toBeLessThan(5000)
})

test('an abort that came before the start never lets the program run on', async () => {
  const start = Date.now()
  await expect(run('sleep', ['20'], { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(LabError)
  expect(Date.now() - start).toBeLessThan(5000)
})

test('lines are handed over as they come, and kept in the log file', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'phyr-exec-'))
  const seen: string[] = []
  await run('sh', ['-c', 'echo one; echo two >&2'], {
    onLine: (line, stream) => seen.push(`${stream} ${line}`),
    logFile: join(dir, 'log'),
  })
  expect(seen.toSorted()).toEqual(['stderr two', 'stdout one'])
  expect(readFileSync(join(dir, 'log'), 'utf8').split('\n').filter(Boolean).toSorted()).toEqual([
    'one',
    'two',
  ])
  rmSync(dir, { recursive: true })
})

test('a command line for people can be pasted', () => {
  expect(shellLine('make', ['O=/tmp/a b', "x'y", '-j2'])).toBe("make 'O=/tmp/a b' 'x'\\''y' -j2")
})

function alive(pid: number): boolean {
  try {
    // A zombie that nobody has reaped yet is dead for our purpose.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
