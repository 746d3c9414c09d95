// SPDX-License-Identifier: GPL-2.0-only
import type { BenchCase, BenchOutput, Figures, GateVerdict } from './bench-record.ts'
import { contextLines, functionsLines, painted, targetLines, walkLines } from './bench-table-parts.ts'
import {
  OPEN,
  accelText,
  costDecimals,
  groupOf,
  grouping,
  isResolved,
  meaningText,
  ratioText,
  repeatsText,
  sameKernel,
  shortName,
  summaryText,
  titleOf,
  unitOfVerdict,
  wallCases,
  whyOpen,
} from './bench-words.ts'
import { changeOf } from './figures.ts'
import { plural } from './format.ts'
import { fit, readable, textTable, wrap, type Paint } from './plain-text.ts'

/** Reasons under a table, each once, by number. */
class Notes {
  readonly #texts: string[] = []

  /** The mark of a reason: "[1]". */
  mark(text: string): string {
    if (!this.#texts.includes(text)) this.#texts.push(text)
    return `[${this.#texts.indexOf(text) + 1}]`
  }

  lines(): string[] {
    return this.#texts.flatMap((text, i) => wrap(`[${i + 1}] ${text}`, ' '.repeat(`[${i + 1}] `.length)))
  }
}

/**
 * Everything that a bench found, for a terminal, a cover letter or a changelog: printable ASCII, at most 72 columns
 * (a colour's codes take none). A ratio that says nothing is "n/r" with its reason below. Ends without a newline.
 */
export function benchTable(output: BenchOutput, options: { readonly colour: boolean }): string {
  const parts = [
    headLines(output),
    casesLines(output, options.colour),
    ...(output.mode === 'both' ? [clockLines(output, options.colour)] : []),
    targetLines(output, options.colour),
    functionsLines(output.cases),
    ...(output.walk ? [walkLines(output.walk, options.colour)] : []),
    ...(output.context ? [contextLines(output.context, output.points)] : []),
    ...(output.gate ? [gateLines(output.gate, output.cases, options.colour)] : []),
    output.notes.flatMap((n) => wrap(`Note: ${n}`, '  ')),
    wrap(`${summaryText(output.cases)}.`, '  '),
  ]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

/** What was measured, on what. */
export function headLines(output: BenchOutput): string[] {
  const { base, series } = output.points
  const { load } = output.host
  return [
    ...wrap(`${titleOf(output)}: ${series.label} against ${base.label}`, '  '),
    ...wrap(`${output.qemu}, ${accelText(output)}`, '  '),
    ...wrap(
      `${output.host.cpu}, ${plural(output.host.cpus, 'CPU')}, load of others at most ${load.highest.toFixed(2)}`,
      '  ',
    ),
    ...wrap(`${meaningText(output)} ${repeatsText(output.cases)}.`, '  '),
    ...(sameKernel(output)
      ? wrap('Both kernels are the same code and data: a difference is noise.', '  ')
      : []),
  ]
}

function casesLines(output: BenchOutput, colour: boolean): string[] {
  const wall = output.cases.some((c) => c.wall)
  const extra = wall
    ? [
        {
          head: 'by time',
          right: true,
          cell: (c: BenchCase, notes: Notes) => (c.wall ? marked(c.wall, notes) : ''),
        },
      ]
    : [{ head: 'range', right: true, cell: (c: BenchCase) => rangeText(c) }]
  return figuresLines(output, output.cases, extra, colour)
}

function clockLines(output: BenchOutput, colour: boolean): string[] {
  const cases = wallCases(output)
  if (cases.length === 0) return []
  const range = [{ head: '95 %', right: true, cell: rangeText }]
  return [
    ...wrap(`The same by the clock, ${repeatsText(cases)}, ${accelOfClock(output)}:`, '  '),
    ...figuresLines(output, cases, range, colour),
  ]
}

function accelOfClock(output: BenchOutput): string {
  return output.accel.wallClock ? `under ${output.accel.wallClock.used}` : 'accelerator not recorded'
}

interface Extra<T> {
  readonly head: string
  readonly right: boolean
  readonly cell: (one: T, notes: Notes) => string
}

/** Cases under the headings of their groups, with unit; reasons below. */
function figuresLines<T extends Figures & Pick<BenchCase, 'name' | 'against'>>(
  output: BenchOutput,
  cases: readonly T[],
  extra: readonly Extra<T>[],
  colour: boolean,
): string[] {
  if (cases.length === 0) return []
  const notes = new Notes()
  const rows: (readonly string[] | string)[] = []
  const ones: (T | undefined)[] = []
  const headingOf = (c: T): string => `${groupOf(c.name)}, ${c.unit}${c.against ? ', one kernel' : ''}`
  for (const [heading, some] of grouping(cases, headingOf)) {
    rows.push(heading)
    ones.push(undefined)
    for (const c of some) {
      rows.push([
        `  ${shortName(c.name)}${c.against ? ` against ${shortName(c.against.case)}` : ''}`,
        ...costs(c.base, c.series),
        marked(c, notes),
        ...extra.map((e) => e.cell(c, notes)),
      ])
      ones.push(c)
    }
  }
  const { base, series } = output.points
  const paint: Paint = (text, row, column) => {
    const one = ones[row]
    return colour && one && column === 3 ? painted(text, changeOf(one)) : text
  }
  const columns = [
    { head: '' },
    { head: fit(base.label, 12), right: true },
    { head: fit(series.label, 12), right: true },
    { head: 'ratio', right: true },
    ...extra,
  ]
  return [...textTable(columns, rows, paint), ...notes.lines(), ...againstLines(output, cases)]
}

/** What stands left of the cases that are against another one. */
function againstLines(output: BenchOutput, cases: readonly Pick<BenchCase, 'name' | 'against'>[]): string[] {
  const { base, series } = output.points
  const texts = cases.flatMap(({ name, against }) =>
    against ? [`${shortName(name)}: left is ${shortName(against.case)}, ${against.what}`] : [],
  )
  if (texts.length === 0) return []
  return [
    ...wrap(
      `One kernel: what stands under "${base.label}" is the other case, measured in the kernel of "${series.label}" as well.`,
      '  ',
    ),
    ...[...new Set(texts)].flatMap((text) => wrap(text, '    ', '  ')),
  ]
}

function gateLines(gate: readonly GateVerdict[], cases: readonly BenchCase[], colour: boolean): string[] {
  if (gate.length === 0) return []
  const rows: (readonly string[] | string)[] = []
  const ones: (GateVerdict | undefined)[] = []
  for (const [unit, some] of grouping(gate, (v) => unitOfVerdict(v, cases))) {
    rows.push(unit === '' ? 'not in this record' : unit)
    ones.push(undefined)
    for (const v of some) {
      const ratio = ratioText({ ratio: v.ratio, resolvable: v.outcome !== 'skip' })
      rows.push([`  ${v.case}`, v.outcome, ratio, v.limit.toFixed(3)])
      ones.push(v)
    }
  }
  const paint: Paint = (text, row, column) => {
    const one = ones[row]
    return colour && one && column === 1 ? painted(text, one.outcome) : text
  }
  const columns = [
    { head: '' },
    { head: 'gate' },
    { head: 'ratio', right: true },
    { head: 'limit', right: true },
  ]
  return [
    ...textTable(columns, rows, paint),
    ...gate.flatMap((v) => {
      if (v.outcome === 'pass') return []
      const where = [
        ...(v.patch === undefined ? [] : [v.patch]),
        ...(v.function === undefined ? [] : [`${v.function}()`]),
      ]
      return wrap(
        `${v.outcome} ${v.case}: ${v.why}${where.length > 0 ? `; most in ${where.join(', ')}` : ''}`,
        '  ',
      )
    }),
  ]
}

/** A ratio, or n/r with the mark of its reason. */
function marked(figures: Figures, notes: Notes): string {
  return isResolved(figures) ? ratioText(figures) : `${OPEN}${notes.mark(whyOpen(figures))}`
}

function rangeText(figures: Figures): string {
  if (!isResolved(figures) || figures.low === null || figures.high === null) return ''
  return `${figures.low.toFixed(3)}-${figures.high.toFixed(3)}`
}

/** Two costs with as many decimals as the larger needs. */
function costs(base: number | null, series: number | null): [string, string] {
  const decimals = costDecimals(Math.max(base ?? 0, series ?? 0))
  const text = (cost: number | null): string => (cost === null ? '-' : readable(cost, decimals))
  return [text(base), text(series)]
}
