// SPDX-License-Identifier: GPL-2.0-only
import { html, type Html } from './report-html.ts'

/** Values of one machine, in the order they are drawn. */
export interface BarGroup {
  readonly name: string
  readonly bars: readonly {
    readonly label: string
    readonly value: number
    /** 0 to 3: colour; it only repeats the label. */
    readonly tone: number
    /** The value as text, at the bar's end. */
    readonly text: string
  }[]
}

export interface DotGroup {
  readonly name: string
  /** Nanoseconds. */
  readonly rows: readonly {
    readonly label: string
    readonly p50?: number
    readonly p99?: number
    readonly p999?: number
  }[]
}

export interface PlotText {
  /** Unique in the page; ids of the title and description are made of it. */
  readonly id: string
  readonly title: string
  readonly description: string
}

// Drawn for a width of 360 units, which is about a phone's width in CSS pixels: the text keeps its size there, and
// grows a little on a wide screen.
export const WIDTH = 360
const LEFT = 92
const ROW = 17
const GROUP = 21
const AXIS = 20

/** Horizontal bars from a zero line, grouped; `tick` formats the axis. */
export function barPlot(text: PlotText, groups: readonly BarGroup[], tick: (value: number) => string): Html {
  const right = WIDTH - 52
  const top = Math.max(0, ...groups.flatMap((g) => g.bars.map((b) => b.value)))
  const step = niceStep(top, 4)
  const end = Math.max(step, Math.ceil(top / step) * step)
  const x = (value: number): number => round(LEFT + ((right - LEFT) * value) / end)
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step)
  return frame(
    text,
    groups.map((g) => ({ name: g.name, rows: g.bars.length })),
    ticks.map((t) => ({ x: x(t), text: tick(t) })),
    (group, row, y) => {
      const bar = groups[group]?.bars[row]
      if (!bar) return html``
      return html`<text x="${LEFT - 6}" y="${y + 4}" text-anchor="end" class="m">${cut(bar.label, 15)}</text>
        <rect
          x="${LEFT}"
          y="${y - 5.5}"
          width="${Math.max(1, round(x(bar.value) - LEFT))}"
          height="11"
          class="s${bar.tone & 3}"
        />
        <text x="${x(bar.value) + 4}" y="${y + 4}">${bar.text}</text>`
    },
  )
}

/** Percentiles as dots on a logarithmic time axis: hollow p50, full p99, diamond p99.9. */
export function dotPlot(text: PlotText, groups: readonly DotGroup[]): Html {
  const right = WIDTH - 22
  const values = groups
    .flatMap((g) => g.rows.flatMap((r) => [r.p50, r.p99, r.p999]))
    .filter((v) => v !== undefined && v > 0) as number[]
  const low = Math.floor(Math.log10(Math.min(...values, 1e9)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values, 1))))
  const x = (value: number): number =>
    round(LEFT + ((right - LEFT) * (Math.log10(Math.max(value, 10 ** low)) - low)) / (high - low))
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i))
  return frame(
    text,
    groups.map((g) => ({ name: g.name, rows: g.rows.length })),
    ticks.map((t) => ({ x: x(t), text: time(t) })),
    (group, row, y) => {
      const r = groups[group]?.rows[row]
      if (!r) return html``
      const xs = [r.p50, r.p99, r.p999].filter((v) => v !== undefined).map(x)
      return html`<text x="${LEFT - 6}" y="${y + 4}" text-anchor="end" class="m">${cut(r.label, 15)}</text>
        ${xs.length > 1 && html`<line class="span" x1="${Math.min(...xs)}" x2="${Math.max(...xs)}" y1="${y}" y2="${y}" />`}
        ${r.p999 !== undefined && mark('p999', x(r.p999), y)}${r.p99 !== undefined && mark('p99', x(r.p99), y)}${r.p50 !== undefined && mark('p50', x(r.p50), y)}`
    },
    legend(),
  )
}

/** A step of 1, 2 or 5 times a power of ten that gives at most `most` steps up to `top`. */
export function niceStep(top: number, most: number): number {
  if (top <= 0) return 1
  const rough = top / most
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].find((m) => m * power >= rough * (1 - 1e-9)) ?? 10
  return step * power
}

/** A plot of rows under the names of their groups, with vertical lines at the ticks. */
export function frame(
  text: PlotText,
  groups: readonly { readonly name: string; readonly rows: number }[],
  ticks: readonly { readonly x: number; readonly text: string }[],
  draw: (group: number, row: number, y: number) => Html,
  head?: Html,
): Html {
  const from = head ? 20 : 2
  let y = from
  const body = groups.map((group, g) => {
    const name = html`<text x="0" y="${y + 14}" class="g">${cut(group.name, 44)}</text>`
    y += group.name === '' ? 4 : GROUP
    const rows = Array.from({ length: group.rows }, (_, r) => {
      const row = draw(g, r, y + ROW / 2)
      y += ROW
      return row
    })
    y += 4
    return [name, rows]
  })
  return html`<svg
    viewBox="0 0 ${WIDTH} ${y + AXIS}"
    role="img"
    aria-labelledby="${text.id}-t ${text.id}-d"
    xmlns="http://www.w3.org/2000/svg"
  >
    <title id="${text.id}-t">${text.title}</title>
    <desc id="${text.id}-d">${text.description}</desc>
    ${head}${ticks.map((t) => html`<line class="grid" x1="${t.x}" x2="${t.x}" y1="${from + 4}" y2="${y}" />`)}
    ${ticks.map((t) => html`<text class="m" x="${t.x}" y="${y + 13}" text-anchor="middle">${t.text}</text>`)}
    ${body}
  </svg>`
}

function mark(kind: 'p50' | 'p99' | 'p999', x: number, y: number): Html {
  if (kind === 'p999')
    return html`<path class="p999" d="M${x} ${y - 4.5}L${x + 4.5} ${y}L${x} ${y + 4.5}L${x - 4.5} ${y}Z" />`
  return html`<circle class="${kind}" cx="${x}" cy="${y}" r="${kind === 'p50' ? 3.4 : 4}" />`
}

function legend(): Html {
  const entries = [
    ['p50', 'p50'],
    ['p99', 'p99'],
    ['p999', 'p99.9'],
  ] as const
  return html`${entries.map(([kind, label], i) => {
    const x = LEFT + 4 + i * 62
    return html`${mark(kind, x, 8)}<text x="${x + 9}" y="12">${label}</text>`
  })}`
}

/** A power of ten of nanoseconds. */
function time(ns: number): string {
  if (ns >= 1e9) return `${ns / 1e9} s`
  if (ns >= 1e6) return `${ns / 1e6} ms`
  return ns >= 1e3 ? `${ns / 1e3} µs` : `${ns} ns`
}

/** Text of at most `most` characters, cut in the middle: the ends of names tell them apart. */
export function cutInside(text: string, most: number): string {
  const chars = Array.from(text)
  if (chars.length <= most) return text
  const head = Math.ceil((most - 1) / 2)
  return `${chars.slice(0, head).join('')}…${chars.slice(chars.length - (most - 1 - head)).join('')}`
}

/** Text of at most `most` characters. */
export function cut(text: string, most: number): string {
  const chars = Array.from(text)
  return chars.length <= most ? text : `${chars.slice(0, most - 1).join('')}…`
}

/** A coordinate: a tenth of a unit cannot be seen. */
export function round(value: number): number {
  return Math.round(value * 10) / 10
}
