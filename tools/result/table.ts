// SPDX-License-Identifier: GPL-2.0-only
import type { Outcome } from './result.ts'
import type { RunLine, RunOutput } from './record.ts'
import { duration, oneLine, plural } from './format.ts'

export interface TableOptions {
  /** SGR colours; see wantsColour(). */
  readonly colour: boolean
  /** Columns of the terminal. */
  readonly width: number
}

interface Column {
  readonly head: string
  readonly right: boolean
  /** When the terminal is too narrow, the column with the lowest rank goes first; undefined never goes. */
  readonly rank?: number
  readonly cell: (run: RunLine) => string
}

const COLUMNS: readonly Column[] = [
  { head: 'machine', right: false, cell: (r) => r.machine },
  { head: 'suite', right: false, cell: (r) => r.suite },
  { head: 'outcome', right: false, cell: (r) => r.outcome },
  { head: 'passed', right: true, rank: 4, cell: (r) => String(r.passed) },
  { head: 'failed', right: true, rank: 5, cell: (r) => String(r.failed) },
  { head: 'skipped', right: true, rank: 2, cell: (r) => String(r.skipped) },
  { head: 'time', right: true, rank: 3, cell: (r) => duration(r.seconds) },
  {
    head: 'boot',
    right: true,
    rank: 1,
    cell: (r) => (r.bootMs === undefined ? '-' : `${Math.round(r.bootMs)} ms`),
  },
  { head: '', right: false, rank: 2.5, cell: (r) => (r.cached ? 'cached' : '') },
]

/**
 * The verdict for a terminal: what was tested, one line a run, why the failed ones failed, and the outcome last,
 * where the eye is when the command ends. Ends without a newline.
 */
export function verdictTable(output: RunOutput, options: TableOptions): string {
  const lines = [...subject(output), '']
  if (output.runs.length > 0) lines.push(...runTable(output.runs, options), '')
  lines.push(...reasons(output, options), verdictLine(output, options))
  return lines.join('\n')
}

/** Whether a stream gets colours: a terminal, not TERM=dumb, and NO_COLOR (no-color.org) not set. */
export function wantsColour(
  stream: { readonly isTTY?: boolean | undefined },
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  return stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
}

/** "FAIL: 1 of 9 runs failed, 412 tests passed, 1 failed, 3 skipped". */
export function verdictText(output: RunOutput): string {
  const { runs, finding } = output
  if (finding) return `${finding.stage}: ${oneLine(finding.message)}`
  if (runs.length === 0) return 'nothing was run'
  const failed = runs.filter((r) => r.outcome === 'fail').length
  const skipped = runs.filter((r) => r.outcome === 'skip').length
  const sum = (of: (r: RunLine) => number): number => runs.reduce((n, r) => n + of(r), 0)
  const head =
    failed > 0
      ? `${failed} of ${plural(runs.length, 'run')} failed`
      : skipped > 0
        ? `${plural(runs.length - skipped, 'run')} passed, ${skipped} skipped`
        : runs.length === 1
          ? 'the run passed'
          : `all ${plural(runs.length, 'run')} passed`
  const tests = `tests: ${sum((r) => r.passed)} passed, ${sum((r) => r.failed)} failed, ${sum((r) => r.skipped)} skipped`
  return `${head}; ${tests}`
}

/** Reasons of a run that did not pass; a run that gives none is still named with how it ended. */
export function reasonsOf(run: RunLine): readonly string[] {
  if (run.outcome === 'pass') return []
  if (run.reasons && run.reasons.length > 0) return run.reasons
  return [run.end && run.end !== 'done' ? `the boot ended by ${run.end}` : `${run.failed} failed`]
}

function subject(output: RunOutput): string[] {
  const { base, series, kernel, accel } = output
  const rows: [string, string][] = [
    ['base', base.identity],
    [
      'series',
      `${series.name ?? 'series'} v${series.version}, ${plural(series.patches, 'patch', 'patches')}`,
    ],
  ]
  if (kernel) {
    const how = kernel.cached ? 'cached' : `built in ${duration(kernel.seconds)}`
    rows.push(['kernel', `${kernel.release}${kernel.config ? ` (${kernel.config})` : ''}, ${how}`])
  }
  if (accel) rows.push(['accel', `${accel.used}: ${accel.reason}`])
  return rows.map(([name, text]) => `${name.padEnd(7)} ${oneLine(text)}`)
}

function runTable(runs: readonly RunLine[], options: TableOptions): string[] {
  let columns = COLUMNS.map((column) => {
    const cells = runs.map((r) => oneLine(column.cell(r)))
    return { ...column, cells, width: Math.max(column.head.length, ...cells.map(widthOf)) }
  }).filter((c) => c.width > 0)
  const total = (): number => columns.reduce((n, c) => n + c.width + 2, -2)
  while (total() > options.width) {
    const ranks = columns.flatMap((c) => (c.rank === undefined ? [] : [c.rank]))
    if (ranks.length === 0) break
    const lowest = Math.min(...ranks)
    columns = columns.filter((c) => c.rank !== lowest)
  }
  const line = (cell: (column: (typeof columns)[number]) => string, colour?: Outcome): string =>
    columns
      .map((c) => {
        const text = cell(c)
        const gap = ' '.repeat(c.width - widthOf(text))
        const shown = colour && c.head === 'outcome' ? paint(text, colour, options) : text
        return c.right ? gap + shown : shown + gap
      })
      .join('  ')
      .trimEnd()
  const head = line((c) => c.head)
  return [
    options.colour ? `\x1b[2m${head}\x1b[0m` : head,
    ...runs.map((run, i) => line((c) => c.cells[i] ?? '', run.outcome)),
  ]
}

/** What a person sees as characters: an accent that is a code point of its own takes no column. */
function widthOf(text: string): number {
  return Array.from(segmenter.segment(text)).length
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

function reasons(output: RunOutput, options: TableOptions): string[] {
  const lines: string[] = []
  if (output.finding) {
    const { blame, detail } = output.finding
    if (blame !== null) lines.push(`at fault: ${oneLine(blame)}`)
    lines.push(...detail.slice(0, 20).map((l) => `  ${oneLine(l)}`), '')
  }
  for (const run of output.runs) {
    const why = reasonsOf(run)
    if (why.length === 0) continue
    lines.push(`${paint(run.outcome, run.outcome, options)} ${oneLine(`${run.machine} ${run.suite}`)}`)
    lines.push(...why.slice(0, 10).map((l) => `  ${oneLine(l)}`))
    if (why.length > 10) lines.push(`  and ${why.length - 10} more`)
    if (run.outcome === 'fail') lines.push(`  console: ${oneLine(run.log)}`)
    lines.push('')
  }
  return lines
}

function verdictLine(output: RunOutput, options: TableOptions): string {
  const report = output.report === null ? '' : `\nreport: ${oneLine(output.report)}`
  return `${paint(output.outcome.toUpperCase(), output.outcome, options)}: ${verdictText(output)}${report}`
}

function paint(text: string, outcome: Outcome, options: TableOptions): string {
  if (!options.colour) return text
  const code = { pass: '32', fail: '1;31', skip: '33' }[outcome]
  return `\x1b[${code}m${text}\x1b[0m`
}
