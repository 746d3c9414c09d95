// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BenchOutput } from '../result/bench-record.ts'
import { tooMuchLoad } from '../result/comparable.ts'

/** What others used of the processors while something was measured. */
export interface LoadReport {
  /** Processors' worth of work of others; `highest` is the highest mean over WINDOW seconds in between. */
  readonly load: BenchOutput['host']['load']
  /** Why times that were measured meanwhile are not to be trusted: what wallFigures() takes. */
  readonly distrust: string | undefined
  /** What else makes times doubtful here, for the record's notes: a governor, time that was stolen, throttling. */
  readonly words: readonly string[]
}

export interface LoadWatch {
  /** Ends the watch. Takes a second: what others do is measured once more after the last boot. */
  stop(): Promise<LoadReport>
}

interface Options {
  readonly proc?: string
  readonly sys?: string
  /** The process that is not 'others', with all its descendants. */
  readonly pid?: number
  readonly sleep?: (ms: number) => Promise<unknown>
}

/** Seconds over which `highest` is a mean: what lasts shorter hits one boot, and the medians are there for that. */
const WINDOW = 5

/** Milliseconds between two readings, and of the measurement before and after. */
const EVERY = 1000

/** Jiffies of /proc/stat and /proc/PID/stat a second: USER_HZ, which is 100 on every x86 (asm-generic/param.h). */
const HZ = 100

/** Processors' worth of stolen time that is worth a word. */
const NOTABLE_STEAL = 0.02

/** Sums since the boot, in jiffies, over all processors. */
interface Reading {
  readonly cpus: number
  readonly total: number
  /** All that is neither idle nor waiting for I/O, stolen time with it: somebody had the processor. */
  readonly busy: number
  readonly steal: number
  /** Used by the process that measures and its descendants, those that ended as well. */
  readonly own: number
}

/**
 * Watches what others do on this machine, from a second before to a second after. Await it, then measure.
 *
 * Where /proc/stat says nothing (not Linux, some containers), the figures are the load average before and a word
 * says so.
 */
export async function watchLoad(options: Options = {}): Promise<LoadWatch> {
  const { proc = '/proc', sys = '/sys', pid = process.pid, sleep = delay } = options
  const read = (): Reading | undefined => readProcessors(proc, pid)
  const first = read()
  const average = loadAverage(proc)
  const events = throttled(sys)
  await sleep(EVERY)
  const readings = [read()]
  const before = othersBetween(first, readings[0])
  const timer = setInterval(() => readings.push(read()), EVERY).unref()
  return {
    async stop() {
      clearInterval(timer)
      const last = read()
      readings.push(last)
      await sleep(EVERY)
      const end = read()
      const after = othersBetween(last, end)
      const highest = highestMean(readings)
      const known = before ?? after ?? highest
      const load = {
        before: before ?? average,
        after: after ?? average,
        highest: highest ?? known ?? average,
      }
      const words = [...governors(sys), ...stolen(first, end), ...throttledSince(events, throttled(sys))]
      if (known === undefined)
        words.unshift('what others use of the processors cannot be told here: the load average stands for it')
      return { load, distrust: tooMuchLoad(load), words }
    },
  }
}

/** Processors' worth of work of others between two readings; undefined when nothing can be said. */
function othersBetween(from: Reading | undefined, to: Reading | undefined): number | undefined {
  if (!from || !to || to.total <= from.total || to.own < from.own) return undefined
  const others = to.busy - from.busy - (to.own - from.own)
  return Math.max(0, (to.cpus * others) / (to.total - from.total))
}

/**
 * The highest mean over WINDOW seconds, or over all of them where they are fewer.
 *
 * The sum of our own time falls only when a process went out of sight (its parent ended first): no pair of readings
 * with such a fall between them is used.
 */
function highestMean(all: readonly (Reading | undefined)[]): number | undefined {
  const runs: Reading[][] = [[]]
  for (const reading of all) {
    const run = runs.at(-1) ?? []
    if (!reading || reading.own < (run.at(-1)?.own ?? 0)) runs.push([])
    else run.push(reading)
  }
  let highest: number | undefined
  for (const run of runs) {
    for (let from = 0, to = 1; to < run.length; to++) {
      // The shortest stretch that ends here and is WINDOW long; at the beginning of a run there is none yet.
      while (from + 1 < to && seconds(run[from + 1], run[to]) >= WINDOW) from++
      if (seconds(run[from], run[to]) < WINDOW && to < run.length - 1) continue
      const mean = othersBetween(run[from], run[to])
      if (mean !== undefined) highest = Math.max(highest ?? 0, mean)
    }
  }
  return highest
}

/** From the jiffies themselves, so that a second is one of the kernel's even when we were late. */
function seconds(from: Reading | undefined, to: Reading | undefined): number {
  return from && to ? (to.total - from.total) / to.cpus / HZ : 0
}

function readProcessors(proc: string, pid: number): Reading | undefined {
  const stat = text(join(proc, 'stat'))
  const line = /^cpu +(.*)$/m.exec(stat)?.[1]
  const cpus = stat.match(/^cpu\d+ /gm)?.length ?? 0
  // user nice system idle iowait irq softirq steal; guest time, which follows, is in user already (proc(5)).
  const times = (line?.split(' ') ?? []).map(Number)
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = times
  const busy = user + nice + system + irq + softirq + steal
  const total = busy + idle + iowait
  if (cpus === 0 || !(total > 0)) return undefined
  return { cpus, total, busy, steal, own: ownTime(proc, pid) }
}

/** Jiffies of a process, its descendants, and those of their children that ended and were waited for. */
function ownTime(proc: string, pid: number): number {
  const childrenOf = childrenIn(proc, pid)
  const seen = new Set<number>()
  const left = [pid]
  let sum = 0
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    for (const field of fieldsOf(proc, next).slice(11, 15)) sum += Number(field) || 0
    left.push(...childrenOf(next))
  }
  return sum
}

/** Fields of /proc/PID/stat from the third on: the name, the second, may hold blanks and parentheses. */
function fieldsOf(proc: string, pid: number | string): string[] {
  const stat = text(join(proc, String(pid), 'stat'))
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** Finds a process's children: by the kernel's lists, or where it has none (CONFIG_PROC_CHILDREN) in all processes. */
function childrenIn(proc: string, pid: number): (parent: number) => readonly number[] {
  const listOf = (process: number, task: string): string => join(proc, `${process}/task/${task}/children`)
  if (existsSync(listOf(pid, String(pid)))) {
    return (parent) =>
      names(join(proc, `${parent}/task`)).flatMap((task) =>
        text(listOf(parent, task))
          .split(' ')
          .filter((word) => /^\d+$/.test(word))
          .map(Number),
      )
  }
  const children = new Map<number, number[]>()
  for (const name of names(proc).filter((word) => /^\d+$/.test(word))) {
    const parent = Number(fieldsOf(proc, name)[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  return (parent) => children.get(parent) ?? []
}

function loadAverage(proc: string): number {
  return Number.parseFloat(text(join(proc, 'loadavg'))) || 0
}

function stolen(from: Reading | undefined, to: Reading | undefined): string[] {
  if (!from || !to || to.total <= from.total) return []
  const share = (to.cpus * (to.steal - from.steal)) / (to.total - from.total)
  if (share < NOTABLE_STEAL) return []
  return [`${share.toFixed(2)} processors' worth of time went to other virtual machines (steal)`]
}

function governors(sys: string): string[] {
  const dir = join(sys, 'devices/system/cpu')
  const all = cpuNames(dir).map((cpu) => text(join(dir, cpu, 'cpufreq/scaling_governor')).trim())
  const moving = [...new Set(all.filter((name) => name !== '' && name !== 'performance'))]
  if (moving.length === 0) return []
  return [`the CPU frequency follows the load (governor ${moving.join(', ')}): times depend on it`]
}

interface Throttled {
  readonly heat: number
  readonly quota: number
}

/** How often the processors were slowed down for heat, and how often a control group's quota stopped us. */
function throttled(sys: string): Throttled {
  const dir = join(sys, 'devices/system/cpu')
  const counts = cpuNames(dir).map((cpu) =>
    Number(text(join(dir, cpu, 'thermal_throttle/core_throttle_count'))),
  )
  const quota = /^nr_throttled (\d+)$/m.exec(text(join(sys, 'fs/cgroup/cpu.stat')))?.[1]
  return { heat: counts.reduce((sum, n) => sum + (n || 0), 0), quota: Number(quota ?? 0) }
}

function throttledSince(from: Throttled, to: Throttled): string[] {
  const words: string[] = []
  if (to.heat > from.heat) words.push(`the CPU was slowed down for heat ${to.heat - from.heat} times`)
  if (to.quota > from.quota)
    words.push(`the control group's CPU quota stopped this ${to.quota - from.quota} times`)
  return words
}

function cpuNames(dir: string): string[] {
  return names(dir).filter((name) => /^cpu\d+$/.test(name))
}

/** A file's text; '' for one that is not there or may not be read. Processes end while they are looked at. */
function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
