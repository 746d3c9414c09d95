// SPDX-License-Identifier: GPL-2.0-only
import { axisText } from './report-bench-plot.ts'
import { html, type Html } from './report-html.ts'
import { WIDTH, cut, niceStep, round, type PlotText } from './report-plot.ts'

/** A line of a plot: values by the position on the x axis. */
export interface Line {
  readonly name: string
  readonly tone: 's0' | 's2'
  readonly points: readonly {
    readonly at: number
    readonly value: number
    /** Hollow: the ratio there says nothing. */
    readonly open: boolean
    /** What the point is, for who points at it. */
    readonly title: string
  }[]
}

export interface LinesPlot {
  /** Positions on the x axis are 0 to `count` - 1. */
  readonly count: number
  readonly lines: readonly Line[]
  /** Rows of labels under the axis; those that would touch the one before are left out. */
  readonly labels: readonly (readonly { readonly at: number; readonly text: string }[])[]
  /** Between the positions `from` and `to` no line is drawn; `text` is the sign of the reason, '' for none. */
  readonly breaks: readonly {
    readonly from: number
    readonly to: number
    readonly text: string
    readonly title: string
  }[]
  /** Points of the first line that are named, in rows above the plot. */
  readonly named: readonly { readonly at: number; readonly text: string }[]
}

/** Widths of characters, as in report-bench-plot.ts. */
const CHAR = 7.1
const NAME_CHAR = 6.6
const HEIGHT = 104
const ROW = 14

/**
 * Lines over positions. The y axis does not begin at 0: it has the values' own range, and at least one per cent of
 * them, so that what cannot be told apart does not look like a mountain.
 */
export function linesPlot(text: PlotText, plot: LinesPlot): Html {
  const values = plot.lines.flatMap((l) => l.points.map((p) => p.value))
  const { from, to, step } = range(values)
  const ticks = Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step)
  const left = round(6 + CHAR * Math.max(...ticks.map((t) => axisText(t, step).length)))
  const right = WIDTH - 10
  const legend = plot.lines.length > 1 ? 16 : 0
  const top = legend + 8 + plot.named.length * ROW + (plot.breaks.some((b) => b.text !== '') ? 12 : 0)
  const bottom = top + HEIGHT
  const inset = Math.min(12, (right - left) / Math.max(2, plot.count * 2))
  const x = (at: number): number =>
    round(
      plot.count < 2
        ? (left + right) / 2
        : left + inset + ((right - left - 2 * inset) * at) / (plot.count - 1),
    )
  const y = (value: number): number => round(bottom - (HEIGHT * (value - from)) / (to - from))
  return html`<svg
    viewBox="0 0 ${WIDTH} ${bottom + 6 + plot.labels.length * ROW + 2}"
    role="img"
    aria-labelledby="${text.id}-t ${text.id}-d"
    xmlns="http://www.w3.org/2000/svg"
  >
    <title id="${text.id}-t">${text.title}</title>
    <desc id="${text.id}-d">${text.description}</desc>
    ${ticks.map(
      (t) =>
        html`<line class="grid" x1="${left}" x2="${right}" y1="${y(t)}" y2="${y(t)}" /><text
            class="m"
            x="${left - 5}"
            y="${y(t) + 4}"
            text-anchor="end"
          >
            ${axisText(t, step)}
          </text>`,
    )}
    <line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}" />
    ${Array.from({ length: plot.count }, (_, at) => html`<line class="axis" x1="${x(at)}" x2="${x(at)}" y1="${bottom}" y2="${bottom + 3}" />`)}
    ${plot.labels.map((row, i) => apart(row, x).map((l) => html`<text class="m" x="${l.x}" y="${bottom + 2 + (i + 1) * ROW}">${l.text}</text>`))}
    ${plot.breaks.map((b) => {
      const at = round((x(b.from) + x(b.to)) / 2)
      if (b.text === '') return false
      return html`<g>
        <title>${b.title}</title>
        <line class="lead" x1="${at}" x2="${at}" y1="${top - 6}" y2="${bottom}" />
        <text class="g" x="${at}" y="${top - 8}" text-anchor="middle">${b.text}</text>
      </g>`
    })}
    ${placed(plot, x).map((n, i) => named(n, legend + 12 + i * ROW, plot, x, y))}
    ${plot.lines.map((line) => [segments(line, plot, x, y), line.points.map((p) => html`<circle class="${p.open ? 'open ' : ''}${line.tone}" cx="${x(p.at)}" cy="${y(p.value)}" r="${radius(line.tone)}"><title>${p.title}</title></circle>`)])}
    ${legend > 0 && plot.lines.map((line, i) => html`<circle class="${line.tone}" cx="${left + 6 + i * 110}" cy="8" r="${radius(line.tone)}" /><text x="${left + 14 + i * 110}" y="12">${cut(line.name, 16)}</text>`)}
  </svg>`
}

/** Which point is named in which row, to which side its text goes, and how many characters have room. */
function placed(plot: LinesPlot, x: (at: number) => number): { at: number; toLeft: boolean; text: string }[] {
  const toLeft = (at: number): boolean => x(at) > WIDTH / 2
  // A lead must not cross a text below it: to the right the leftmost is on top, to the left the rightmost.
  const rightward = plot.named.filter((n) => !toLeft(n.at)).toSorted((a, b) => a.at - b.at)
  const leftward = plot.named.filter((n) => toLeft(n.at)).toSorted((a, b) => b.at - a.at)
  const edge = Math.max(0, ...rightward.map((n) => x(n.at) + 4))
  return [
    ...rightward.map((n) => ({ ...n, toLeft: false, text: cut(n.text, roomFor(WIDTH - x(n.at) - 4)) })),
    ...leftward.map((n) => ({ ...n, toLeft: true, text: cut(n.text, roomFor(x(n.at) - 4 - edge)) })),
  ]
}

function roomFor(width: number): number {
  return Math.max(2, Math.floor(width / NAME_CHAR))
}

function named(
  name: { readonly at: number; readonly toLeft: boolean; readonly text: string },
  baseline: number,
  plot: LinesPlot,
  x: (at: number) => number,
  y: (value: number) => number,
): Html | false {
  const point = plot.lines[0]?.points.find((p) => p.at === name.at)
  if (!point) return false
  const at = x(name.at)
  return html`<line
      class="lead"
      x1="${at}"
      x2="${at}"
      y1="${baseline - 8}"
      y2="${round(y(point.value) - 6.5)}"
    />
    <text x="${name.toLeft ? at - 4 : at + 4}" y="${baseline}" text-anchor="${name.toLeft ? 'end' : 'start'}"
      >${name.text}</text
    >
    <circle class="ring" cx="${at}" cy="${y(point.value)}" r="6.5" />`
}

/** The line, in pieces where it breaks and where a position has no point. */
function segments(
  line: Line,
  plot: LinesPlot,
  x: (at: number) => number,
  y: (value: number) => number,
): Html[] {
  const pieces: string[][] = []
  let last: number | undefined
  for (const p of line.points) {
    const broken = last === undefined || plot.breaks.some((b) => b.from === last && b.to === p.at)
    if (broken) pieces.push([])
    pieces.at(-1)?.push(`${x(p.at)} ${y(p.value)}`)
    last = p.at
  }
  return pieces
    .filter((p) => p.length > 1)
    .map((p) => html`<path class="line ${line.tone}" d="M${p.join('L')}" />`)
}

/** The line below is the wider one, so that it is seen where both are the same. */
function radius(tone: Line['tone']): number {
  return tone === 's0' ? 4.4 : 2.8
}

/** The labels of a row that do not touch the one before, kept inside the picture. */
function apart(
  labels: readonly { readonly at: number; readonly text: string }[],
  x: (at: number) => number,
): { x: number; text: string }[] {
  const kept: { x: number; text: string }[] = []
  let free = 0
  for (const { at, text } of labels) {
    const shown = cut(text, 14)
    const width = Array.from(shown).length * CHAR
    const middle = x(at)
    const start = Math.min(WIDTH - width, Math.max(0, middle - width / 2))
    if (start < free) continue
    free = start + width + 5
    kept.push({ x: round(start), text: shown })
  }
  return kept
}

function range(values: readonly number[]): { from: number; to: number; step: number } {
  const least = Math.min(...values)
  const most = Math.max(...values)
  const middle = (least + most) / 2
  const half = Math.max((most - least) / 2, middle * 0.005, 1e-9) * 1.1
  const step = niceStep(2 * half, 4)
  const from = Math.max(0, Math.floor((middle - half) / step) * step)
  return { from, to: Math.max(from + step, Math.ceil((middle + half) / step) * step), step }
}
