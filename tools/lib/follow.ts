// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync, readSync, watch, writeFileSync, type FSWatcher } from 'node:fs'

/** A file that another program writes, read as it grows. */
export interface Follower {
  /** Reads what has come since; called by itself on every change, and by the owner for the last bytes. */
  readonly pump: () => void
  readonly close: () => void
}

/**
 * Empties `file` (or makes it) and calls `onBytes` with what is written to it. The kernel's file notices bring the bytes
 * at once; a slow clock makes up for file systems without them.
 */
export function follow(file: string, onBytes: (bytes: Uint8Array) => void): Follower {
  writeFileSync(file, '')
  const fd = openSync(file, 'r')
  const buffer = Buffer.alloc(64 << 10)
  let open = true
  const pump = (): void => {
    if (!open) return
    for (let got = 1; got > 0;) {
      got = readSync(fd, buffer, 0, buffer.length, null)
      if (got > 0) onBytes(buffer.subarray(0, got))
    }
  }
  const clock = setInterval(pump, 100)
  const watcher = watchOrNot(file, pump)
  const close = (): void => {
    if (!open) return
    open = false
    clearInterval(clock)
    watcher?.close()
    closeSync(fd)
  }
  return { pump, close }
}

/** The system's limit of watches may be reached: then the clock alone has to do. */
function watchOrNot(file: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(file, { persistent: false }, onChange)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}
