// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CheckRecord } from '../../../tools/check/check-record.ts'
import { gatherEvidence } from '../../../tools/mail/evidence.ts'
import { evidenceReasons } from '../../../tools/mail/evidence-rules.ts'
import { evidenceText } from '../../../tools/mail/evidence-text.ts'
import { proofSchema, type PatchProof, type Proof } from '../../../tools/result/proof-record.ts'
import { saveProof } from '../../../tools/result/proof-store.ts'
import { baseOf, type RunOutput } from '../../../tools/result/record.ts'
import { saveRecord } from '../../../tools/result/store.ts'
import type { Applied } from '../../../tools/series/series.ts'
import { scratch } from '../base/repo-fixture.ts'
import { sample } from '../result/sample.ts'
import { patchProof } from '../result/proof-fixture.ts'
import { mailProject } from './mail-fixture.ts'

let dir: string
let remove: () => void
let cache: string
let applied: Applied
beforeEach(async () => {
  ;({ dir, remove } = scratch())
  cache = join(dir, 'cache')
  applied = (await mailProject(dir)).applied
})
afterEach(() => remove())

function prove(patches: readonly PatchProof[], over: Partial<Proof> = {}): void {
  const { series, base } = applied
  const { name, changeId, version, hash } = series
  const proof = {
    schema: 1,
    time: '2026-11-21T12:00:00.000Z',
    outcome: patches.every((one) => one.outcome === 'pass') ? 'pass' : 'fail',
    base: baseOf(base.identity),
    series: { name, changeId, version, hash, patches: series.patches.length },
    config: 'lab',
    compiler: 'gcc 12.2.0',
    qemu: 'QEMU emulator version 7.2.22',
    accel: { used: 'tcg', reason: 'forced' },
    suites: ['virtio kunit'],
    seconds: 10,
    patches: [...patches],
    ...over,
  }
  saveProof(proofSchema.parse(proof), cache)
}

const all = [1, 2, 3].map((number) => patchProof(number))
const reasons = (check?: CheckRecord): string[] =>
  evidenceReasons({ ...gatherEvidence(applied, cache), check })

describe('what forbids mailing', () => {
  test('no proof', () => {
    expect(reasons()).toEqual([expect.stringMatching(/no proof/)])
  })

  test('nothing, when every patch is proved', () => {
    prove(all)
    expect(reasons()).toEqual([])
  })

  test('no proof of the group, though the whole series is proved', () => {
    prove(all)
    const group = {
      ...applied,
      series: { ...applied.series, group: 'g', hash: 'other' },
    }
    const evidence = gatherEvidence(group, cache, applied)
    expect(evidenceReasons(evidence)).toEqual([expect.stringMatching(/stale.*run phyr prove --group g$/)])
  })

  test('a proof of other patches', () => {
    const { name, changeId, version } = applied.series
    prove(all, { series: { name, changeId, version, hash: '0123456789abcdef', patches: 3 } })
    expect(reasons()).toEqual([expect.stringMatching(/stale.*0123456789abcdef/)])
  })

  test('a proof of another base', () => {
    prove(all, { base: { ...baseOf(applied.base.identity), tree: 'f'.repeat(40) } })
    expect(reasons()).toEqual([expect.stringMatching(/another base.*ffffffffffff/)])
  })

  test('a patch that was left out, and one that fails', () => {
    prove([all[0]!, patchProof(3, { outcome: 'fail', stage: 'boot', reasons: ['it oopses'] })])
    expect(reasons()).toEqual([
      expect.stringMatching(/1 of 3 patches are not proved: 2/),
      expect.stringMatching(/patch 3.*fail at boot: it oopses/),
    ])
  })

  test('a run of this very tree that failed last, until it passes', () => {
    prove(all)
    const record = (outcome: 'pass' | 'fail', tree: string): RunOutput => {
      const given = sample(false).output
      const run = { ...given.runs[0]!, machine: 'virtio', suite: 'kunit', outcome }
      const counts =
        outcome === 'pass' ? { passed: 3, failed: 0 } : { passed: 0, failed: 1, reasons: ['it hangs'] }
      return {
        ...given,
        outcome,
        base: baseOf(applied.base.identity),
        series: { ...given.series, tree },
        runs: [{ ...run, ...counts }],
      }
    }
    saveRecord(record('fail', 'e'.repeat(40)), cache, new Date('2026-11-21T10:00:00Z'))
    expect(reasons()).toEqual([])
    saveRecord(record('fail', applied.tree), cache, new Date('2026-11-21T11:00:00Z'))
    expect(reasons()).toEqual([expect.stringMatching(/kunit on virtio .*failed.*it hangs/)])
    saveRecord(record('pass', applied.tree), cache, new Date('2026-11-21T12:00:00Z'))
    expect(reasons()).toEqual([])
  })

  test('an open finding of a check, not one that is justified', () => {
    prove(all)
    const check = (justified?: string): CheckRecord => ({
      schema: 1,
      outcome: justified ? 'pass' : 'fail',
      base: baseOf(applied.base.identity),
      series: { name: 'x', changeId: 'x', version: 1, hash: 'x', patches: 3 },
      tools: {},
      patches: [
        {
          number: 1,
          file: '0001-step.patch',
          subject: 'x',
          outcome: 'pass',
          cached: false,
          seconds: 1,
          findings: [
            {
              tool: 'checkpatch',
              level: 'warning',
              message: 'too long',
              ...(justified ? { justified } : {}),
            },
          ],
          skipped: [{ tool: 'coccicheck', why: 'spatch is not there' }],
        },
      ],
      cover: [],
      justifications: [],
    })
    expect(reasons(check())).toEqual(['0001-step.patch: checkpatch: too long'])
    expect(reasons(check('as the file around it'))).toEqual([])
    const text = evidenceText({ ...gatherEvidence(applied, cache), check: check('x') }, [], [])
    expect(text).toMatch(/nothing is open, 1 finding stays/)
    expect(text).toMatch(/coccicheck: spatch is not there/)
  })
})

describe('the block in the cover letter', () => {
  test('says first what forbids mailing, and last what was not tested', () => {
    const text = evidenceText(
      gatherEvidence(applied, cache),
      ['there is no proof'],
      ['virtio kunit', 'nvme fio'],
    )
    expect(text).toMatch(/^Evidence\n=+\n\nNOT TO BE MAILED AS IT IS:\n- there is no proof\n/)
    expect(text).toMatch(/Not tested:\n- at this state of the series: virtio kunit, nvme fio\n/)
    expect(text).toMatch(/real hardware: all of this ran in QEMU$/)
  })

  test('has the matrix of the proof, in ASCII of 72 columns', () => {
    prove([
      all[0]!,
      all[1]!,
      patchProof(3, { uncompiled: [{ file: 'arch/s390/x.c', line: 3, text: 'x' }], runs: [] }),
    ])
    const text = evidenceText(gatherEvidence(applied, cache), [], [])
    expect(text).toMatch(/^ {2}virtio {3}kunit +2 of 3 +9$/m)
    expect(text).toMatch(/1 changed line that no config compiled: arch\/s390\/x\.c \(1\)/)
    expect(text).not.toContain('NOT TO BE MAILED')
    expect(text).toMatch(/^[\x20-\x7e\n]*$/)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(72)
  })
})
