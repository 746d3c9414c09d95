// SPDX-License-Identifier: GPL-2.0-only
import { html, type Html } from './report-html.ts'
import { WIDTH, cutInside, frame, niceStep, round, type PlotText } from './report-plot.ts'

/** Ratios of one group of cases. */
export interface RatioGroup {
  readonly name: string
  readonly rows: readonly {
    readonly label: string
    readonly ratio: number | null
    readonly low: number | null
    readonly high: number | null
    /** open: the ratio says nothing; its dot is hollow. */
    readonly change: 'less' | 'more' | 'same' | 'open'
    /** The ratio as text, at the row's end. */
    readonly text: string
  }[]
}

/** Width of a digit in the widest of the plots' types (DejaVu Sans), in units; names are a little narrower. */
const CHAR = 7.1
const NAME_CHAR = 6.6
/** Characters of a row's label before it is cut. */
const LABEL = 28
const TONE = { less: 's0', more: 's2', same: 'same', open: 'open' } as const

/**
 * Ratios as dots with their ranges about 1. What can be resolved sets the scale; what lies outside it is drawn at
 * its edge with an arrow.
 */
export function ratioPlot(text: PlotText, groups: readonly RatioGroup[]): Html {
  const left = leftOf(groups.flatMap((g) => g.rows.map((r) => r.label)))
  const right = WIDTH - 8 - CHAR * Math.max(3, ...groups.flatMap((g) => g.rows.map((r) => r.text.length)))
  const { from, to, ticks, decimals } = scale(groups, Math.max(2, Math.floor((right - left) / 38)))
  const x = (ratio: number): number =>
    round(left + ((right - left) * (Math.min(to, Math.max(from, ratio)) - from)) / (to - from))
  return frame(
    text,
    groups.map((g) => ({ name: g.name, rows: g.rows.length })),
    ticks.map((t) => ({ x: x(t), text: t.toFixed(decimals) })),
    (group, row, y) => {
      const r = groups[group]?.rows[row]
      if (!r) return html``
      const tone = TONE[r.change]
      return html`<text x="${left - 8}" y="${y + 4}" text-anchor="end" class="m"
          >${cutInside(r.label, LABEL)}</text
        >
        <line class="one" x1="${x(1)}" x2="${x(1)}" y1="${y - 8.5}" y2="${y + 8.5}" />
        ${r.ratio !== null && r.low !== null && r.high !== null && html`<line class="whisker ${tone}" x1="${x(r.low)}" x2="${x(r.high)}" y1="${y}" y2="${y}" />`}
        ${r.ratio !== null && ratioMark(r.ratio, x(r.ratio), y, tone, from, to)}
        <text x="${WIDTH - 2}" y="${y + 4}" text-anchor="end">${r.text}</text>`
    },
  )
}

/** Bars from a line at 0 to both sides: what got cheaper to the left, what costs more to the right. */
export function deltaPlot(
  text: PlotText,
  rows: readonly { readonly label: string; readonly value: number; readonly text: string }[],
): Html {
  const left = leftOf(rows.map((r) => r.label))
  const right = WIDTH - 10 - CHAR * Math.max(3, ...rows.map((r) => r.text.length))
  const most = Math.max(...rows.map((r) => r.value), 0)
  const least = Math.min(...rows.map((r) => r.value), 0)
  const step = niceStep(most - least, Math.max(2, Math.floor((right - left) / 52)))
  // The ends are the values' own: a whole step beyond them would take the room of the bars.
  const from = least
  const to = Math.max(from + step, most)
  const x = (value: number): number => round(left + ((right - left) * (value - from)) / (to - from))
  const below = Math.floor(-from / step)
  const ticks = Array.from({ length: below + Math.floor(to / step) + 1 }, (_, i) => (i - below) * step)
  return frame(
    text,
    [{ name: '', rows: rows.length }],
    ticks.map((t) => ({ x: x(t), text: axisText(t, step) })),
    (_, row, y) => {
      const r = rows[row]
      if (!r) return html``
      const [start, end] = [Math.min(x(0), x(r.value)), Math.max(x(0), x(r.value))]
      return html`<text x="${left - 8}" y="${y + 4}" text-anchor="end" class="m"
          >${cutInside(r.label, LABEL)}</text
        >
        <rect
          x="${start}"
          y="${y - 5.5}"
          width="${Math.max(1, round(end - start))}"
          height="11"
          class="${r.value > 0 ? 's2' : 's0'}"
        />
        <line class="one" x1="${x(0)}" x2="${x(0)}" y1="${y - 8.5}" y2="${y + 8.5}" />
        <text x="${WIDTH - 2}" y="${y + 4}" text-anchor="end">${r.text}</text>`
    },
  )
}

/** A number on an axis whose lines are `step` apart: as many decimals as tell two of them apart. */
export function axisText(value: number, step: number): string {
  const big = Math.max(Math.abs(value), step) >= 1e7
  const shown = big ? value / 1e6 : value
  const apart = big ? step / 1e6 : step
  const decimals = Math.min(6, Math.max(0, Math.ceil(-Math.log10(apart) - 1e-9)))
  const text = shown
    .toFixed(decimals)
    .replace(/^-(?=[0.]*$)/, '')
    .replace('-', '\u2212')
  const [whole = '', fraction] = text.split('.')
  const grouped = /\d{5}/.test(whole) ? whole.replace(/\B(?=(\d{3})+$)/g, '\u202f') : whole
  return `${grouped}${fraction === undefined ? '' : `.${fraction}`}${big ? 'M' : ''}`
}

function leftOf(labels: readonly string[]): number {
  return round(12 + NAME_CHAR * Math.min(LABEL, Math.max(8, ...labels.map((l) => Array.from(l).length))))
}

function ratioMark(ratio: number, x: number, y: number, tone: string, from: number, to: number): Html {
  if (ratio < from)
    return html`<path class="dot ${tone}" d="M${x - 3} ${y}L${x + 4} ${y - 4}L${x + 4} ${y + 4}Z" />`
  if (ratio > to)
    return html`<path class="dot ${tone}" d="M${x + 3} ${y}L${x - 4} ${y - 4}L${x - 4} ${y + 4}Z" />`
  return html`<circle class="dot ${tone}" cx="${x}" cy="${y}" r="4" />`
}

/** Lines of the axis about 1, and where it ends. */
function scale(
  groups: readonly RatioGroup[],
  most: number,
): { from: number; to: number; ticks: readonly number[]; decimals: number } {
  const rows = groups.flatMap((g) => g.rows)
  const known = rows.filter((r) => r.change !== 'open')
  const ends = (known.length > 0 ? known : rows)
    .flatMap((r) => [r.low, r.ratio, r.high])
    .filter((v) => v !== null)
    .map((v) => Math.min(4, v))
  const least = Math.min(0.998, ...ends)
  const largest = Math.max(1.002, ...ends)
  const step = niceStep(largest - least, most)
  const below = Math.ceil((1 - least) / step - 1e-6)
  const above = Math.ceil((largest - 1) / step - 1e-6)
  const ticks = Array.from({ length: below + above + 1 }, (_, i) => 1 + (i - below) * step)
  return {
    from: 1 - below * step,
    to: 1 + above * step,
    ticks,
    decimals: Math.min(4, Math.max(1, Math.ceil(-Math.log10(step) - 1e-9))),
  }
}
