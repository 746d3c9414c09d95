// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toolRoot } from '../../../tools/lib/paths.ts'
import { isDamaged, type Damaged } from '../../../tools/result/json-files.ts'
import {
  latestRecord,
  listRecords,
  listResults,
  loadResult,
  resultsOf,
  saveRecord,
  saveResult,
} from '../../../tools/result/store.ts'
import { sample, sampleFinding, sampleResult } from './sample.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'phyr-store-'))
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

test('an empty cache has nothing, and is not made by looking', () => {
  const none = join(root, 'none')
  expect(listRecords(none)).toEqual({ records: [], damaged: [] })
  expect(listResults(none)).toEqual({ results: [], damaged: [] })
  expect(latestRecord(none)).toBeUndefined()
  expect(loadResult('0123456789abcdef0123', none)).toBeUndefined()
  expect(readdirSync(root)).toEqual([])
})

test('a stored result comes back as it was', () => {
  const result = sampleResult()
  saveResult(result, root)
  expect(loadResult(result.key, root)).toEqual(result)
  expect(readdirSync(join(root, 'results'))).toEqual([`${result.key}.json`])
})

test('a result that contradicts itself does not get in', () => {
  expect(() => saveResult(sampleResult({ failed: 1 }), root)).toThrow('outcome is pass and 1 failed')
  expect(readdirSync(root)).toEqual([])
})

test.each(['../../../etc/passwd', '', 'a/b', '.hidden', 'KEY\n'])('%j is not a key', (key) => {
  expect(() => loadResult(key, root)).toThrow('is not the key of a result')
})

test('a result cut at any length is reported, never taken and never thrown', () => {
  const result = sampleResult()
  const file = saveResult(result, root)
  const whole = readFileSync(file)
  for (const length of [0, 1, Math.floor(whole.length / 2), whole.length - 3]) {
    writeFileSync(file, whole)
    truncateSync(file, length)
    expect(loadResult(result.key, root)).toEqual({ file, why: expect.stringContaining('not whole JSON') })
  }
  saveResult(result, root)
  expect(loadResult(result.key, root)).toEqual(result)
})

test('a result of another run, of another version, or edited into a pass is damaged', () => {
  const result = sampleResult()
  const file = saveResult(result, root)
  const write = (changes: object): Damaged => {
    writeFileSync(file, JSON.stringify({ ...result, ...changes }))
    const read = loadResult(result.key, root)
    if (!read || !isDamaged(read)) throw new Error('taken for whole')
    return read
  }
  expect(write({ key: 'another-key-0001' }).why).toContain('another-key-0001')
  expect(write({ schema: 2 }).why).toContain('schema')
  expect(write({ end: 'panic' }).why).toContain('cannot pass')
})

test('damaged files beside whole ones: the whole are listed, the damaged named', () => {
  saveResult(sampleResult(), root)
  const dir = join(root, 'results')
  writeFileSync(join(dir, 'broken00.json'), '{"schema": 1, "key"')
  writeFileSync(join(dir, 'Not A Key.json'), '{}')
  writeFileSync(join(dir, 'deadbeef.json.123.tmp'), 'left by a killed writer')
  mkdirSync(join(dir, 'adirectory.json'))
  const { results, damaged } = listResults(root)
  expect(results).toEqual([sampleResult()])
  expect(damaged.map((d) => d.file.slice(dir.length + 1)).toSorted()).toEqual([
    'Not A Key.json',
    'adirectory.json',
    'broken00.json',
  ])
})

test('records are listed by time; the latest whole one is found behind a damaged one', () => {
  const first = saveRecord(sample(true).output, root, new Date('2026-11-20T10:00:00Z'))
  const second = saveRecord(sampleFinding(), root, new Date('2026-11-20T10:00:01Z'))
  const third = saveRecord(sample(false).output, root, new Date('2026-11-20T10:00:02Z'))
  expect(listRecords(root).records.map((r) => r.file)).toEqual([first, second, third])
  expect(latestRecord(root)).toMatchObject({ file: third, record: { outcome: 'pass' } })
  truncateSync(third, 40)
  const damaged: Damaged[] = []
  expect(latestRecord(root, (d) => damaged.push(d))).toMatchObject({ file: second, record: sampleFinding() })
  expect(damaged.map((d) => d.file)).toEqual([third])
  expect(listRecords(root).damaged.map((d) => d.file)).toEqual([third])
})

test('two different records of the same moment are two files', () => {
  const now = new Date('2026-11-20T10:00:00Z')
  expect(saveRecord(sample(true).output, root, now)).not.toBe(saveRecord(sample(false).output, root, now))
  expect(listRecords(root).records).toHaveLength(2)
})

test('the results of a record: what is there, and what is damaged', () => {
  const { output, results } = sample(false)
  const all = [...results.values()]
  const files = all.slice(1).map((r) => saveResult(r, root))
  truncateSync(files[0] ?? '', 10)
  const damaged: Damaged[] = []
  const found = resultsOf(output, root, (d) => damaged.push(d))
  expect([...found.keys()]).toEqual(all.slice(2).map((r) => r.key))
  expect(damaged.map((d) => d.file)).toEqual([files[0]])
})

test('two processes that write the same result while a third reads: always a whole one', async () => {
  const script = `
    import { saveResult } from ${JSON.stringify(join(toolRoot, 'tools/result/store.ts'))}
    import { sampleResult } from ${JSON.stringify(join(toolRoot, 'test/unit/result/sample.ts'))}
    const tail = Array.from({ length: 100 }, () => process.argv[2].repeat(500))
    console.log('ready')
    for (let i = 0; i < 150; i++) saveResult(sampleResult({ tail }), process.argv[1])`
  const writers = ['a', 'b'].map((letter) =>
    spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, root, letter], {
      cwd: toolRoot,
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  )
  const errors: string[] = []
  const ends = writers.map(
    (w) =>
      new Promise<number | null>((resolve) => {
        w.stderr.on('data', (d: Buffer) => errors.push(d.toString()))
        w.on('close', resolve)
      }),
  )
  const state = { running: true }
  const codes = Promise.all(ends).finally(() => (state.running = false))
  const seen = new Set<string>()
  while (state.running) {
    const read = loadResult(sampleResult().key, root)
    if (read && isDamaged(read)) seen.add(read.why)
    else if (read) seen.add([...new Set(read.tail.map((l) => l[0]))].join(''))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  expect({ codes: await codes, errors: errors.join('') }).toEqual({ codes: [0, 0], errors: '' })
  expect([...seen].filter((s) => s !== 'a' && s !== 'b')).toEqual([])
  expect(seen.size).toBeGreaterThan(0)
  expect(readdirSync(join(root, 'results'))).toEqual([`${sampleResult().key}.json`])
})
