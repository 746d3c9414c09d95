// SPDX-License-Identifier: GPL-2.0-only
import { oneLine } from './format.ts'

/** Columns of a mail: what git's own commit messages and kernel changelogs keep to. */
export const MAIL_WIDTH = 72

/** One column of a text table. */
export interface TextColumn {
  readonly head: string
  readonly right?: boolean
}

/** SGR codes around a cell; they take no column. */
export type Paint = (text: string, row: number, column: number) => string

const PLAIN: Readonly<Record<string, string>> = {
  '\u00b1': '+-',
  '\u00b5': 'u',
  '\u03bc': 'u',
  '\u00d7': 'x',
  '\u00a0': ' ',
  '\u202f': ' ',
  '\u2010': '-',
  '\u2011': '-',
  '\u2012': '-',
  '\u2013': '-',
  '\u2014': '-',
  '\u2018': "'",
  '\u2019': "'",
  '\u201c': '"',
  '\u201d': '"',
  '\u2026': '...',
  '\u2192': '->',
}

/** Text in one line of printable ASCII; what has no plain form is shown by its number, \u{e9}. */
export function ascii(text: string): string {
  return oneLine(text).replace(
    /[^\x20-\x7e]/gu,
    (c) => PLAIN[c] ?? `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

/** ascii(), at most `width` characters: what is cut ends in "...". */
export function fit(text: string, width: number): string {
  const plain = ascii(text)
  return plain.length <= width ? plain : `${plain.slice(0, Math.max(0, width - 3))}...`
}

/**
 * Text in lines of at most `width` characters, broken at blanks, and inside a word where it is longer than a line.
 * The first line begins with `first`, the others with `indent`.
 */
export function wrap(text: string, indent = '', first = '', width: number = MAIL_WIDTH): string[] {
  const lines: string[] = []
  let line = ''
  // Split first: a no-break space becomes a blank, and stays inside its word.
  for (const word of text.split(/ +/).filter(Boolean).map(ascii)) {
    let rest = word
    for (;;) {
      const start = line === '' ? (lines.length === 0 ? first : indent) : `${line} `
      if (start.length + rest.length <= width) {
        line = start + rest
        break
      }
      if (line !== '') {
        lines.push(line)
        line = ''
        continue
      }
      lines.push(start + rest.slice(0, width - start.length))
      rest = rest.slice(width - start.length)
    }
  }
  return line === '' ? lines : [...lines, line]
}

/** A number with grouped thousands, "1,234,567.8"; from ten million on in millions, "612.346M". */
export function readable(value: number, decimals = 0): string {
  if (Math.abs(value) >= 1e12) return value.toExponential(3)
  const big = Math.abs(value) >= 1e7
  const [whole = '', fraction] = (big ? value / 1e6 : value).toFixed(big ? 3 : decimals).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return `${grouped}${fraction === undefined ? '' : `.${fraction}`}${big ? 'M' : ''}`
}

/** readable() with its sign, which a 0 has not. */
export function signed(value: number, decimals = 0): string {
  const text = readable(value, decimals)
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text.replace(/^-(?=[0.,]*$)/, '')
}

/**
 * A table of at most `width` columns. A row that is one text is a line of its own, a heading. The first column takes
 * what the others leave: a text that is longer stands in a line of its own with its figures in the next.
 */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[] | string)[],
  paint: Paint = (text) => text,
  width: number = MAIL_WIDTH,
): string[] {
  const cells = rows.map((row) => (typeof row === 'string' ? row : row.map(ascii)))
  const heads = columns.map((c) => ascii(c.head))
  const lists = [heads, ...cells.filter((row) => typeof row !== 'string')] as (readonly string[])[]
  const widths = columns.map((_, i) => Math.max(...lists.map((row) => (row[i] ?? '').length)))
  const others = widths.slice(1).reduce((sum, w) => sum + w + 2, 0)
  const first = Math.min(widths[0] ?? 0, Math.max(8, width - others))
  const line = (row: readonly string[], index: number): string[] => {
    const [name = '', ...figures] = row
    const rest = figures.map((text, i) => {
      const gap = ' '.repeat((widths[i + 1] ?? 0) - text.length)
      const shown = index < 0 ? text : paint(text, index, i + 1)
      return columns[i + 1]?.right ? gap + shown : shown + gap
    })
    const shown = index < 0 ? name : paint(name, index, 0)
    const indent = /^ */.exec(name)?.[0] ?? ''
    if (name.length > first)
      return [...wrap(name, indent, indent, width), `${' '.repeat(first)}  ${rest.join('  ')}`.trimEnd()]
    return [[shown + ' '.repeat(first - name.length), ...rest].join('  ').trimEnd()]
  }
  return [
    ...(heads.some((h) => h !== '') ? line(heads, -1) : []),
    ...cells.flatMap((row, i) => (typeof row === 'string' ? wrap(row) : line(row, i))),
  ]
}
