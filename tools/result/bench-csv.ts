// SPDX-License-Identifier: GPL-2.0-only
import type { BenchCase, BenchOutput, Figures } from './bench-record.ts'
import { changeOf } from './figures.ts'
import { oneLine } from './format.ts'

type Cell = string | number | boolean | null | undefined

/** What identifies the record that a line is from; the same columns in both files. */
const RECORD = [
  'time',
  'series_name',
  'series_version',
  'series_patches',
  'series_hash',
  'linux_version',
  'linux_tree',
  'qemu',
  'fio',
  'compiler',
  'config',
  'cpu',
  'cpus',
  'load_highest',
] as const

/**
 * The cases of records as CSV (RFC 4180: CRLF, a header line): one line a case and mode. Numbers are unrounded; what
 * was not measured is an empty cell. `ratio` has a number in lines that are not resolvable, too: read `resolvable`.
 */
export function benchCsv(records: readonly BenchOutput[]): string {
  const heads = [
    ...RECORD,
    'mode',
    'accel',
    'base_point',
    'series_point',
    'case',
    'against',
    'unit',
    'base',
    'series',
    'ratio',
    'low',
    'high',
    'resolvable',
    'change',
    'repeats',
    'spread_base',
    'spread_series',
    'smallest',
    'why',
  ]
  const rows = records.flatMap((record) => {
    const line = ({ name, against }: BenchCase, mode: 'deterministic' | 'wall-clock', f: Figures): Cell[] => [
      ...recordCells(record),
      mode,
      (mode === 'deterministic' ? record.accel.deterministic : record.accel.wallClock)?.used,
      record.points.base.label,
      record.points.series.label,
      name,
      against?.case,
      f.unit,
      f.base,
      f.series,
      f.ratio,
      f.low,
      f.high,
      f.resolvable,
      changeOf(f),
      f.repeats,
      f.spread.base,
      f.spread.series,
      f.smallest,
      f.why,
    ]
    return record.cases.flatMap((c) => [
      line(c, record.mode === 'wall-clock' ? 'wall-clock' : 'deterministic', c),
      ...(c.wall ? [line(c, 'wall-clock', c.wall)] : []),
    ])
  })
  return csv(heads, rows)
}

/** The walks of records as CSV: one line a point. Empty when no record has one. */
export function walkCsv(records: readonly BenchOutput[]): string {
  const heads = [...RECORD, 'case', 'unit', 'patch', 'file', 'subject', 'cost', 'costly', 'ratio', 'kernel']
  const rows = records.flatMap(({ walk, ...record }) =>
    (walk?.steps ?? []).map((step): Cell[] => {
      const costly = walk?.costly.find((c) => c.number === step.number)
      return [
        ...recordCells(record),
        walk?.case,
        walk?.unit,
        step.number,
        step.file,
        step.subject,
        step.cost,
        costly !== undefined,
        costly?.ratio,
        step.kernel,
      ]
    }),
  )
  return rows.length === 0 ? '' : csv(heads, rows)
}

function recordCells(record: BenchOutput): Cell[] {
  const { seriesOf, linux, host } = record
  return [
    record.time,
    seriesOf.name,
    seriesOf.version,
    seriesOf.patches,
    seriesOf.hash,
    linux.version,
    linux.tree,
    record.qemu,
    record.fio,
    record.compiler,
    record.config,
    host.cpu,
    host.cpus,
    host.load.highest,
  ]
}

function csv(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [heads, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}

/**
 * Text is always quoted, in one line, and with what a terminal would obey made visible. A spreadsheet takes a text
 * that begins with one of these characters for a formula, quoted or not: it gets an apostrophe in front, as OWASP
 * ("CSV Injection") has it. Blanks in front are passed over, as some programs do.
 */
function cell(value: Cell): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') return String(value)
  const text = oneLine(value)
  const guarded = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text
  return `"${guarded.replaceAll('"', '""')}"`
}
