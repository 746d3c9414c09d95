// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest'
import { Finding, LabError } from '../../../tools/lib/errors.ts'
import {
  baseOf,
  errorOutput,
  exitCodeOf,
  findingOf,
  outcomeOf,
  printedSchema,
  runLine,
  runOutputSchema,
} from '../../../tools/result/record.ts'
import { runResultSchema } from '../../../tools/result/result.ts'
import { sample, sampleFinding, sampleResult } from './sample.ts'

function issues(result: {
  success: boolean
  error?: { issues: { message: string }[] } | undefined
}): string[] {
  return result.error?.issues.map((i) => i.message) ?? []
}

describe('round trip', () => {
  test.each([true, false])('a record through JSON is the same (failing: %s)', (failing) => {
    const { output, results } = sample(failing)
    expect(printedSchema.parse(JSON.parse(JSON.stringify(output)))).toEqual(output)
    for (const r of results.values()) expect(runResultSchema.parse(JSON.parse(JSON.stringify(r)))).toEqual(r)
  })

  test('a finding', () => {
    expect(printedSchema.parse(JSON.parse(JSON.stringify(sampleFinding())))).toEqual(sampleFinding())
  })

  test('an error of the lab has what, why and fix, and nothing that looks like a result', () => {
    const plain = errorOutput(new LabError({ what: 'w', why: 'y', fix: 'f' }))
    expect(plain).toEqual({ schema: 1, error: { what: 'w', why: 'y', fix: 'f' } })
    expect(printedSchema.parse(plain)).toEqual(plain)
    const long = errorOutput(new LabError({ what: 'w', why: 'y', fix: 'f', detail: ['last line'] }))
    expect(printedSchema.parse(long)).toEqual({
      schema: 1,
      error: { what: 'w', why: 'y', fix: 'f', detail: ['last line'] },
    })
  })
})

describe('refused', () => {
  const { output } = sample(false)
  const run = output.runs[0] ?? expect.fail('the sample has no runs')

  test('another version, an unknown key, a missing key', () => {
    expect(runOutputSchema.safeParse({ ...output, schema: 2 }).success).toBe(false)
    expect(runOutputSchema.safeParse({ ...output, extra: 1 }).success).toBe(false)
    const { report: _, ...without } = output
    expect(runOutputSchema.safeParse(without).success).toBe(false)
  })

  test('a record that says pass while a run failed', () => {
    const runs = [...output.runs, { ...run, outcome: 'fail' as const, failed: 1 }]
    expect(issues(runOutputSchema.safeParse({ ...output, runs }))).toEqual([
      'outcome is pass, the runs say fail',
    ])
  })

  test('a run that passes with failures, or with nothing that passed', () => {
    const bad = runOutputSchema.safeParse({ ...output, runs: [{ ...run, failed: 2 }] })
    expect(issues(bad)).toEqual(['outcome is pass and 2 failed'])
    const empty = runOutputSchema.safeParse({ ...output, runs: [{ ...run, passed: 0 }] })
    expect(issues(empty)).toEqual(['outcome is pass and nothing passed'])
  })

  test('a pass without a single run', () => {
    expect(issues(runOutputSchema.safeParse({ ...output, runs: [] }))).toEqual([
      'outcome is pass, the runs say skip',
    ])
  })

  test('a pass with data that did not verify', () => {
    const fio = output.fio.map((f) => (f.verified === true ? { ...f, verified: false } : f))
    expect(issues(runOutputSchema.safeParse({ ...output, fio }))).toContain(
      'outcome is pass, and a fio job did not verify',
    )
  })

  test('a finding beside runs', () => {
    const both = { ...sampleFinding(), runs: output.runs }
    expect(issues(runOutputSchema.safeParse(both))).toContain('there is a finding, and runs')
  })

  test.each([
    ['a hang', { end: 'hang' as const, deadline: 'init' as const }],
    ['a kernel complaint', { splats: [{ kind: 'bug' as const, title: 'BUG: x', lines: [] }] }],
    ['wrong data', { fio: (sample(false).output.fio ?? []).map((f) => ({ ...f, verified: false })) }],
  ])('a stored pass with %s', (_, changes) => {
    expect(runResultSchema.safeParse(sampleResult(changes)).success).toBe(false)
  })
})

function of(...outcomes: ('pass' | 'fail' | 'skip')[]): string {
  return outcomeOf(outcomes.map((outcome) => ({ outcome })))
}

test('outcome and exit code', () => {
  expect([of('pass', 'skip'), of('skip', 'skip'), of(), of('pass', 'fail', 'skip')]).toEqual([
    'pass',
    'skip',
    'skip',
    'fail',
  ])
  expect(exitCodeOf(sample(false).output)).toBe(0)
  expect(exitCodeOf(sample(true).output)).toBe(1)
  expect(exitCodeOf({ ...sample(false).output, runs: [], outcome: 'skip' })).toBe(4)
  expect(exitCodeOf(errorOutput(new LabError({ what: 'w', why: 'y', fix: 'f' })))).toBe(125)
})

test('the line of a run takes over what the result says', () => {
  const { init: _, ...ms } = sampleResult().ms
  const result = sampleResult({
    outcome: 'fail',
    failed: 1,
    end: 'hang',
    deadline: 'init',
    ms,
    splats: [{ kind: 'oops', title: 'Oops: 0002', lines: ['a', 'b'] }],
  })
  const line = runLine(result, true)
  expect(line).toMatchObject({
    machine: 'virtio',
    outcome: 'fail',
    failed: 1,
    cached: true,
    end: 'hang',
    splats: ['Oops: 0002'],
  })
  expect(line).not.toHaveProperty('bootMs')
  expect(runLine(sampleResult(), false)).toMatchObject({
    bootMs: 1123,
    cached: false,
    key: sampleResult().key,
  })
})

test('base and finding from the stages before', () => {
  const identity = {
    provider: 'git',
    version: '7.3.0-rc7',
    tree: 'a'.repeat(40),
    commit: 'b'.repeat(40),
  } as const
  expect(baseOf(identity)).toEqual({
    ...identity,
    identity: `Linux 7.3.0-rc7 from commit ${identity.commit}, tree ${identity.tree}`,
  })
  const deb = baseOf({
    ...identity,
    provider: 'debian',
    package: { name: 'linux-source-7.3', version: '7.3.4-1', sha256: 'c'.repeat(64) },
  })
  expect(deb.identity).toBe(`Linux 7.3.0-rc7 from linux-source-7.3 7.3.4-1, tree ${identity.tree}`)
  expect(findingOf(new Finding({ stage: 'build', message: 'm' }))).toEqual({
    stage: 'build',
    message: 'm',
    blame: null,
    detail: [],
  })
})
