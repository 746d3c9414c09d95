// SPDX-License-Identifier: GPL-2.0-only
import { printable } from '../lib/log.ts'

/** U+202F between thousands (ISO 80000-1): narrow, and never a decimal sign. */
export const GAP = '\u202f'

/** A number with a fixed count of decimals and grouped thousands: 1234567.8 → "1 234 567.8". */
export function grouped(value: number, decimals = 0): string {
  const [whole = '', fraction] = value.toFixed(decimals).split('.')
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, GAP)
  return fraction === undefined ? spaced : `${spaced}.${fraction}`
}

/** Seconds as a person reads them: "0.4 s", "12.3 s", "6 min 35 s", "1 h 02 min". */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  const minutes = Math.round(whole / 60)
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

/** Bytes in binary units, three digits: "812 B", "5.04 MiB". */
export function binary(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  const decimals = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(decimals)} ${units[unit]}`
}

/** "1 run", "3 runs". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** fio's block size in bytes ("4k", "1M", "512", "4k-64k" → undefined); k, m, g are binary, as fio's default. */
export function blockBytes(bs: string): number | undefined {
  const match = /^(\d+)([kmgt]?)(i?b)?$/i.exec(bs.trim())
  if (!match) return undefined
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase())
  return Number(match[1]) * 1024 ** power
}

/**
 * Untrusted text made visible: control characters as \xNN, and as \u{NNNN} what is invisible or turns the direction of
 * writing (a test's name could otherwise show a fail as a pass), and halves of surrogate pairs.
 */
export function visible(text: string): string {
  return printable(text).replace(
    /[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu,
    (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

/** visible() for a place that has one line only: newline and tab are shown as well. */
export function oneLine(text: string): string {
  return visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}
