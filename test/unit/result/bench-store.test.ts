// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadAnyRecord } from '../../../tools/result/any-record.ts'
import {
  findBench,
  latestBench,
  listBench,
  loadBenchFile,
  saveBench,
} from '../../../tools/result/bench-store.ts'
import type { Damaged } from '../../../tools/result/json-files.ts'
import { saveRecord } from '../../../tools/result/store.ts'
import { benchHistory, benchSample } from './bench-sample.ts'
import { sample } from './sample.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'phyr-bench-store-'))
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

const saveAll = (): string[] => benchHistory().map((b) => saveBench(b, root, new Date(b.time)))

test('an empty cache has nothing, and is not made by looking', () => {
  expect(listBench(root)).toEqual({ records: [], damaged: [] })
  expect(latestBench(root)).toBeUndefined()
  expect(() => findBench('2026', root)).toThrow("no bench record '2026'")
  expect(readdirSync(root)).toEqual([])
})

test('records come back as they were, by time', () => {
  const files = saveAll()
  const { records, damaged } = listBench(root)
  expect(damaged).toEqual([])
  expect(records.map((r) => r.file)).toEqual(files)
  expect(records.map((r) => r.record)).toEqual(benchHistory())
  expect(loadBenchFile(files[0]!)).toEqual(records[0])
})

test('what does not hold to the schema does not get in', () => {
  const bad = { ...benchSample(), boots: -1 }
  expect(() => saveBench(bad, root)).toThrow('boots')
  expect(readdirSync(root)).toEqual([])
})

test('damaged files are named and passed over', () => {
  const files = saveAll()
  truncateSync(files.at(-1)!, 100)
  writeFileSync(join(root, 'bench', 'zz.json'), JSON.stringify({ ...benchSample(), schema: 2 }))
  writeFileSync(join(root, 'bench', 'left.json.12.tmp'), '{')
  const damaged: Damaged[] = []
  expect(latestBench(root, (d) => damaged.push(d))?.file).toBe(files.at(-2))
  expect(damaged.map((d) => basename(d.file))).toEqual(['zz.json', basename(files.at(-1)!)])
  expect(listBench(root).damaged.map((d) => d.why)).toEqual([
    expect.stringContaining('not whole JSON'),
    expect.stringContaining('schema'),
  ])
})

test('a record is found by its file, its name, and the beginning of that', () => {
  const files = saveAll()
  const id = basename(files[2]!, '.json')
  for (const name of [files[2]!, id, id.slice(0, 10)]) expect(findBench(name, root).id).toBe(id)
  expect(() => findBench('2026-11', root)).toThrow("7 bench records begin with '2026-11'")
  expect(() => findBench('', root)).toThrow('no bench record')
  expect(() => findBench('../records', root)).toThrow('no bench record')
  truncateSync(files[2]!, 9)
  expect(() => findBench(id, root)).toThrow(`${id}.json is no bench record`)
})

test('a file of either kind is told apart, a damaged one measured against its own schema', () => {
  const run = saveRecord(sample(true).output, root)
  const bench = saveBench(benchSample(), root)
  expect(loadAnyRecord(run)).toMatchObject({ kind: 'run' })
  expect(loadAnyRecord(bench)).toMatchObject({ kind: 'bench' })
  expect(loadAnyRecord(join(root, 'none'))).toBeUndefined()
  writeFileSync(bench, JSON.stringify({ ...benchSample(), boots: -1 }))
  expect(loadAnyRecord(bench)).toMatchObject({ file: bench, why: expect.stringContaining('boots') })
  writeFileSync(run, JSON.stringify({ ...sample(true).output, runs: 1 }))
  expect(loadAnyRecord(run)).toMatchObject({ file: run, why: expect.stringContaining('runs') })
  for (const text of ['', '[]', 'null', '"x"', '{}']) {
    writeFileSync(run, text)
    expect(loadAnyRecord(run)).toMatchObject({ file: run, why: expect.any(String) })
  }
})
