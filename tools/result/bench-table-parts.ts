// SPDX-License-Identifier: GPL-2.0-only
import type {
  BenchCase,
  BenchContext,
  BenchOutput,
  FunctionCost,
  StructLayout,
  TargetVerdict,
  Walk,
} from './bench-record.ts'
import { OPEN, boundText, changeText, costDecimals, grouping, isResolved, stepRatio } from './bench-words.ts'
import { GAP } from './format.ts'
import { MAIL_WIDTH, ascii, fit, readable, signed, textTable, wrap, type Paint } from './plain-text.ts'

/** SGR codes by what they say. */
const COLOUR = { more: '31', less: '32', fail: '1;31', pass: '32', skip: '33', unresolved: '33' } as const

/** The functions whose cost changed, of the cases whose change is one. */
export function functionsLines(cases: readonly BenchCase[]): string[] {
  return cases
    .flatMap((c) => {
      if (!c.functions || c.functions.length === 0 || !isResolved(c)) return []
      return [...wrap(`${c.name}: where it went, ${c.unit}`, '  '), ...functionTable(c.functions), '']
    })
    .slice(0, -1)
}

function functionTable(functions: readonly FunctionCost[], heads = ['base', 'series']): string[] {
  const decimals = costDecimals(Math.max(...functions.flatMap((f) => [f.base, f.series])))
  // The difference of what is shown: a reader subtracts.
  const shown = (cost: number): number => Number(cost.toFixed(decimals))
  return textTable(
    [{ head: '' }, ...[...heads, 'change'].map((head) => ({ head, right: true }))],
    functions.map((f) => [
      `  ${f.name}`,
      readable(f.base, decimals),
      readable(f.series, decimals),
      signed(shown(f.series) - shown(f.base), decimals),
    ]),
  )
}

/** A walk: every point with its cost and the ratio to the one before, and where the costly patches put it. */
export function walkLines(walk: Walk, colour: boolean): string[] {
  const costly = new Map(walk.costly.map((c) => [c.number, c]))
  const cells = walk.steps.map((step, i) => ({
    number: String(step.number),
    subject: step.subject ?? (step.number === 0 ? '(base)' : (step.file ?? '')),
    cost: step.cost === null ? '-' : readable(step.cost, costDecimals(step.cost)),
    ratio: stepRatio(walk, i),
    mark: costly.has(step.number) ? '<--' : '',
  }))
  const widest = (of: (cell: (typeof cells)[number]) => string, head: number): number =>
    Math.max(head, ...cells.map((c) => of(c).length))
  const taken = widest((c) => c.number, 0) + widest((c) => c.cost, 4) + widest((c) => c.ratio, 5) + 3 + 4 * 2
  const paint: Paint = (text, row, column) => {
    const ratio = costly.get(walk.steps[row]?.number ?? -1)?.ratio
    return colour && ratio !== undefined && column >= 3 ? painted(text, ratio > 1 ? 'more' : 'less') : text
  }
  const columns = [
    { head: '' },
    { head: 'after patch' },
    { head: 'cost', right: true },
    { head: 'ratio', right: true },
    { head: '' },
  ]
  return [
    ...wrap(`${walk.case} patch by patch, ${walk.unit}; ratio to the point before:`, '  '),
    ...textTable(
      columns,
      cells.map((c) => [c.number, fit(c.subject, MAIL_WIDTH - taken), c.cost, c.ratio, c.mark]),
      paint,
    ),
    ...(cells.some((c) => c.ratio === OPEN)
      ? wrap(`${OPEN}: the repeats do not tell the two points apart`)
      : []),
    ...walk.costly.flatMap((c) => [
      ...wrap(`${c.file} (${c.ratio.toFixed(3)}):`, '  '),
      ...(c.functions.length > 0 ? functionTable(c.functions, ['before', 'after']) : []),
    ]),
  ]
}

/** What the series promises: each list of targets under its title, a target's figures under what they are of. */
export function targetLines(output: BenchOutput, colour: boolean): string[] {
  const columns = [
    { head: '' },
    { head: fit(output.points.base.label, 12), right: true },
    { head: fit(output.points.series.label, 12), right: true },
    { head: 'change', right: true },
    { head: 'target', right: true },
    { head: '' },
  ]
  const tone = { met: 'pass', missed: 'fail', open: 'skip' } as const
  return [...grouping(output.targets ?? [], (t) => t.table)].flatMap(([title, some], i) => {
    const rows: (readonly string[] | string)[] = []
    const ones: (TargetVerdict | undefined)[] = []
    for (const [what, figures] of grouping(some, (t) => t.what)) {
      rows.push(what)
      ones.push(undefined)
      for (const t of figures) {
        const decimals = 'atMost' in t.bound ? 0 : costDecimals(Math.max(t.base ?? 0, t.series ?? 0))
        const [before, after] = [t.base, t.series].map((v) => (v === null ? '-' : readable(v, decimals)))
        // The operation is in the line above.
        const figure = t.figure.replace(/\/[A-Za-z]+$/, '')
        const words = [changeText(t), boundText(t.bound)].map((word) => word.replaceAll(GAP, ','))
        rows.push([`  ${figure}`, before!, after!, ...words, t.outcome])
        ones.push(t)
      }
    }
    const paint: Paint = (text, row, column) => {
      const one = ones[row]
      return colour && one && column === 5 ? painted(text, tone[one.outcome]) : text
    }
    return [
      ...(i > 0 ? [''] : []),
      ...wrap(title, '  '),
      ...textTable(columns, rows, paint),
      ...some.flatMap((t) => (t.why === undefined ? [] : wrap(`${t.case} ${t.outcome}: ${t.why}`, '  '))),
    ]
  })
}

/** Growth of the kernel, slab, and the layout of structs. */
export function contextLines(context: BenchContext, points: BenchOutput['points']): string[] {
  const row = (name: string, { base, series }: Sides): string[] => [
    name,
    bytes(base),
    bytes(series),
    base === null || series === null ? '' : bytes(series - base, true),
  ]
  const rows = [
    row('vmlinux text', context.text),
    row('vmlinux data', context.data),
    row('vmlinux bss', context.bss),
    ...(context.slab ? [row('slab after the boot', context.slab)] : []),
    ...context.structs.map((s) => row(s.name, s.bytes)),
  ]
  const columns = [
    { head: 'bytes' },
    { head: fit(points.base.label, 12), right: true },
    { head: fit(points.series.label, 12), right: true },
    { head: 'change', right: true },
  ]
  return [
    ...textTable(columns, rows),
    ...context.structs.flatMap((s) => [
      ...wrap(
        `${s.name}: ${layoutText(s)}, ${fromTo(s.holes)} in holes, ${fromTo(s.cachelines)} ${s.cachelines.series === 1 ? 'cache line' : 'cache lines'}`,
        '  ',
      ),
      ...s.changes.flatMap((change) => wrap(change, '    ', '  - ')),
    ]),
  ]
}

/** Text in the colour of what it says. */
export function painted(text: string, tone: keyof typeof COLOUR | 'same'): string {
  return tone === 'same' ? text : `\x1b[${COLOUR[tone]}m${ascii(text)}\x1b[0m`
}

/** What a struct's layout is beside the base's. */
export function layoutText(struct: StructLayout): string {
  if (struct.bytes.base === null) return 'new'
  if (struct.bytes.series === null) return 'gone'
  return struct.changes.length === 0 ? 'the same layout' : 'another layout'
}

/** A number of both points; null at one that does not have the thing. */
interface Sides {
  readonly base: number | null
  readonly series: number | null
}

function fromTo({ base, series }: Sides): string {
  return base === null || series === null || base === series
    ? bytes(series ?? base)
    : `${bytes(base)} -> ${bytes(series)}`
}

/** Bytes as they are: a change of one is seen. */
function bytes(value: number | null, sign = false): string {
  if (value === null) return '-'
  const text = String(Math.abs(value)).replace(/\B(?=(\d{3})+$)/g, ',')
  return `${value < 0 ? '-' : sign && value > 0 ? '+' : ''}${text}`
}
