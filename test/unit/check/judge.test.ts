// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { b4Json, b4Lines } from '../../../tools/check/b4-answer.ts'
import type { CheckFinding, PatchCheck } from '../../../tools/check/check-record.ts'
import { choosePatches } from '../../../tools/check/choose.ts'
import { coverRules } from '../../../tools/check/cover.ts'
import { fixesExist, hasHistory } from '../../../tools/check/fixes.ts'
import { justify, readJustifications } from '../../../tools/check/justify.ts'
import { readMail } from '../../../tools/check/mail.ts'
import { UsageError } from '../../../tools/lib/errors.ts'
import { gitIn, makeCheckout, scratch, writeFiles } from '../base/repo-fixture.ts'
import { commitFile } from '../series/series-fixture.ts'
import { mailOf } from './mails.ts'

let dir: string
let remove: () => void
beforeEach(() => ({ dir, remove } = scratch()))
afterEach(() => remove())

const FILES = ['0001-mm-x.patch', '0002-mm-y.patch']
const finding: CheckFinding = {
  tool: 'checkpatch',
  level: 'warning',
  file: 'mm/gup.c',
  line: 3,
  message: 'LONG_LINE: too long',
}

function checkOf(
  file: string,
  findings: readonly CheckFinding[],
  skipped: PatchCheck['skipped'] = [],
): PatchCheck {
  return {
    number: FILES.indexOf(file) + 1,
    file,
    subject: 's',
    outcome: 'pass',
    cached: false,
    seconds: 0,
    findings,
    skipped,
  }
}

const entry = { tool: 'checkpatch', patch: 'mm-x.patch', match: 'mm/gup.c: LONG_LINE', why: 'a long message' }

test('a justification marks its finding, in its patch only, whatever the number', () => {
  const checks = [checkOf('0001-mm-x.patch', [finding]), checkOf('0002-mm-y.patch', [finding])]
  const { patches, unused } = justify(checks, [entry], FILES)
  expect(patches.map((patch) => patch.findings[0]?.justified)).toEqual(['a long message', undefined])
  expect(unused).toEqual([])
  const numbered = justify(checks, [{ ...entry, patch: '0003-mm-x.patch' }], FILES)
  expect(numbered.patches[0]?.findings[0]?.justified).toBeUndefined()
  expect(numbered.unused).toHaveLength(1)
})

test('one that justifies nothing is a finding, unless nobody looked', () => {
  const clean = [checkOf('0001-mm-x.patch', []), checkOf('0002-mm-y.patch', [])]
  expect(justify(clean, [entry], FILES).unused[0]?.message).toContain('it justifies nothing: checkpatch')
  // Another patch was asked for, or the tool was not there.
  expect(justify(clean.slice(1), [entry], FILES).unused).toEqual([])
  const noTool = checkOf('0001-mm-x.patch', [], [{ tool: 'checkpatch', why: 'no perl' }])
  expect(justify([noTool], [entry], FILES).unused).toEqual([])
  // A patch that is gone.
  expect(justify(clean, [{ ...entry, patch: 'mm-z.patch' }], FILES).unused).toHaveLength(1)
})

test('checks.yaml has reasons, and no keys that nobody knows', () => {
  expect(readJustifications(dir)).toEqual([])
  const write = (text: string): void => writeFiles(dir, { 'checks.yaml': text })
  write('justified:\n  - {tool: checkpatch, patch: mm-x.patch, match: LONG_LINE, why: it is a table}\n')
  expect(readJustifications(dir)).toHaveLength(1)
  write('justified:\n  - {tool: checkpatch, match: LONG_LINE}\n')
  expect(() => readJustifications(dir)).toThrow(UsageError)
  write('justified: []\nignored: []\n')
  expect(() => readJustifications(dir)).toThrow(/checks.yaml:2:1/)
})

test('numbers, ranges and names of patches', () => {
  const files = ['0001-a.patch', '0002-b.patch', '0003-c.patch', '0004-d.patch']
  expect(choosePatches([], files)).toBeUndefined()
  expect(choosePatches(['3', '1-2', '2', 'patches/0003-c.patch'], files)).toEqual([1, 2, 3])
  expect(choosePatches(['3-'], files)).toEqual([3, 4])
  expect(choosePatches(['2..3'], files)).toEqual([2, 3])
  for (const bad of ['0', '5', '3-2', '0009-x.patch', '-', '']) {
    expect(() => choosePatches([bad], files), bad).toThrow(UsageError)
  }
})

test('the cover letter', () => {
  const said = (text: string | undefined): string[] =>
    coverRules(text).map((one) => `${one.line} ${one.message}`)
  expect(
    said('# mm: one type for all\n\nText.\n\n    a table as wide as it likes '.padEnd(200, 'x')),
  ).toEqual([])
  expect(said(undefined)).toEqual(['undefined there is no cover letter: patches/cover.md'])
  expect(said('Title\n\nText')).toEqual(['1 the first line is not "# subject"'])
  expect(said('# Title.\n')).toEqual([
    '1 the subject ends with "."',
    'undefined the cover letter has no text',
  ])
  expect(said('# T\n\nTODO: write\nXXX\n*** BLURB HERE ***\nEDITME')).toHaveLength(4)
  expect(said('# T\n\ntodo lists and XXXL are words')).toEqual([])
  expect(said(`# T\n\n${'word '.repeat(17)}`)).toEqual(['3 more than 80 columns in line 3'])
  expect(said('# T\n\nText\n---\nFrom here\nesc \x1b')).toHaveLength(3)
  expect(said('# T\n\nText\n\nReviewed-by: A <a@b.org>')).toHaveLength(1)
})

test('commits that Fixes names are looked up where there is history, and not invented where there is none', async () => {
  const linux = await makeCheckout(join(dir, 'linux'))
  const repo = join(linux, '.git')
  const base = await gitIn(linux, 'rev-parse', 'HEAD')
  expect(await hasHistory(repo, base)).toBe(false)
  await commitFile(linux, 'mm/gup.c', 'bug\n', 'mm: bring in a bug')
  const bug = await gitIn(linux, 'rev-parse', 'HEAD')
  expect(await hasHistory(repo, bug)).toBe(true)
  const said = async (fixes: string, at = bug, history = true): Promise<string[]> => {
    const mail = readMail(mailOf({ trailers: `Fixes: ${fixes}\nAssisted-by: LLM` }))
    return (await fixesExist(mail, repo, at, history)).map((one) => `${one.level} ${one.message}`)
  }
  expect(await said(`${bug.slice(0, 12)} ("mm: bring in a bug")`)).toEqual([])
  expect(await said(`${bug.slice(0, 12)} ("mm: another")`)).toEqual([
    `error Fixes: the subject of ${bug.slice(0, 12)} is "mm: bring in a bug"`,
  ])
  expect(await said('0123456789ab ("mm: bring in a bug")')).toEqual([
    'error Fixes names 0123456789ab, which the base does not have',
  ])
  // Newer than the base.
  expect(await said(`${bug.slice(0, 12)} ("mm: bring in a bug")`, base)).toEqual([
    `error Fixes names ${bug.slice(0, 12)}, which the base does not contain`,
  ])
  expect(await said(`${bug.slice(0, 12)} ("mm: bring in a bug")`, bug, false)).toEqual([
    `note Fixes ${bug.slice(0, 12)} was not looked up: the base has no history`,
  ])
})

test("b4's lines and b4's JSON", () => {
  const findings: CheckFinding[] = [
    finding,
    { ...finding, level: 'error', message: 'says ERROR: itself' },
    { ...finding, justified: 'a long message' },
    { tool: 'message', level: 'warning', line: 7, message: 'not an ERROR: this' },
    { tool: 'message', level: 'note', line: 7, message: 'only a note' },
  ]
  const skipped = [{ tool: 'coccicheck', why: 'spatch is not installed' }]
  const lines = b4Lines({ findings, skipped }).split('\n')
  expect(lines).toEqual([
    'mm/gup.c:3: WARNING: checkpatch: LONG_LINE: too long',
    'mm/gup.c:3: ERROR: checkpatch: says ERROR itself',
    '-:7: WARNING: message: not an ERROR this',
    'WARNING: coccicheck did not look: spatch is not installed',
    '',
  ])
  expect(b4Lines({ findings: findings.slice(2, 3), skipped: [] })).toBe('')
  const json = b4Json({ findings, skipped })
  expect(json.map(({ tool, status }) => `${tool} ${status}`)).toEqual([
    'phyr checkpatch fail',
    'phyr kernel-doc pass',
    'phyr codespell pass',
    'phyr coccicheck warn',
    'phyr maintainers pass',
    'phyr message warn',
  ])
  expect(json[0]).toMatchObject({ summary: '2 findings, 1 justified' })
  expect(json[3]?.summary).toContain('did not look')
})
