// SPDX-License-Identifier: GPL-2.0-only
import { LabError } from '../lib/errors.ts'
import { sourceFunction } from './functions.ts'

/** What the plugin saw between two marks, by call path: `root;...;function`, the function's own instructions. */
export interface StackRegion {
  /** 0 is from power-on to the first mark; then in order of their begin. */
  readonly number: number
  readonly stacks: ReadonlyMap<string, number>
  /** Sum over the stacks: the kernel's instructions and user space's. */
  readonly total: number
  /** Of them, those whose callers are not known. They are under the roots [lost] and [switched]. */
  readonly unattributed: number
  /** Of them, those whose path lacks its innermost callers, because it is too deep. */
  readonly cut: number
  /** In the timer's interrupt, and in no stack. */
  readonly tick: number
}

/** Instructions per operation, by call path. */
export type StackProfile = ReadonlyMap<string, number>

/**
 * What numbers are multiplied with in folded text: viewers want whole ones, and most functions of a path run less
 * than once an operation or do not always take the same way.
 */
const SCALE = 1000

const SYMBOL = /^(?:[A-Za-z_.$][\w.$]*|user space|\[switched\]|\[lost\])$/

/**
 * Reads what qemu/plugin/stacks.c wrote.
 *
 * @throws LabError when it is cut off or not in that form: QEMU died, or the plugin and this file do not agree.
 */
export function parseStacks(text: string): StackRegion[] {
  const regions: StackRegion[] = []
  let open:
    | { number: number; stacks: Map<string, number>; sum: number; said: Map<string, number> }
    | undefined
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue
    const said = /^# (region|tick|cut|unattributed|end) (\d{1,15})(?: of (\d{1,15}))?$/.exec(line)
    const counted = /^([^#].*) (\d{1,15})$/.exec(line)
    if (said?.[1] === 'region' && !open) {
      open = { number: Number(said[2]), stacks: new Map(), sum: 0, said: new Map() }
    } else if (said?.[1] === 'end' && open?.number === Number(said[2])) {
      regions.push(closed(open))
      open = undefined
    } else if (said && open && said[1] !== 'region' && said[1] !== 'end') {
      open.said.set(said[1]!, Number(said[2]))
      if (said[3] !== undefined) open.said.set('total', Number(said[3]))
    } else if (counted && open && counted[1]!.split(';').every((name) => SYMBOL.test(name))) {
      // Static functions of one name in two files are one line each, and one path here.
      open.stacks.set(counted[1]!, (open.stacks.get(counted[1]!) ?? 0) + Number(counted[2]))
      open.sum += Number(counted[2])
    } else throw broken(`line ${i + 1} is not in its form: ${line.slice(0, 60)}`)
  }
  if (open) throw broken(`region ${open.number} is cut off`)
  return regions
}

function closed(open: {
  number: number
  stacks: ReadonlyMap<string, number>
  sum: number
  said: ReadonlyMap<string, number>
}): StackRegion {
  const { number, stacks, sum, said } = open
  const [total, unattributed, cut, tick] = ['total', 'unattributed', 'cut', 'tick'].map((k) => said.get(k))
  if (total === undefined || unattributed === undefined || cut === undefined || tick === undefined)
    throw broken(`region ${number} does not say how much is known`)
  if (sum !== total) throw broken(`region ${number} says ${total} instructions and has ${sum}`)
  return { number, stacks, total, unattributed, cut, tick }
}

/**
 * Costs of one operation by call path, from a region and the operations in it. With a shorter region of the same
 * work it is the difference of the two over the difference of their operations, so that what a region costs once is
 * in neither; a path that this takes below zero is one of those, and left out.
 */
export function stackProfile(
  region: StackRegion,
  operations: number,
  shorter?: { readonly region: StackRegion; readonly operations: number },
): StackProfile {
  const count = operations - (shorter?.operations ?? 0)
  if (!(count > 0)) throw new RangeError(`${count} operations`)
  const profile = new Map<string, number>()
  for (const [stack, instructions] of region.stacks) {
    const more = instructions - (shorter?.region.stacks.get(stack) ?? 0)
    if (more > 0) profile.set(stack, more / count)
  }
  return profile
}

/**
 * The profile as flame graph tools read it (flamegraph.pl, inferno, speedscope): a line `stack count` for each
 * path, sorted. Counts are instructions per thousand operations.
 */
export function foldedText(profile: StackProfile): string {
  return lines([...profile].map(([stack, cost]) => [stack, Math.round(cost * SCALE)]))
}

/**
 * Two profiles as difffolded.pl writes them and flamegraph.pl reads them: `stack base series`, in instructions per
 * thousand operations. Clones and split-off parts are joined with their function, as in changedFunctions().
 */
export function foldedDifference(base: StackProfile, series: StackProfile): string {
  const before = joined(base)
  const after = joined(series)
  return lines(
    [...new Set([...before.keys(), ...after.keys()])].map((stack) => [
      stack,
      Math.round((before.get(stack) ?? 0) * SCALE),
      Math.round((after.get(stack) ?? 0) * SCALE),
    ]),
  )
}

function lines(rows: readonly (readonly [string, ...number[]])[]): string {
  return rows
    .filter(([, ...counts]) => counts.some((n) => n > 0))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((row) => `${row.join(' ')}\n`)
    .join('')
}

function joined(profile: StackProfile): Map<string, number> {
  const sums = new Map<string, number>()
  for (const [stack, cost] of profile) {
    const path = joinedPath(stack.split(';')).join(';')
    sums.set(path, (sums.get(path) ?? 0) + cost)
  }
  return sums
}

/** A part that its own function calls is that function; one that calls itself is recursion, and stays. */
function joinedPath(symbols: readonly string[]): string[] {
  const names: string[] = []
  for (const [i, symbol] of symbols.entries()) {
    const name = sourceFunction(symbol)
    if (name !== names.at(-1) || symbol === symbols[i - 1]) names.push(name)
  }
  return names
}

function broken(why: string): LabError {
  return new LabError({ what: "cannot read the plugin's stacks", why, fix: 'run it again; check disk space' })
}
