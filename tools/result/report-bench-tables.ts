// SPDX-License-Identifier: GPL-2.0-only
import type { BenchCase, BenchContext, BenchOutput, Figures, FunctionCost, Walk } from './bench-record.ts'
import { layoutText } from './bench-table-parts.ts'
import {
  againstText,
  boundText,
  changeText,
  costDecimals,
  grouping,
  isResolved,
  ratioText,
  stepRatio,
  unitOfVerdict,
  whyOpen,
} from './bench-words.ts'
import { changeOf } from './figures.ts'
import { grouped } from './format.ts'
import { badge, html, num, scrollBox, type Html } from './report-html.ts'

/** A change of a ratio in words: the colour and place of its mark only repeat it. */
const WORDS = {
  less: 'costs less',
  more: 'costs more',
  same: 'the same',
  unresolved: 'not resolvable',
} as const

interface Head {
  readonly text: string
  readonly right?: boolean
}

/** A table with a caption, in a box that scrolls by itself. */
export function table(caption: string, heads: readonly Head[], rows: readonly Html[], wide = true): Html {
  return scrollBox(
    caption,
    html`<table class="${wide ? 'wide' : 'narrow'}">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${heads.map((h) => html`<th scope="col" class="${h.right ? 'n' : 't'}">${h.text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (r) =>
            html`<tr>
              ${r}
            </tr>`,
        )}
      </tbody>
    </table>`,
  )
}

export function right(...texts: readonly string[]): Head[] {
  return texts.map((text) => ({ text, right: true }))
}

/** The figures of cases, one row each. */
export function casesTable(
  caption: string,
  output: BenchOutput,
  cases: readonly (Figures & Pick<BenchCase, 'name' | 'against'> & Partial<Pick<BenchCase, 'what'>>)[],
): Html {
  const { base, series } = output.points
  return table(
    caption,
    [
      { text: 'Case' },
      ...right(base.label, series.label, 'Ratio', 'Range', 'Seen from', 'n'),
      { text: 'Verdict' },
    ],
    cases.map(
      (c) =>
        html`<th scope="row">
            ${c.name}<span class="what"
              >${c.unit}${c.what !== undefined && html`: ${c.what}`}${againstText(c)}</span
            >
          </th>
          ${costs(c.base, c.series).map(num)}${num(ratioText(c))}${num(range(c))}
          ${num(c.smallest === null ? '–' : `${percent(c.smallest)} %`)}${num(String(c.repeats))}
          <td class="why">${WORDS[changeOf(c)]}${!isResolved(c) && html`: ${whyOpen(c)}`}</td>`,
    ),
  )
}

/** Functions with what they cost before and after. */
export function functionsTable(
  caption: string,
  functions: readonly FunctionCost[],
  heads: readonly [string, string],
): Html {
  const decimals = functionDecimals(functions)
  return table(
    caption,
    [{ text: 'Function' }, ...right(...heads, 'Change')],
    functions.map(
      (f) =>
        html`<th scope="row">${f.name}</th>
          ${num(grouped(f.base, decimals))}${num(grouped(f.series, decimals))}${num(plus(f.series - f.base, decimals))}`,
    ),
  )
}

/** Decimals that the costs of these functions are shown with. */
export function functionDecimals(functions: readonly FunctionCost[]): number {
  return costDecimals(Math.max(0, ...functions.flatMap((f) => [f.base, f.series])))
}

/** Points of a walk. */
export function walkTable(walk: Walk): Html {
  return table(
    `${walk.case}: the figures of the plot, ${walk.unit}`,
    [{ text: 'Patch' }, { text: 'Subject' }, ...right('Cost', 'Ratio'), { text: 'Finding' }],
    walk.steps.map((step, i) => {
      const costly = walk.costly.find((c) => c.number === step.number)
      return html`<th scope="row">${step.number === 0 ? 'base' : String(step.number)}</th>
        <td>${step.subject ?? step.file ?? 'no patch'}</td>
        ${num(step.cost === null ? '–' : grouped(step.cost, costDecimals(step.cost)))}${num(stepRatio(walk, i).replace(/^-$/, '–'))}
        <td>
          ${step.cost === null ? 'not measured' : costly ? (costly.ratio > 1 ? 'costs' : 'saves') : ''}
        </td>`
    }),
  )
}

/** Sizes of the kernel and of structs. */
export function contextTables(context: BenchContext, points: BenchOutput['points']): Html {
  const row = (name: string, pair: { readonly base: number; readonly series: number }): Html =>
    html`<th scope="row">${name}</th>
      ${num(grouped(pair.base))}${num(grouped(pair.series))}${num(plus(pair.series - pair.base, 0))}`
  return html`${table(
    'Sizes, bytes',
    [{ text: 'What' }, ...right(points.base.label, points.series.label, 'Change')],
    [
      row('vmlinux: text', context.text),
      row('vmlinux: data', context.data),
      row('vmlinux: bss', context.bss),
      ...(context.slab ? [row('slab after the boot', context.slab)] : []),
    ],
    false,
  )}
  ${
    context.structs.length > 0 &&
    html`<h3>Structs</h3>
      ${table(
        'Size and layout; from the base to the series where they differ',
        [{ text: 'Struct' }, ...right('Bytes', 'In holes', 'Cache lines'), { text: 'Layout' }],
        context.structs.map(
          (s) =>
            html`<th scope="row">${s.name}</th>
              ${[s.bytes, s.holes, s.cachelines].map((p) => num(fromTo(p)))}
              <td class="why">${layoutText(s)}${s.changes.length > 0 && `: ${s.changes.join('; ')}`}</td>`,
        ),
      )}`
  }`
}

/** Verdicts of the gate. */
export function gateTable(output: BenchOutput): Html {
  return table(
    'Every case against its limit',
    [{ text: 'Case' }, { text: 'Unit' }, { text: 'Verdict' }, ...right('Ratio', 'Limit'), { text: 'Why' }],
    (output.gate ?? []).map(
      (v) =>
        html`<th scope="row">${v.case}</th>
          <td class="unit">${unitOfVerdict(v, output.cases)}</td>
          <td>${badge(v.outcome)}</td>
          ${num(ratioText({ ratio: v.ratio, resolvable: v.outcome !== 'skip' }))}${num(v.limit.toFixed(3))}
          <td class="why">
            ${v.why}${v.patch !== undefined && html`; <code>${v.patch}</code>`}${v.function !== undefined && html`; <code>${v.function}()</code>`}
          </td>`,
    ),
  )
}

/** What the series promises, and whether it holds: a table for each list of targets. */
export function targetTables({ targets = [], points }: Pick<BenchOutput, 'targets' | 'points'>): Html {
  const sign = { met: '✓', missed: '✗', open: '–' } as const
  const tone = { met: 'pass', missed: 'fail', open: 'skip' } as const
  return html`${[...grouping(targets, (t) => t.table)].map(([title, some]) =>
    table(
      title,
      [
        { text: 'What' },
        ...right(points.base.label, points.series.label, 'Change'),
        { text: 'Target' },
        { text: 'Verdict' },
      ],
      some.map(
        (t) =>
          html`<th scope="row">${t.what}<span class="what">${t.figure}: ${t.case}</span></th>
            ${('atMost' in t.bound ? [t.base, t.series].map(countText) : costs(t.base, t.series)).map(num)}${num(changeText(t))}
            <td>${boundText(t.bound)}</td>
            <td class="why">
              <span class="badge ${tone[t.outcome]}"
                ><span aria-hidden="true">${sign[t.outcome]}</span> ${t.outcome}</span
              >${t.why !== undefined && html` ${t.why}`}
            </td>`,
      ),
    ),
  )}`
}

/** What cases count beside instructions; false when none does. */
export function countsTable({ cases, points }: Pick<BenchOutput, 'cases' | 'points'>): Html | false {
  const rows = cases.flatMap((c) => Object.entries(c.counts ?? {}).map(([name, pair]) => ({ c, name, pair })))
  if (rows.length === 0) return false
  return html`<div class="next">
    ${table(
      'Counted beside instructions, for one operation',
      [{ text: 'Case' }, { text: 'Count' }, ...right(points.base.label, points.series.label)],
      rows.map(
        ({ c, name, pair }) =>
          html`<th scope="row">${c.name}</th>
            <td>${name}</td>
            ${[pair.base, pair.series].map(countText).map(num)}`,
      ),
      false,
    )}
  </div>`
}

function countText(value: number | null): string {
  return value === null ? '–' : grouped(value)
}

/** A difference with its sign; a 0 has none. */
export function plus(value: number, decimals: number): string {
  const text = grouped(Math.abs(value), decimals)
  if (!/[1-9]/.test(text)) return text
  return value > 0 ? `+${text}` : `\u2212${text}`
}

/** Two costs with as many decimals as the larger needs. */
export function costs(base: number | null, series: number | null): readonly [string, string] {
  const decimals = costDecimals(Math.max(base ?? 0, series ?? 0))
  const text = (cost: number | null): string => (cost === null ? '–' : grouped(cost, decimals))
  return [text(base), text(series)]
}

function range(figures: Figures): string {
  if (!isResolved(figures) || figures.low === null || figures.high === null) return '–'
  return `${figures.low.toFixed(3)}–${figures.high.toFixed(3)}`
}

function percent(share: number): string {
  const value = share * 100
  return value < 0.995 ? String(Number(value.toPrecision(2))) : value.toFixed(1)
}

function fromTo({ base, series }: { readonly base: number | null; readonly series: number | null }): string {
  if (base === null || series === null) return grouped(series ?? base ?? 0)
  return base === series ? grouped(base) : `${grouped(base)} → ${grouped(series)}`
}
