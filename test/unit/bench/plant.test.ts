// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { faultsOf } from '../../../tools/bench/self-test.ts'
import { PLANTED, plantedSeries } from '../../../tools/bench/plant.ts'
import { LabError } from '../../../tools/lib/errors.ts'
import { deterministicFigures } from '../../../tools/result/figures.ts'
import type { Series } from '../../../tools/series/series.ts'

const SOURCE = `// SPDX-License-Identifier: GPL-2.0
#define __used __attribute__((used))
#define noinline __attribute__((noinline))
#define __maybe_unused __attribute__((unused))
struct bio { int x; };
void submit_bio_noacct(struct bio *bio);

/**
 * submit_bio_noacct - re-submit a bio
 * @bio: it
 */
void submit_bio_noacct(struct bio *bio)
{
	int before = bio->x;

	bio->x = before + 1;
}
`

const series: Series = {
  dir: '/none',
  name: 'x',
  version: 1,
  changeId: '20260101-x-000000000000',
  base: { provider: 'debian', package: 'linux-source-7.3', version: '7.3.4' },
  patches: [],
  hash: '0',
}

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-plant-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('the planted patches apply one after the other, compile without a warning, and cost what they say', () => {
  const planted = plantedSeries(series, 0, SOURCE, 37)
  expect(planted.patches.map((patch) => patch.number)).toEqual([1, 2])
  const file = join(dir, PLANTED.file)
  mkdirSync(join(dir, 'block'))
  writeFileSync(file, SOURCE)
  execFileSync('git', ['init', '-q', dir])
  const nops: number[] = []
  for (const patch of planted.patches) {
    execFileSync('git', ['-C', dir, 'apply', '--whitespace=error-all'], { input: patch.text })
    const object = join(dir, 'x.o')
    execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-std=gnu11', '-c', '-o', object, file])
    const code = execFileSync('objdump', ['-d', object], { encoding: 'utf8' })
    const body = code.slice(code.indexOf('<submit_bio_noacct>:'))
    nops.push((body.match(/\bnop$/gm) ?? []).length)
  }
  expect(nops).toEqual([0, 37])
  const text = readFileSync(file, 'utf8')
  // The kernel-doc is still the submit function's.
  expect(text.slice(text.indexOf('/**'))).toMatch(/^\/\*\*[^/]*\*\/\nvoid submit_bio_noacct/)
})

test("a base without the function is the lab's fault, and says so", () => {
  expect(() => plantedSeries(series, 0, 'int x;\n', 3)).toThrow(LabError)
})

const unit = 'instructions/IO'
const same = deterministicFigures({ unit, base: [4000, 4000], series: [4000, 4001] })
const more = deterministicFigures({ unit, base: [4000, 4000], series: [4040, 4040] })

test('a bench that finds the planted cost and nothing else has no fault', () => {
  expect(faultsOf(4000, 40, { idle: same, costly: more, named: PLANTED.function })).toEqual([])
})

test.each([
  [
    'a cost where none is',
    { idle: more, costly: more, named: PLANTED.function },
    /does nothing has a ratio of 1\.0100/,
  ],
  ['no cost where one is', { idle: same, costly: same, named: PLANTED.function }, /was not found/],
  ['another function', { idle: same, costly: more, named: 'bio_put' }, /put down to bio_put/],
  [
    'another size',
    {
      idle: same,
      costly: deterministicFigures({ unit, base: [4000, 4000], series: [4080, 4080] }),
      named: PLANTED.function,
    },
    /is 1\.0100 and was measured as 1\.0200/,
  ],
  [
    'figures that differ from boot to boot',
    {
      idle: deterministicFigures({ unit, base: [4000, 4100], series: [4000, 4000] }),
      costly: more,
      named: PLANTED.function,
    },
    /not resolvable/,
  ],
])('a bench that says %s has a fault', (_, said, fault) => {
  expect(faultsOf(4000, 40, said).join('\n')).toMatch(fault)
})
