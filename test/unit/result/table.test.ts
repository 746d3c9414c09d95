// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { verdictTable, verdictText, wantsColour } from '../../../tools/result/table.ts'
import { sample, sampleFinding } from './sample.ts'

const plain = (width: number): { colour: false; width: number } => ({ colour: false, width })

test('the whole table', async () => {
  await expect(`${verdictTable(sample(true).output, plain(120))}\n`).toMatchFileSnapshot(
    'golden/table-fail.txt',
  )
})

test('on a narrow terminal columns go, the outcome stays, and no line of the table is too long', async () => {
  const text = verdictTable(sample(true).output, plain(44))
  await expect(`${text}\n`).toMatchFileSnapshot('golden/table-narrow.txt')
  const table = text.split('\n').filter((l) => /^(machine|virtio|nvme|p2pdma|hugepages) /.test(l))
  expect(table).toHaveLength(12)
  for (const line of table) expect(line.length).toBeLessThanOrEqual(44)
  for (const line of table.slice(1)) expect(line).toMatch(/ (pass|fail|skip)\b/)
})

test('a finding instead of runs', async () => {
  await expect(`${verdictTable(sampleFinding(), plain(80))}\n`).toMatchFileSnapshot(
    'golden/table-finding.txt',
  )
})

test('colour changes nothing but the colour', () => {
  const { output } = sample(true)
  const coloured = verdictTable(output, { colour: true, width: 120 })
  expect(coloured).toContain('\x1b[1;31mfail\x1b[0m')
  expect(coloured.replaceAll(/\x1b\[[\d;]*m/g, '')).toBe(verdictTable(output, plain(120)))
})

test('NO_COLOR, a pipe and a dumb terminal get no colour', () => {
  expect(wantsColour({ isTTY: true }, {})).toBe(true)
  expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false)
  expect(wantsColour({ isTTY: true }, { NO_COLOR: '' })).toBe(true)
  expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false)
  expect(wantsColour({ isTTY: false }, {})).toBe(false)
})

test('hostile names cannot move the cursor, break the line or turn the direction of writing', () => {
  const { output } = sample(true)
  const evil = 'x\x1b[2J\x1b[1;1HPASS\r\n\tfake\u202e\u0000'
  const runs = output.runs.map((r) => ({ ...r, machine: evil, suite: evil, reasons: [evil], log: evil }))
  const clean = verdictTable({ ...output, runs, report: evil }, plain(400))
  expect(clean).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/)
  expect(clean.split('\n')).toHaveLength(verdictTable(output, plain(400)).split('\n').length - 1)
  expect(clean).toContain('x\\x1b[2J\\x1b[1;1HPASS\\x0d\\n\\tfake\\u{202e}\\x00')
})

test('the sentence of the verdict', () => {
  const { output } = sample(false)
  expect(verdictText(output)).toMatch(/^all 10 runs passed; tests: \d+ passed, 0 failed, 9 skipped$/)
  expect(verdictText(sample(true).output)).toMatch(/^1 of 11 runs failed; /)
  expect(verdictText({ ...output, runs: [] })).toBe('nothing was run')
  expect(verdictText(sampleFinding())).toBe('apply: 0002-b.patch does not apply to Linux 7.3.4')
})
