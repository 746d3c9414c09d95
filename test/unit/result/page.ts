// SPDX-License-Identifier: GPL-2.0-only
import { STYLE } from '../../../tools/result/report-style.ts'

export const EVIL = `</title></style></pre><script>alert(1)</script><img src=x onerror=alert(1)>" onload="alert(1)' x='\x00\x1b]0;t\x07\u202e&lt;`

/** Every string in the value replaced, except those under the keys in `fixed`. */
export function poison<T>(value: T, key = ''): T {
  const fixed = [
    'outcome',
    'provider',
    'used',
    'key',
    'end',
    'stage',
    'kind',
    'arch',
    'time',
    'bs',
    'rw',
    'deadline',
    'tree',
    'commit',
    'sha256',
  ]
  if (typeof value === 'string') return (fixed.includes(key) ? value : `${EVIL}${key}`) as T
  if (Array.isArray(value)) return value.map((v) => poison(v, key)) as T
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, poison(v, k)])) as T
  return value
}

/** The page with the blanks that only lay out the markup taken away. */
export function flat(page: string): string {
  return page.replaceAll(/\s+/g, ' ').replaceAll(/\s*([<>])\s*/g, '$1')
}

/** Names of the tags in a page. Only the page's own markup has "<", so a plain scan finds them all. */
export function tagsOf(page: string): string[] {
  return [...page.replace(`<style>${STYLE}</style>`, '').matchAll(/<\/?([a-zA-Z!][\w-]*)/g)].map(
    (m) => m[1] ?? '',
  )
}

export function attributesOf(page: string): string[] {
  const tags = page.replace(`<style>${STYLE}</style>`, '').match(/<[a-zA-Z][^>]*>/g) ?? []
  return tags.flatMap((t) =>
    [...t.replaceAll(/"[^"]*"/g, '""').matchAll(/[\s"/]([a-zA-Z-]+)(?==|[\s>])/g)].map((m) => m[1] ?? ''),
  )
}
