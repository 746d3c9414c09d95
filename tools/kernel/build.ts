// SPDX-License-Identifier: GPL-2.0-only
import { beforeWork } from '../lib/dry-run.ts'
import { constants, copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { artefact, cachedArtefact } from '../lib/cache.ts'
import { Finding, LabError } from '../lib/errors.ts'
import { run, runOk, type RunResult } from '../lib/exec.ts'
import { keyOf } from '../lib/hash.ts'
import { follow } from '../lib/follow.ts'
import { LineSplitter } from '../lib/line-splitter.ts'
import { withLock } from '../lib/lock.ts'
import { log } from '../lib/log.ts'
import { cacheRoot, toolRoot } from '../lib/paths.ts'
import type { Tree } from '../series/series.ts'
import { blamePatch } from './blame.ts'
import { lastConfig, markBuilding, prepareBuildDir } from './build-dir.ts'
import { configure, type Configured } from './config.ts'
import { findFailure, findLabFault, findWarnings } from './failure.ts'
import { configs, type Merged, parseDotConfig, readConfig } from './fragments.ts'
import type { Arch, Kernel, KernelRecord } from './kernel.ts'
import { type Layout, writeLayout } from './layout.ts'
import { canProbe, probeLayout } from './layout-probe.ts'
import { makeCommand, type MakeCommand } from './make-args.ts'
import { BuildProgress, workToDo } from './progress.ts'
import { allocatedHash, sectionBytes } from './sections.ts'
import { installSelftests, presentTargets } from './selftests.ts'
import { SYMBOLS_VERSION, updateSymbols, writeSymbols } from './symbol-state.ts'
import { findToolchain, type Toolchain } from './toolchain.ts'
import { updateWarnings, writeWarnings, type Warnings } from './warnings.ts'

export interface BuildRequest {
  /** Checked out and held by the caller (withTree) while this runs. */
  readonly tree: Tree
  /** Default: the config's own. */
  readonly arch?: Arch
  /** "lab", "debug", "i386", "i386-pae". */
  readonly config: string
  /** Directory of the fragments; default kernel-config of the toolkit. */
  readonly fragments?: string
  /** false: without the series' own tests, so that kernels of any two points have the same options; default true. */
  readonly tests?: boolean
  /** Targets of tools/testing/selftests to build and install; empty for none. */
  readonly selftests: readonly string[]
  /** true: with the symbols of its objects beside it (readSymbols), for which objects are read after the build. */
  readonly symbols?: boolean
  /** Default: as many as there are cores. */
  readonly jobs?: number
  /** false: without ccache even when it is installed. */
  readonly ccache?: boolean
  readonly signal?: AbortSignal
}

/** Changes whenever the same inputs would give another artefact. */
const STAGE_VERSION = 3

interface Stored {
  readonly release: string
  readonly hasSelftests: boolean
  readonly record: KernelRecord
}

interface Job extends BuildRequest {
  readonly arch: Arch
  readonly merged: Merged
  readonly toolchain: Toolchain
  readonly targets: readonly string[]
  readonly wholeSeries: boolean
}

/**
 * Builds a kernel, or finds it in the cache: the image, vmlinux with symbols, System.map, .config, the installed
 * selftests, and how its structures are laid out (readLayout). Objects are kept between builds in `build/` of the cache, one directory for each base, work tree and
 * config, so that kbuild compiles only what a patch changed.
 *
 * @throws Finding (stage config) for an option that does not hold, (stage build) for a compile or link error: the
 *   compiler's message with file:line first, `blame` the patch that wrote that line.
 * @throws UsageError for an unknown config, a malformed fragment, a bad selftest name.
 * @throws LabError when a tool is missing, the disk or memory is full, or `signal` was aborted.
 */
export async function buildKernel(request: BuildRequest): Promise<Kernel> {
  const { job, inputs } = await plan(request)
  const made = await artefact('kernel', inputs, (dir) => build(job, dir))
  return asKernel(job, made)
}

/** The kernel when it is in the cache; never builds. */
export async function cachedKernel(request: BuildRequest): Promise<Kernel | undefined> {
  const { job, inputs } = await plan(request)
  const found = cachedArtefact<Stored>('kernel', inputs)
  return found && asKernel(job, found)
}

async function plan(request: BuildRequest): Promise<{ job: Job; inputs: Record<string, unknown> }> {
  const fragments = request.fragments ?? join(toolRoot, 'kernel-config')
  const merged = readConfig(request.config, fragments, { tests: request.tests })
  const arch = request.arch ?? configs[request.config]?.arch ?? 'x86_64'
  const toolchain = await findToolchain({ signal: request.signal })
  const { applied, dir } = request.tree
  const job: Job = {
    ...request,
    arch,
    merged,
    toolchain,
    targets: presentTargets(dir, request.selftests),
    wholeSeries:
      applied.commits.length > 0 &&
      applied.commits.length === applied.series.patches.length &&
      applied.series.group === undefined,
  }
  const inputs = {
    tree: applied.tree,
    config: merged.text,
    arch,
    toolchain: toolchain.identity,
    selftests: job.targets,
    wholeSeries: job.wholeSeries,
    layout: canProbe(),
    ...(request.symbols ? { symbols: SYMBOLS_VERSION } : {}),
    version: STAGE_VERSION,
  }
  return { job, inputs }
}

function asKernel(job: Job, made: { key: string; dir: string; cached: boolean; manifest: Stored }): Kernel {
  const { key, dir, cached, manifest } = made
  return {
    key,
    dir,
    cached,
    arch: job.arch,
    config: job.config,
    release: manifest.release,
    image: join(dir, job.arch === 'x86_64' ? 'vmlinux.stripped' : 'bzImage'),
    vmlinux: join(dir, 'vmlinux'),
    systemMap: join(dir, 'System.map'),
    configFile: join(dir, 'config'),
    selftests: manifest.hasSelftests ? join(dir, 'selftests') : undefined,
    record: manifest.record,
  }
}

/** Fills the artefact's directory: under the lock of the O= directory, which gc takes as well. */
async function build(job: Job, dir: string): Promise<Stored> {
  const { tree, arch, toolchain } = job
  const name = `${tree.applied.base.identity.tree.slice(0, 12)}-${job.config}-${keyOf(tree.dir).slice(0, 6)}`
  const object = join(cacheRoot(), 'build', name)
  return withLock(join(cacheRoot(), 'locks', `build-${name}`), async () => {
    const start = performance.now()
    prepareBuildDir(object, { source: tree.dir, toolchain: toolchain.identity })
    const make = makeCommand({ ...job, source: tree.dir, object, arch })
    const before = lastConfig(object)
    const { signal } = job
    const unmark = markBuilding(object)
    const configured = await configure({
      make,
      merged: job.merged,
      wholeSeries: job.wholeSeries,
      signal,
    }).catch((error: unknown) => {
      if (error instanceof Finding) unmark()
      throw error
    })
    const warnings = await compile(job, make, configured, before, dir, unmark)
    unmark()
    return collect(job, make, configured, dir, warnings, start)
  })
}

/** Runs make, and the selftests' make after it. Returns the warnings of the whole kernel. */
async function compile(
  job: Job,
  make: MakeCommand,
  configured: Configured,
  before: ReadonlyMap<string, string> | undefined,
  dir: string,
  unmark: () => void,
): Promise<Warnings> {
  const { signal, tree, targets } = job
  const logFile = join(make.object, 'build.log')
  const config = parseDotConfig(configured.text)
  const work = workToDo({ source: tree.dir, object: make.object, before, config })
  const progress = new BuildProgress(`kernel ${job.config}`, work)
  // One stream: only beside what was being made is it known which object a warning belongs to.
  const lines = new LineSplitter((line) => progress.line(line))
  const follower = follow(logFile, (bytes) => lines.push(bytes))
  try {
    const args = [...make.args, imageTarget(job.arch)]
    beforeWork('make', args)
    const result = await run('make', args, {
      cwd: make.object,
      env: make.env,
      outputFile: logFile,
      ...(signal ? { signal } : {}),
    })
    const output = readFileSync(logFile, 'utf8')
    const warnings = updateWarnings(make.object, output, tree.dir)
    if (result.code !== 0) throw await buildError('make', { ...result, stderr: output }, job, unmark)
    follower.pump()
    log.detail(`kernel  ${progress.done} objects made, ${work.total} expected`)
    if (targets.length === 0) return warnings
    log.progress(`kernel ${job.config}  selftests ${targets.join(' ')}`)
    const destination = join(dir, 'selftests')
    const tests = await installSelftests({ make, targets, destination, logFile, signal })
    if (tests.code !== 0) throw await buildError('the selftests', tests, job, unmark)
    const said = findWarnings(tests.stderr, tree.dir)
    return said.length > 0 ? { ...warnings, selftests: said } : warnings
  } finally {
    follower.close()
    log.progressDone()
  }
}

/** x86_64 starts the ELF file itself (PVH), which spares the guest the unpacking and the build the packing. */
function imageTarget(arch: Arch): string {
  return arch === 'x86_64' ? 'vmlinux' : 'bzImage'
}

async function buildError(what: string, result: RunResult, job: Job, unmark: () => void): Promise<Error> {
  const output = `${result.stderr}\n`
  const fault = findLabFault(output)
  if (fault || result.signal !== undefined) {
    const why = fault?.why ?? `it was ended by ${result.signal}`
    return new LabError({
      what: `${what} stopped`,
      why,
      fix: fault?.fix ?? 'run it again',
      detail: output.trim().split('\n').slice(-10),
    })
  }
  unmark() // make ended by itself: it removed what the failing commands left
  const failure = findFailure(output, job.tree.dir)
  const patch = await blamePatch(failure, job.tree)
  return new Finding({
    stage: 'build',
    message: failure.message,
    blame: patch?.file,
    detail: failure.excerpt,
  })
}

/** Copies what the later stages need out of the O= directory, and measures it. */
async function collect(
  job: Job,
  make: MakeCommand,
  configured: Configured,
  dir: string,
  warnings: Warnings,
  start: number,
): Promise<Stored> {
  const { object } = make
  const copy = (from: string, to: string): void =>
    copyFileSync(join(object, from), join(dir, to), constants.COPYFILE_FICLONE)
  mkdirSync(dir, { recursive: true })
  copy('vmlinux', 'vmlinux')
  copy('System.map', 'System.map')
  copy('.config', 'config')
  copy('build.log', 'build.log')
  let image = 'vmlinux.stripped'
  if (job.arch === 'x86_64') {
    const options = job.signal ? { signal: job.signal } : {}
    await runOk('strip', ['--strip-all', '-o', join(dir, image), join(dir, 'vmlinux')], options)
  } else {
    image = 'bzImage'
    copy('arch/x86/boot/bzImage', image)
  }
  const vmlinux = join(dir, 'vmlinux')
  writeLayout(dir, await layoutOf(job, object, dir))
  writeWarnings(dir, warnings)
  if (job.symbols) writeSymbols(dir, updateSymbols(object))
  return {
    release: readFileSync(join(object, 'include/config/kernel.release'), 'utf8').trim(),
    hasSelftests: existsSync(join(dir, 'selftests')),
    record: {
      compiler: job.toolchain.compiler,
      configHash: configured.merged.hash,
      seconds: Math.round((performance.now() - start) / 100) / 10,
      bytes: { image: statSync(join(dir, image)).size, ...sectionBytes(vmlinux) },
      allocatedHash: allocatedHash(vmlinux),
      warnings: Object.values(warnings).flat().length,
    },
  }
}

async function layoutOf(job: Job, object: string, dir: string): Promise<Layout> {
  const layout = await probeLayout({
    source: job.tree.dir,
    object,
    scratch: join(dir, '.probe'),
    bits: job.arch === 'x86_64' ? 64 : 32,
    signal: job.signal,
  })
  if (layout.absent !== undefined) log.detail(`layout  nothing about structures: ${layout.absent}`)
  return layout
}
