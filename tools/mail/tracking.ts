// SPDX-License-Identifier: GPL-2.0-only
import { gunzipSync, gzipSync } from 'node:zlib'
import { plainHeader } from './headers.ts'
import type { Header } from './thread.ts'

/** What b4 keeps of a series (its ez.py): enough for `b4 prep --from-thread` to go on where this ends. */
export interface Tracking {
  readonly series: {
    readonly revision: number
    readonly 'change-id': string
    readonly prefixes: readonly string[]
    /** Message-IDs of the covers that were sent, without brackets, by version: {"v1": ["...@..."]}. */
    readonly history?: Readonly<Record<string, readonly string[]>>
  }
}

/**
 * The X-B4-Tracking header: gzip and base64 of the JSON, in lines as b4 folds them. b4 puts the lines together with a
 * blank in between and base64 decoders skip blanks.
 */
export function trackingHeader(tracking: Tracking): Header {
  const packed = gzipSync(JSON.stringify(tracking))
  // Byte 9 names the system that packed it: the same bytes on every one.
  packed[9] = 255
  const name = 'X-B4-Tracking'
  const value = `v=1; b=${packed.toString('base64')}`
  const first = 75 - `${name}: `.length
  const lines = [value.slice(0, first), ...(value.slice(first).match(/.{1,74}/g) ?? [])]
  return plainHeader(name, lines.join('\n '))
}

/** What a header made by trackingHeader() or by b4 holds. */
export function readTracking(value: string): unknown {
  const packed = Buffer.from(value.replace(/^v=1;\s*b=/, '').replace(/\s+/g, ''), 'base64')
  return JSON.parse(gunzipSync(packed, { maxOutputLength: 1 << 20 }).toString('utf8'))
}
