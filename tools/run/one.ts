// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildInitramfs, withToken, type Initramfs } from '../guest/initramfs.ts'
import { parseDotConfig } from '../kernel/fragments.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { missingTargets } from '../kernel/selftests.ts'
import { keyOf } from '../lib/hash.ts'
import { withLock } from '../lib/lock.ts'
import { log } from '../lib/log.ts'
import { cacheRoot } from '../lib/paths.ts'
import type { Accelerator } from '../machine/boot.ts'
import { probeQemu } from '../machine/qemu-probe.ts'
import { isDamaged } from '../result/json-files.ts'
import type { RunResult } from '../result/result.ts'
import { loadResult, saveResult } from '../result/store.ts'
import { suiteInput, type Suite } from '../suite/suite.ts'
import { bootSteadily, type SteadyBoot } from './boot-steadily.ts'
import { deadlinesOf } from './deadlines.ts'
import type { Cell } from './matrix.ts'
import { toResult } from './to-result.ts'

/** Raise it when a run is judged in another way: stored results are then not used any more. */
const VERSION = 2

export interface OneRun extends Cell {
  readonly kernel: Kernel
  /** The tree that the kernel was built from, and the hash of its content. */
  readonly treeDir: string
  readonly treeId: string
  readonly accel: Accelerator
  /** Boot even when a stored pass would do. */
  readonly again: boolean
  readonly signal: AbortSignal
}

/**
 * One boot of one kernel on one machine with one suite, or its stored result, which may be of another kernel with the
 * same code and data. Only what passed or was skipped is
 * taken from the store: a failure is run again, because its finder wants to see it.
 *
 * @throws LabError when the lab broke; that is never stored.
 */
export async function runOne(one: OneRun): Promise<{ result: RunResult; cached: boolean }> {
  const { kernel, machine, suite, accel, signal } = one
  const initramfs = await initramfsOf(one)
  for (const warning of initramfs.warnings) log.detail(`guest   ${warning}`)
  const qemu = await probeQemu({ signal })
  const deadlines = deadlinesOf(machine, kernel.config, suite.seconds, suite.clockSeconds)
  const key = keyOf({
    version: VERSION,
    // By what is loaded: a patch that changes nothing of it changes no result either.
    kernel: { code: kernel.record.allocatedHash, release: kernel.release, arch: kernel.arch },
    machine,
    suite: suiteInput(suite),
    initramfs: initramfs.key,
    qemu: qemu.binary,
    accel: accel.used,
    deadlines,
  })
  const stored = storedPass(key, one)
  if (stored) return { result: stored, cached: true }
  return withLock(join(cacheRoot(), 'locks', `run-${key}`), async () => {
    const meanwhile = storedPass(key, one)
    if (meanwhile) return { result: meanwhile, cached: true }
    const workDir = join(cacheRoot(), 'runs', key)
    rmSync(workDir, { recursive: true, force: true })
    mkdirSync(workDir, { recursive: true })
    const time = new Date()
    // KUnit has run before init does; a guest that has a shell is given something to run all the same.
    const script = initramfs.shell ? suite.script || 'exit 0' : undefined
    const sealed = await withToken(initramfs, script, workDir, jobFiles(suite))
    let booted: SteadyBoot
    try {
      booted = await bootSteadily({
        arch: kernel.arch,
        image: kernel.image,
        initramfs: sealed.initramfs,
        cmdline: suite.cmdline,
        token: sealed.token,
        machine,
        accel,
        workDir,
        deadlines,
        signal,
      })
    } finally {
      // It holds the token, and is the only large file there.
      rmSync(sealed.initramfs, { force: true })
    }
    const result = await toResult(one, { key, time, ...booted, qemu: qemu.version })
    saveResult(result)
    return { result, cached: false }
  })
}

/** Why a suite cannot be run on this kernel; undefined when it can. */
export function unfit(suite: Suite, kernel: Kernel): string | undefined {
  const missing = missingTargets(kernel.selftests, suite.selftests)
  if (missing.length > 0) return `this tree has no selftests ${missing.join(', ')}`
  if (suite.options.length === 0) return undefined
  const config = parseDotConfig(readFileSync(kernel.configFile, 'utf8'))
  return suite.options.some((option) => config.has(option))
    ? undefined
    : `this kernel has none of the options ${suite.options.join(', ')}`
}

/** Per kernel and suite: the same for every machine, and hashing fio's 80 MB of libraries takes a second or two. */
const initramfses = new WeakMap<Kernel, Map<string, Promise<Initramfs>>>()

/** The initramfs that a suite needs, as the guest stage makes it. */
function initramfsOf(one: OneRun): Promise<Initramfs> {
  const known = initramfses.get(one.kernel) ?? new Map<string, Promise<Initramfs>>()
  initramfses.set(one.kernel, known)
  const made = known.get(one.suite.name) ?? makeInitramfs(one)
  known.set(one.suite.name, made)
  return made
}

async function makeInitramfs(one: OneRun): Promise<Initramfs> {
  const { kernel, suite } = one
  return buildInitramfs({
    arch: kernel.arch,
    treeDir: one.treeDir,
    treeId: one.treeId,
    programs: suite.programs,
    carry: suite.carry,
    tools: suite.tools,
    directories:
      suite.selftests.length > 0 && kernel.selftests !== undefined
        ? [{ path: '/selftests', source: kernel.selftests }]
        : [],
    signal: one.signal,
  })
}

function jobFiles(suite: Suite): { path: string; mode: number; source: string }[] {
  return suite.files.map((file) => ({ path: `/phyr/fio/${file.file}`, mode: 0o644, source: file.path }))
}

function storedPass(key: string, one: OneRun): RunResult | undefined {
  if (one.again) return undefined
  const stored = loadResult(key)
  if (stored === undefined || isDamaged(stored)) return undefined
  return stored.outcome === 'fail' || !existsSync(stored.log) ? undefined : stored
}
