// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ConsoleReader } from '../../../tools/machine/console.ts'

const token = '0123456789abcdef0123456789abcdef'
const other = 'fedcba9876543210fedcba9876543210'

function read(chunks: readonly (string | Uint8Array)[]): ConsoleReader & { lines: string[] } {
  const lines: string[] = []
  const reader = new ConsoleReader({ token, onLine: (line) => lines.push(line) })
  for (const [i, chunk] of chunks.entries())
    reader.feed(typeof chunk === 'string' ? Buffer.from(chunk) : chunk, i)
  reader.end()
  return Object.assign(reader, { lines })
}

describe('the console', () => {
  test('notes when the guest got where', () => {
    const reader = read([
      '\n',
      '[    0.000000] Linux version 7.3.4 (a@b)\r\n',
      'x\r\n',
      'phyr: init 0.91\r\n',
    ])
    expect(reader.marks).toEqual({ firstByte: 0, banner: 1, init: 3 })
  })

  test('is the same whatever the pieces it comes in', () => {
    const text = `[    0.1] Linux version 7.3.4\r\n\x1b[31mré\x1b[0md\r\nphyr: init 0.9\r\nphyr: end ${token} status=3\r\n`
    const bytes = [...Buffer.from(text)].map((byte) => Uint8Array.of(byte))
    const reader = read(bytes)
    expect(reader.lines).toEqual(read([text]).lines)
    expect(reader.lines[1]).toBe('réd')
    expect(reader.status).toBe(3)
    expect(reader.marks.init).toBeDefined()
  })

  test.each([
    ['another token', `phyr: end ${other} status=0\n`],
    ['a token that is too short', `phyr: end ${token.slice(1)} status=0\n`],
    ['upper case', `phyr: end ${token.toUpperCase()} status=0\n`],
    ['no token', 'phyr: end status=0\n'],
    ['no status', `phyr: end ${token} status=\n`],
    ['a status out of range', `phyr: end ${token} status=101\n`],
    ['a line cut off', `phyr: end ${token} status=0`],
    ['more after the status', `phyr: end ${token} status=0x\n`],
    ['the token alone', `${token}\n`],
  ])('takes no end from %s', (_what, text) => {
    expect(read([text]).status).toBeUndefined()
  })

  test('finds the end through kernel messages that cut it in two', () => {
    const reader = read([
      'phyr: in[    1.234567] nvme nvme0: 2/0/0 queues\r\nit 0.95\r\n',
      `phyr: end ${token.slice(0, 9)}[   12.000000][    T1] hello\r\n${token.slice(9)} status=17\r\n`,
    ])
    expect(reader.marks.init).toBe(0)
    expect(reader.status).toBe(17)
  })

  test('survives noise, and gives clean lines', () => {
    const noise = Buffer.concat([randomBytes(200_000), Buffer.from('\x00\xff\x1b]0;title\x07\x1b[2J\nend\n')])
    const reader = read([noise])
    expect(reader.status).toBeUndefined()
    expect(reader.tail().at(-1)).toBe('end')
    for (const line of reader.lines) {
      expect(line).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/)
      expect(line.length).toBeLessThanOrEqual(4096)
    }
  })

  test('keeps the last 30 lines, and no more in memory', () => {
    const reader = read([Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join('')])
    expect(reader.tail()).toHaveLength(30)
    expect(reader.tail().at(-1)).toBe('line 4999')
  })

  test('cuts a line that never ends', () => {
    const reader = read(['x'.repeat(10_000), 'y'.repeat(10_000)])
    expect(reader.lines.join('')).toBe('x'.repeat(10_000) + 'y'.repeat(10_000))
    expect(Math.max(...reader.lines.map((line) => line.length))).toBe(4096)
  })
})
