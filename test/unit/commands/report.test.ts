// SPDX-License-Identifier: GPL-2.0-only
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { toolRoot } from '../../../tools/lib/paths.ts'
import { saveBench } from '../../../tools/result/bench-store.ts'
import { saveRecord } from '../../../tools/result/store.ts'
import { benchHistory } from '../result/bench-sample.ts'
import { sample } from '../result/sample.ts'

// Every call starts the whole tool: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const exec = promisify(execFile)
let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-report-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function report(...args: readonly string[]): Promise<Said> {
  const env = { ...process.env, PHYR_CACHE: join(dir, 'cache'), NO_COLOR: '1' }
  try {
    return { code: 0, ...(await exec(join(toolRoot, 'phyr'), ['report', ...args], { cwd: dir, env })) }
  } catch (error) {
    return error as Said
  }
}

const cache = (): string => join(dir, 'cache')
const saveAll = (): string[] => benchHistory().map((b) => saveBench(b, cache(), new Date(b.time)))
const page = (name = 'phyr-report.html'): string => readFileSync(join(dir, name), 'utf8')

test('nothing yet', async () => {
  const none = expect.stringContaining('there is no record yet')
  expect(await report()).toMatchObject({ code: 2, stdout: '', stderr: none })
})

test('without an argument: the last run, and the benchmarks', async () => {
  saveRecord(sample(true).output, cache())
  const run = await report()
  expect(run).toMatchObject({ code: 0, stdout: `${join(dir, 'phyr-report.html')}\n` })
  expect(page()).not.toContain('id="bench"')
  saveAll()
  expect((await report('-o', 'both.html')).code).toBe(0)
  expect(page('both.html')).toContain('id="verdict"')
  expect(page('both.html')).toContain('id="bench-history"')
})

test('a file is what it is: a run, a bench, or damaged', async () => {
  const run = saveRecord(sample(true).output, cache())
  const [bench = ''] = saveAll()
  expect((await report(bench, '-o', 'bench.html')).code).toBe(0)
  expect(page('bench.html')).toContain('Benchmark of phyr v1')
  expect(page('bench.html')).not.toContain('id="bench-history"')
  expect((await report(run, '-o', 'run.html')).code).toBe(0)
  expect(page('run.html')).not.toContain('id="bench"')
  writeFileSync(bench, '{')
  expect(await report(bench)).toMatchObject({ code: 2, stderr: expect.stringContaining('is no record') })
})

test('--text and --csv write no page', async () => {
  saveAll()
  const said = await report('--text', '--csv', 'x.csv')
  expect(said.code).toBe(0)
  expect(said.stdout).toMatch(/^phyr v3 \(7 patches\) on Linux 7\.3\.4/)
  expect(said.stdout).toContain('Benchmark history')
  const files = said.stdout.trimEnd().split('\n').slice(-2)
  expect(files).toEqual([join(dir, 'x.csv'), join(dir, 'x-walk.csv')])
  expect(readFileSync(files[0]!, 'utf8')).toMatch(/^"time",[^]*\r\n"2026-11-02T/)
  expect(existsSync(join(dir, 'phyr-report.html'))).toBe(false)
  const json = await report('--csv', 'y.csv', '--json')
  expect(JSON.parse(json.stdout)).toEqual({
    schema: 1,
    report: null,
    csv: [join(dir, 'y.csv'), join(dir, 'y-walk.csv')],
  })
  expect((await report('--text', '--json')).code).toBe(2)
  expect((await report('-n', '--csv', 'z.csv')).code).toBe(0)
  expect(existsSync(join(dir, 'z.csv'))).toBe(false)
})

test('--against compares, or refuses with the reason', async () => {
  saveAll()
  const refused = await report('--against', '2026-11-12')
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toContain('QEMU 10.0.2 there, 7.2.22 here')
  const compared = await report('--against', '2026-11-18', '--text')
  expect(compared.code).toBe(0)
  expect(compared.stdout).toContain('now against before')
  const json = await report('--against', '2026-11-18', '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({ schema: 1, report: join(dir, 'phyr-report.html') })
  expect(JSON.parse(json.stdout).cases[0]).toMatchObject({
    name: 'null_blk/randread-4k-psync',
    resolvable: true,
  })
  expect(await report('--against', 'nothing')).toMatchObject({ code: 2 })
})
