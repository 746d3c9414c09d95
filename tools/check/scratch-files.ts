// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'

/** A text for a program to read, and the path that it stands for. */
export interface NamedText {
  readonly path: string
  readonly text: string
}

/**
 * Writes texts into a directory of its own while `use` runs. The files have names of our own making, `0.c`, so that
 * no path of a patch becomes one of this machine or an option; nameOf() turns them back.
 */
export async function withFiles<T>(
  texts: readonly NamedText[],
  use: (dir: string, files: readonly string[], nameOf: (file: string) => string) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'phyr-check-'))
  try {
    const files = texts.map(({ path, text }, i) => {
      const extension = /^\.[a-zA-Z]{1,6}$/.exec(extname(path))?.[0] ?? '.txt'
      const file = `${i}${extension}`
      writeFileSync(join(dir, file), text)
      return file
    })
    return await use(
      dir,
      files,
      (file) => texts[Number.parseInt(file.replace(/^\.\//, ''), 10)]?.path ?? file,
    )
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
