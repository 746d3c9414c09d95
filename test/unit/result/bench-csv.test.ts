// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { benchCsv, walkCsv } from '../../../tools/result/bench-csv.ts'
import { benchHistory, benchSample } from './bench-sample.ts'
import { poison } from './page.ts'

/** RFC 4180, read strictly: CRLF ends every line, quotes are doubled. */
function parse(text: string): Record<string, string>[] {
  const rows: string[][] = []
  let at = 0
  while (at < text.length) {
    const row: string[] = []
    for (;;) {
      const match = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y
      match.lastIndex = at
      const found = match.exec(text)
      if (!found) throw new Error(`not RFC 4180 at ${at}: ${text.slice(at, at + 60)}`)
      row.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '')
      at = match.lastIndex
      if (found[3] !== ',') break
    }
    rows.push(row)
  }
  const [heads = [], ...lines] = rows
  for (const line of lines) expect(line).toHaveLength(heads.length)
  return lines.map((line) => Object.fromEntries(line.map((cell, i) => [heads[i] ?? '', cell])))
}

test('one line a case and mode, with the numbers as they are', () => {
  const output = benchSample()
  const lines = parse(benchCsv([output]))
  expect(lines).toHaveLength(output.cases.length + output.cases.filter((c) => c.wall).length)
  for (const c of output.cases) {
    const [counted, timed] = lines.filter((l) => l['case'] === c.name)
    expect(counted).toMatchObject({ mode: 'deterministic', unit: c.unit, resolvable: String(c.resolvable) })
    for (const key of ['base', 'series', 'ratio', 'low', 'high', 'smallest'] as const) {
      expect(counted?.[key] === '' ? null : Number(counted?.[key])).toBe(c[key])
      if (c.wall) expect(Number(timed?.[key])).toBe(c.wall[key])
    }
    if (c.wall) expect(timed).toMatchObject({ mode: 'wall-clock', unit: c.wall.unit, accel: 'tcg' })
  }
})

test('the lines of several records say which they are from', () => {
  const records = benchHistory()
  const lines = parse(benchCsv(records))
  expect([...new Set(lines.map((l) => l['time']))]).toEqual(records.map((r) => r.time))
  expect([...new Set(lines.map((l) => `${l['series_version']} ${l['linux_version']}`))]).toEqual([
    '1 7.3.2',
    '2 7.3.2',
    '2 7.3.4',
    '3 7.3.4',
  ])
})

test('a walk is one line a point; without one there is nothing', () => {
  const output = benchSample()
  const lines = parse(walkCsv([output]))
  expect(lines.map((l) => l['cost'])).toEqual(
    output.walk!.steps.map((s) => (s.cost === null ? '' : String(s.cost))),
  )
  expect(lines.filter((l) => l['costly'] === 'true').map((l) => l['patch'])).toEqual(['5', '7'])
  const { walk: _, ...without } = output
  expect(walkCsv([without])).toBe('')
})

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '  =1', '\r=1', '\uff1d1', '=cmd|"/c calc"!A0'])(
  '%j is no formula',
  (text) => {
    const output = benchSample()
    const cases = output.cases.map((c) => ({ ...c, why: text }))
    const steps = output.walk!.steps.map((s) => ({ ...s, subject: text }))
    const evil = { ...output, cases, qemu: text, walk: { ...output.walk!, steps } }
    const cells = [
      ...parse(benchCsv([evil])).flatMap((l) => [l['why'], l['qemu']]),
      ...parse(walkCsv([evil])).map((l) => l['subject']),
    ].filter((c) => c !== undefined && c !== '')
    expect(cells.length).toBeGreaterThan(20)
    for (const cell of cells) expect(cell).not.toMatch(/^\s*[=+\-@\uff1d]/)
  },
)

test('hostile text stays in its cell', () => {
  const evil = poison(benchSample())
  const lines = parse(benchCsv([evil]))
  expect(lines).toHaveLength(parse(benchCsv([benchSample()])).length)
  expect(benchCsv([evil]).replaceAll('\r\n', '')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/)
})

test('a negative number is a number, not a formula', () => {
  const output = benchSample()
  const line = parse(benchCsv([{ ...output, cases: [{ ...output.cases[0]!, smallest: -0.5 }] }]))[0]
  expect(line?.['smallest']).toBe('-0.5')
})
