// SPDX-License-Identifier: GPL-2.0-only
import { LabError } from '../lib/errors.ts'

/** What the plugin saw between two marks, in instructions. */
export interface Region {
  /** 0 is from power-on to the first mark; then in order of their begin. */
  readonly number: number
  readonly kernel: number
  readonly user: number
  /** In the timer's interrupt, and in nothing else. */
  readonly tick: number
  readonly ticks: number
  /** The kernel's, by function. */
  readonly functions: ReadonlyMap<string, number>
  /** The kernel's between two entries of a function, or two step marks ("-"). */
  readonly steps: ReadonlyMap<string, readonly number[]>
}

/**
 * Reads what qemu/plugin/count.c wrote.
 *
 * @throws LabError when it is cut off or not in that form: QEMU died, or the plugin and this file do not agree.
 */
export function parseCounts(text: string): Region[] {
  const regions: Region[] = []
  let open: { functions: Map<string, number>; steps: Map<string, number[]>; region: Region } | undefined
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue
    const words = line.split(' ')
    const head = /^region (\d+) kernel (\d+) user (\d+) tick (\d+) ticks (\d+)$/.exec(line)
    if (head && !open) {
      const [number = 0, kernel = 0, user = 0, tick = 0, ticks = 0] = head.slice(1).map(Number)
      const functions = new Map<string, number>()
      const steps = new Map<string, number[]>()
      open = { functions, steps, region: { number, kernel, user, tick, ticks, functions, steps } }
    } else if (open && words[0] === 'function' && words.length === 3 && isCount(words[2])) {
      // Static functions of one name in two files are one line each, and one function here.
      open.functions.set(words[1]!, (open.functions.get(words[1]!) ?? 0) + Number(words[2]))
    } else if (open && words[0] === 'steps' && words.slice(2).every(isCount)) {
      open.steps.set(words[1]!, words.slice(2).map(Number))
    } else if (open && line === `end ${open.region.number}`) {
      regions.push(open.region)
      open = undefined
    } else throw broken(`line ${i + 1} is not in its form: ${line.slice(0, 60)}`)
  }
  if (open) throw broken(`region ${open.region.number} is cut off`)
  return regions
}

function isCount(word: string | undefined): boolean {
  return word !== undefined && /^\d{1,15}$/.test(word)
}

function broken(why: string): LabError {
  return new LabError({ what: "cannot read the plugin's counts", why, fix: 'run it again; check disk space' })
}
