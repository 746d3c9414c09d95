// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LabError } from '../../../tools/lib/errors.ts'
import { bootMethod } from '../../../tools/machine/image.ts'

let dir = ''
let file = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-image-'))
  file = join(dir, 'image')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** An ELF file with one loaded segment of 1000 bytes at 4096; only what the loader reads. */
function elf(wide: boolean): Buffer {
  const bytes = Buffer.alloc(5096)
  bytes.write('\x7fELF', 'latin1')
  bytes[4] = wide ? 2 : 1
  if (wide) {
    bytes.writeBigUInt64LE(64n, 32)
    bytes.writeUInt16LE(56, 54)
    bytes.writeUInt16LE(1, 56)
    bytes.writeBigUInt64LE(4096n, 64 + 8)
    bytes.writeBigUInt64LE(1000n, 64 + 32)
  } else {
    bytes.writeUInt32LE(52, 28)
    bytes.writeUInt16LE(32, 42)
    bytes.writeUInt16LE(1, 44)
    bytes.writeUInt32LE(4096, 52 + 4)
    bytes.writeUInt32LE(1000, 52 + 16)
  }
  return bytes
}

function bzImage(): Buffer {
  const bytes = Buffer.alloc(512 * 2 + 160)
  bytes[0x1f1] = 1
  bytes.writeUInt32LE(10, 0x1f4)
  bytes.write('HdrS', 0x202, 'latin1')
  return bytes
}

describe('a kernel image', () => {
  test.each([
    ['64-bit vmlinux', elf(true), 'pvh'],
    ['32-bit vmlinux', elf(false), 'pvh'],
    ['bzImage', bzImage(), 'bzimage'],
  ])('that is a %s boots as such, and not when a byte is missing', (_what, bytes, method) => {
    writeFileSync(file, bytes)
    expect(bootMethod(file)).toBe(method)
    truncateSync(file, bytes.length - 1)
    expect(() => bootMethod(file)).toThrow(LabError)
    expect(() => bootMethod(file)).toThrow('cut short')
  })

  test.each([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('hello')],
    ['an ELF header and nothing else', elf(true).subarray(0, 64)],
    ['an object file', elf(true).fill(0, 56, 58)],
  ])('that is %s does not boot', (_what, bytes) => {
    writeFileSync(file, bytes)
    expect(() => bootMethod(file)).toThrow(LabError)
  })

  test('that is not there says so', () => {
    expect(() => bootMethod(file)).toThrow('it is not there')
  })
})
