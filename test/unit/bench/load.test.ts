// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { watchLoad, type LoadReport } from '../../../tools/bench/load.ts'

/** A machine whose files say what the test says. Time is in jiffies: 100 a second and processor. */
class Machine {
  readonly proc: string
  readonly sys: string
  readonly cpus = 2
  #times = { user: 5000, nice: 10, system: 700, idle: 90_000, iowait: 50, irq: 1, softirq: 30, steal: 4 }
  #own = new Map<number, { parent: number; own: number; waited: number }>()

  constructor(root: string) {
    this.proc = join(root, 'proc')
    this.sys = join(root, 'sys')
    this.process(100, 1)
    this.second({})
  }

  process(pid: number, parent: number): void {
    this.#own.set(pid, { parent, own: 0, waited: 0 })
  }

  /** The process ends, and its parent waits for it. */
  end(pid: number): void {
    const ended = this.#own.get(pid)!
    this.#own.delete(pid)
    this.#own.get(ended.parent)!.waited += ended.own + ended.waited
    rmSync(join(this.proc, String(pid)), { recursive: true })
    this.write()
  }

  /** The process goes out of sight, its time with it. */
  lose(pid: number): void {
    this.#own.delete(pid)
    rmSync(join(this.proc, String(pid)), { recursive: true })
    this.write()
  }

  /** One second: processors' worth of time of others, of stolen time, and of each of our processes. */
  second({ others = 0, steal = 0, own = {} as Record<number, number> }): void {
    const t = this.#times
    let ours = 0
    for (const [pid, share] of Object.entries(own)) {
      this.#own.get(Number(pid))!.own += share * 100
      ours += share * 100
    }
    t.user += others * 60 + ours
    t.system += others * 30
    t.softirq += others * 10
    t.steal += steal * 100
    t.idle += this.cpus * 100 - (others + steal) * 100 - ours
    this.write()
  }

  write(): void {
    mkdirSync(this.proc, { recursive: true })
    const values = Object.values(this.#times).map(Math.round).join(' ')
    writeFileSync(
      join(this.proc, 'stat'),
      `cpu  ${values} 77 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\nintr 12 cpu 9\nctxt 5\n`,
    )
    writeFileSync(join(this.proc, 'loadavg'), '0.70 0.40 0.30 1/90 15095\n')
    for (const [pid, { parent, own, waited }] of this.#own) {
      const task = join(this.proc, `${pid}/task/${pid}`)
      mkdirSync(task, { recursive: true })
      // A name with what would end it, and utime, stime, cutime, cstime.
      const half = Math.floor(own / 2)
      const times = [half, Math.round(own) - half, Math.round(waited), 0].join(' ')
      writeFileSync(
        join(this.proc, `${pid}/stat`),
        `${pid} (qemu) S (x) S ${parent} 1 1 0 -1 4194304 2521 0 3 0 ${times} 20 0 7 0 1338550 746250240\n`,
      )
      const children = [...this.#own].filter(([, p]) => p.parent === pid).map(([child]) => child)
      writeFileSync(join(task, 'children'), children.map((child) => `${child} `).join(''))
    }
  }

  /** Watches while the seconds pass; one before and one after are added as given. */
  async watch(seconds: readonly (() => void)[], around = [{}, {}]): Promise<LoadReport> {
    vi.useFakeTimers()
    const sleep = async (): Promise<void> => this.second(around.shift() ?? {})
    const watch = await watchLoad({ proc: this.proc, sys: this.sys, pid: 100, sleep })
    for (const second of seconds) {
      second()
      vi.advanceTimersByTime(1000)
    }
    return watch.stop()
  }

  set(path: string, text: string): void {
    const file = join(this.sys, path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, text)
  }
}

let root = ''
let machine: Machine
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'phyr-load-'))
  machine = new Machine(root)
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(root, { recursive: true })
})

const times = (n: number, what: () => void): (() => void)[] => Array.from({ length: n }, () => what)

describe('a made up machine', () => {
  test('nobody else: no load, whatever we use ourselves', async () => {
    machine.process(200, 100)
    const report = await machine.watch(times(12, () => machine.second({ own: { 100: 0.1, 200: 1 } })))
    expect(report.load).toEqual({ before: 0, after: 0, highest: expect.closeTo(0, 1) })
    expect(report.distrust).toBeUndefined()
    expect(report.words).toEqual([])
  })

  test('before, after, and in between', async () => {
    const report = await machine.watch(
      times(8, () => machine.second({ others: 0.8, own: { 100: 1 } })),
      [{ others: 0.3 }, { others: 0.2 }],
    )
    expect(report.load.before).toBeCloseTo(0.3, 2)
    expect(report.load.highest).toBeCloseTo(0.8, 2)
    expect(report.load.after).toBeCloseTo(0.2, 2)
    expect(report.distrust).toMatch(/^others used 0\.80 processors while this measured/)
  })

  test('a guest that ends does not make its time that of others', async () => {
    machine.process(200, 100)
    machine.process(300, 200)
    const report = await machine.watch([
      ...times(7, () => machine.second({ own: { 200: 0.5, 300: 0.5 } })),
      () => {
        machine.end(300)
        machine.end(200)
        machine.second({})
      },
      ...times(7, () => machine.second({ own: { 100: 0.5 } })),
    ])
    expect(report.load.highest).toBeCloseTo(0, 2)
  })

  test('programs that come and go between two looks are ours', async () => {
    const report = await machine.watch(
      times(8, () => {
        machine.process(200, 100)
        machine.second({ own: { 200: 0.9 } })
        machine.end(200)
      }),
    )
    expect(report.load.highest).toBeCloseTo(0, 2)
  })

  test('a process that goes out of sight does not hide or make a load', async () => {
    machine.process(200, 100)
    const report = await machine.watch([
      ...times(9, () => machine.second({ others: 0.1, own: { 100: 0.6, 200: 0.2 } })),
      () => {
        machine.lose(200)
        machine.second({ others: 0.1, own: { 100: 0.6 } })
      },
      ...times(9, () => machine.second({ others: 0.3, own: { 100: 0.6 } })),
    ])
    expect(report.load.highest).toBeCloseTo(0.3, 2)
  })

  test('the highest is over five seconds: a short burst counts for its part', async () => {
    const idle = times(20, () => machine.second({}))
    const burst = await machine.watch([...idle, () => machine.second({ others: 1 }), ...idle])
    expect(burst.load.highest).toBeCloseTo(0.2, 2)
    expect(burst.distrust).toBeUndefined()
  })

  test('five busy seconds in the middle of many count in full', async () => {
    const idle = times(20, () => machine.second({}))
    const long = await machine.watch([...idle, ...times(5, () => machine.second({ others: 1 })), ...idle])
    expect(long.load.highest).toBeCloseTo(1, 2)
  })

  test('a measurement of less than five seconds: all of it', async () => {
    const report = await machine.watch(times(2, () => machine.second({ others: 0.5 })))
    expect(report.load.highest).toBeCloseTo(0.5, 2)
  })

  test('stolen time is work of others, and worth a word', async () => {
    const report = await machine.watch(times(10, () => machine.second({ steal: 0.6 })))
    expect(report.load.highest).toBeCloseTo(0.6, 2)
    expect(report.words).toEqual([expect.stringMatching(/^0\.50 processors' worth of time .*steal/)])
  })

  test('a governor, heat and a quota are worth a word, and only when they did something', async () => {
    machine.set('devices/system/cpu/cpu0/cpufreq/scaling_governor', 'powersave\n')
    machine.set('devices/system/cpu/cpu1/cpufreq/scaling_governor', 'powersave\n')
    machine.set('devices/system/cpu/cpu1/thermal_throttle/core_throttle_count', '7\n')
    machine.set('fs/cgroup/cpu.stat', 'usage_usec 12\nnr_periods 9\nnr_throttled 3\n')
    expect((await machine.watch([])).words).toEqual([
      'the CPU frequency follows the load (governor powersave): times depend on it',
    ])
    machine.set('devices/system/cpu/cpu0/cpufreq/scaling_governor', 'performance\n')
    machine.set('devices/system/cpu/cpu1/cpufreq/scaling_governor', 'performance\n')
    const report = await machine.watch([
      () => {
        machine.set('devices/system/cpu/cpu1/thermal_throttle/core_throttle_count', '9\n')
        machine.set('fs/cgroup/cpu.stat', 'usage_usec 12\nnr_periods 19\nnr_throttled 8\n')
      },
    ])
    expect(report.words).toEqual([
      'the CPU was slowed down for heat 2 times',
      "the control group's CPU quota stopped this 5 times",
    ])
  })

  test('children are found where the kernel has no lists of them', async () => {
    const lists = [100, 200].map((pid) => join(machine.proc, `${pid}/task`))
    machine.process(200, 100)
    machine.process(300, 200)
    const second = (): void => {
      machine.second({ own: { 200: 0.5, 300: 0.5 } })
      for (const list of lists) rmSync(list, { recursive: true, force: true })
    }
    second()
    const report = await machine.watch(times(8, second))
    expect(report.load.highest).toBeCloseTo(0, 2)
  })

  test('no files at all, or empty ones: the load average, or nothing, and a word', async () => {
    const words = [expect.stringContaining('cannot be told here')]
    const options = { proc: machine.proc, sys: machine.sys, pid: 100 }
    let n = 0
    const stats = [
      () => 'cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0\n',
      () => `cpu  ${n++} 0 0 1 0 0 0 0 0 0\n`, // no line for any processor
      () => `cpu  ${n++} x 0 1 0 0 0 0 0 0\ncpu0 0 0 0 0\n`,
      () => '\0\xff',
    ]
    for (const stat of stats) {
      const sleep = async (): Promise<void> => writeFileSync(join(machine.proc, 'stat'), stat())
      await sleep()
      const report = await (await watchLoad({ ...options, sleep })).stop()
      expect(report).toMatchObject({ load: { before: 0.7, after: 0.7, highest: 0.7 }, words })
    }
    const none = await (
      await watchLoad({ ...options, proc: join(root, 'none'), sleep: async () => {} })
    ).stop()
    expect(none).toMatchObject({ load: { before: 0, after: 0, highest: 0 }, words })
  })
})

test.runIf(process.platform === 'linux')(
  'this machine: a child of ours is ours, and to another it is others',
  async () => {
    const watcher = spawn('sleep', ['60'])
    const busy = spawn('sh', ['-c', 'while :; do :; done'])
    try {
      const [ours, theirs] = await Promise.all([watchLoad(), watchLoad({ pid: watcher.pid! })])
      const [mine, others] = await Promise.all([ours.stop(), theirs.stop()])
      // What the rest of the machine does is in both.
      expect(others.load.before - mine.load.before).toBeGreaterThan(0.1)
      expect(others.load.after - mine.load.after).toBeGreaterThan(0.1)
    } finally {
      watcher.kill()
      busy.kill()
    }
  },
)
