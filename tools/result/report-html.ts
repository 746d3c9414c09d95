// SPDX-License-Identifier: GPL-2.0-only
import { visible } from './format.ts'

/** Text that is markup already. Only html`` and raw() make it. */
export class Html {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }
}

export type HtmlValue = string | number | Html | undefined | null | false | readonly HtmlValue[]

/**
 * Markup with every interpolated text escaped, in elements and in quoted attributes alike; arrays are joined,
 * undefined, null and false leave nothing. There is no way to get an unescaped text in but raw().
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = parts[0] ?? ''
  for (const [i, value] of values.entries()) markup += markupOf(value) + (parts[i + 1] ?? '')
  return new Html(markup)
}

/** Markup of our own that is not a template's: the style sheet. Never give it anything that was read. */
export function raw(markup: string): Html {
  return new Html(markup)
}

/** A number cell, right-aligned by its class. */
export function num(text: string): Html {
  return html`<td class="n">${text}</td>`
}

/** The word and sign of an outcome; the colour only repeats it. */
export function badge(outcome: 'pass' | 'fail' | 'skip' | 'crashed'): Html {
  const sign = { pass: '✓', fail: '✗', skip: '–', crashed: '✗' }[outcome]
  const tone = outcome === 'crashed' ? 'fail' : outcome
  return html`<span class="badge ${tone}"><span aria-hidden="true">${sign}</span> ${outcome}</span>`
}

/** A box that scrolls by itself when its table is wider than the screen; the keyboard can reach it. */
export function scrollBox(label: string, content: Html): Html {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${content}</div>`
}

function markupOf(value: HtmlValue): string {
  if (value === undefined || value === null || value === false) return ''
  if (value instanceof Html) return value.markup
  if (typeof value === 'string' || typeof value === 'number') return escape(String(value))
  return value.map(markupOf).join('')
}

function escape(text: string): string {
  return visible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
