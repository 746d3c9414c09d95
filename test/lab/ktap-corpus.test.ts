// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { toolRoot } from '../../tools/lib/paths.ts'
import { runOk } from '../../tools/lib/exec.ts'
import { parseKtap, type KtapCounts, type KtapTest } from '../../tools/suite/ktap.ts'
import { labTree } from './lab.ts'

/** What expected-counts.py prints for each log: the wrapper's own reading. */
interface Expected {
  readonly name: string
  readonly status: string
  readonly counts: KtapCounts
  readonly tests: readonly Expected[]
}

const stored = JSON.parse(
  readFileSync(join(toolRoot, 'test/unit/suite/expected-counts.json'), 'utf8'),
) as Record<string, KtapCounts & { status: string }>

let live: Record<string, Expected> = {}
let data = ''

beforeAll(async () => {
  const source = await labTree()
  data = join(source, 'tools/testing/kunit/test_data')
  // The wrapper's parser is run now, on the tree under test: the expectation cannot go stale.
  const script = join(toolRoot, 'test/unit/suite/expected-counts.py')
  live = JSON.parse(await runOk('python3', [script, source]))
})

test('there are logs, and they are those of which the counts are stored', () => {
  expect(Object.keys(live).length).toBeGreaterThanOrEqual(20)
  expect(Object.keys(live).toSorted()).toEqual(Object.keys(stored).toSorted())
})

test('every log: status and counts of the wrapper, then and now', () => {
  const ours = Object.fromEntries(
    Object.keys(live).map((file) => {
      const run = read(file)
      return [file, { status: run.status, ...run.counts }]
    }),
  )
  expect(ours).toEqual(
    Object.fromEntries(Object.entries(live).map(([f, e]) => [f, { status: e.status, ...e.counts }])),
  )
  expect(ours).toEqual(stored)
})

test('every log: the tree of the wrapper, name by name', () => {
  for (const [file, expected] of Object.entries(live)) {
    expect([file, tree(read(file).tests)]).toEqual([file, wrapperTree(expected.tests)])
  }
})

function read(file: string): ReturnType<typeof parseKtap> {
  return parseKtap(readFileSync(join(data, file), 'utf8'))
}

type Plain = { name: string; status: string; tests: Plain[] }

/** Our tree without what the wrapper does not look at: results inside comments. */
function tree(tests: readonly KtapTest[]): Plain[] {
  return tests
    .filter((t) => !t.inComment)
    .map((t) => ({ name: unnamed(t) ? '' : t.name, status: t.outcome, tests: tree(t.children) }))
}

/**
 * The wrapper has no name for a missing test, nor for `ok 3 # SKIP reason`; ours are "test N" and the reason.
 */
function unnamed(t: KtapTest): boolean {
  return (
    (t.outcome === 'crashed' && /^test \d+$/.test(t.name)) || (t.outcome === 'skip' && t.name === t.reason)
  )
}

function wrapperTree(tests: readonly Expected[]): Plain[] {
  return tests.map((t) => ({ name: t.name, status: t.status, tests: wrapperTree(t.tests) }))
}
