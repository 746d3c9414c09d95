// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import { symbolHashes } from '../../../tools/kernel/symbol-hash.ts'

/** The options that matter of a kernel's. */
const KERNEL = '-O2 -fno-pic -fno-asynchronous-unwind-tables -ffreestanding -fno-common -falign-functions=16'
export const X86_64 = `${KERNEL} -m64 -mcmodel=kernel -mno-red-zone -mno-sse`
export const I386 = `${KERNEL} -m32 -mregparm=3 -march=i686 -mno-sse`

/** Compiles C (or assembly, for a name in .S) in a directory that is removed by remove(). */
export class Compiler {
  readonly dir = mkdtempSync(join(tmpdir(), 'phyr-symbols-'))
  #count = 0

  object(source: string, options = X86_64, name = `t${++this.#count}.o`): string {
    const file = join(this.dir, `${++this.#count}.c`)
    const out = join(this.dir, name)
    mkdirSync(dirname(out), { recursive: true })
    writeFileSync(file, source)
    execFileSync('gcc', [...options.split(' '), '-c', '-o', out, file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return out
  }

  hashes(source: string, options = X86_64): ReadonlyMap<string, string> {
    return symbolHashes(this.object(source, options))
  }

  /** Names whose hashes differ between two sources, sorted. */
  changed(before: string, after: string, options = X86_64): readonly string[] {
    const [was, is] = [this.hashes(before, options), this.hashes(after, options)]
    return [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name)).sort()
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true })
  }
}
