// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { LabError } from '../lib/errors.ts'

/**
 * How QEMU starts a kernel image: an ELF file through PVH, a bzImage through the boot protocol.
 *
 * An image that is cut short is told here: QEMU would start it and the guest would hang or reset, which looks like the
 * kernel's own fault.
 *
 * @throws LabError when the file is neither, or shorter than its own headers say.
 */
export function bootMethod(image: string): 'pvh' | 'bzimage' {
  const fd = openImage(image)
  try {
    const size = fstatSync(fd).size
    const head = Buffer.alloc(4096)
    const got = readSync(fd, head, 0, head.length, 0)
    if (got >= 64 && head.readUInt32BE(0) === 0x7f454c46) {
      const needed = elfSize(fd, head, image)
      if (size < needed) throw damaged(image, `cut short: ${size} bytes of at least ${needed}`)
      return 'pvh'
    }
    // Documentation/arch/x86/boot.rst: "HdrS" at 0x202, sectors of set-up code at 0x1f1, 16-byte units at 0x1f4.
    if (got >= 0x210 && head.toString('latin1', 0x202, 0x206) === 'HdrS') {
      const needed = ((head[0x1f1]! || 4) + 1) * 512 + head.readUInt32LE(0x1f4) * 16
      if (size < needed) throw damaged(image, `cut short: ${size} bytes of ${needed}`)
      return 'bzimage'
    }
    throw damaged(image, 'neither an ELF file (vmlinux) nor a bzImage')
  } finally {
    closeSync(fd)
  }
}

/** Where the last loaded segment ends in the file, by the ELF program headers (32- and 64-bit, little endian). */
function elfSize(fd: number, head: Buffer, image: string): number {
  const wide = head[4] === 2
  const table = wide ? Number(head.readBigUInt64LE(32)) : head.readUInt32LE(28)
  const entry = head.readUInt16LE(wide ? 54 : 42)
  const count = head.readUInt16LE(wide ? 56 : 44)
  if (count === 0 || entry < (wide ? 56 : 32)) throw damaged(image, 'an ELF file without program headers')
  const headers = Buffer.alloc(entry * count)
  if (readSync(fd, headers, 0, headers.length, table) < headers.length)
    throw damaged(image, 'cut short inside its program headers')
  let end = table + headers.length
  for (let i = 0; i < count; i++) {
    const at = i * entry
    const offset = wide ? Number(headers.readBigUInt64LE(at + 8)) : headers.readUInt32LE(at + 4)
    const bytes = wide ? Number(headers.readBigUInt64LE(at + 32)) : headers.readUInt32LE(at + 16)
    end = Math.max(end, offset + bytes)
  }
  return end
}

function openImage(image: string): number {
  try {
    return openSync(image, 'r')
  } catch (error) {
    throw damaged(
      image,
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is not there' : String(error),
    )
  }
}

function damaged(image: string, why: string): LabError {
  return new LabError({
    what: `cannot boot ${image}`,
    why,
    fix: 'delete it from the cache (./phyr gc) and build it again',
  })
}
