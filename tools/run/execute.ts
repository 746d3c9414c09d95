// SPDX-License-Identifier: GPL-2.0-only
import { dryRun, DryRunEnd } from '../lib/dry-run.ts'
import { join } from 'node:path'
import type { Kernel } from '../kernel/kernel.ts'
import { Finding } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import { cacheRoot } from '../lib/paths.ts'
import type { Project } from '../lib/project.ts'
import { probeAccelerator } from '../machine/accel.ts'
import { outcomeOf, baseOf, findingOf, runLine, type RunLine, type RunOutput } from '../result/record.ts'
import { writeReport } from '../result/report.ts'
import { SCHEMA, type RunResult } from '../result/result.ts'
import { resultsOf, saveRecord } from '../result/store.ts'
import type { Applied } from '../series/series.ts'
import type { Settings } from '../suite/suite.ts'
import { hostFacts, toolVersions } from './host.ts'
import { getKernel, type KernelChoice } from './kernel.ts'
import { matrixOf, type Cell } from './matrix.ts'
import { runOne, unfit } from './one.ts'
import { ready } from './ready.ts'
import { applyTo, getBase, type SourceChoice } from './sources.ts'

/** Everything that `phyr run` and `phyr test` can be asked. */
export interface RunChoice extends SourceChoice, KernelChoice {
  readonly machines: readonly string[] | undefined
  readonly suites: readonly string[] | undefined
  /** Of the suites' variables; undefined: the usual values. */
  readonly settings?: Settings
  readonly accel: 'kvm' | 'tcg' | undefined
  readonly again: boolean
}

/**
 * The whole way from the series to the verdict. A patch that does not apply, a config that does not hold and a
 * kernel that does not build are findings: the record says so, and nothing is booted.
 *
 * @throws LabError when the lab broke, UsageError for bad input.
 */
export async function execute(project: Project, choice: RunChoice, signal: AbortSignal): Promise<RunOutput> {
  const start = Date.now()
  // Bad names and files are found before anything is downloaded.
  const cells = matrixOf(project, choice)
  await ready(
    signal,
    cells.map((cell) => cell.suite.name),
  )
  const accel = await probeAccelerator({ ...(choice.accel ? { force: choice.accel } : {}), signal })
  log.info(`accel   ${accel.used}: ${accel.reason}`)
  const { base, series } = await getBase(project, choice, signal)
  const about = {
    schema: SCHEMA as typeof SCHEMA,
    base: baseOf(base.identity),
    time: new Date(start).toISOString(),
    host: hostFacts(),
  }
  const seriesOf = (applied: Applied | undefined): RunOutput['series'] => ({
    version: series.version,
    patches: series.patches.length,
    name: series.name,
    changeId: series.changeId,
    hash: series.hash,
    ...(applied ? { tree: applied.tree } : {}),
    list: series.patches.map((patch) => {
      const commit = applied?.commits.find((c) => c.patch.file === patch.file)?.commit
      return { file: patch.file, subject: patch.subject, ...(commit ? { commit } : {}) }
    }),
  })

  let applied: Applied | undefined
  let output: RunOutput
  try {
    applied = await applyTo(base, series, choice, signal)
    const built = await getKernel(project, applied, choice, cells, signal)
    const runs: RunLine[] = []
    const results: RunResult[] = []
    for (const [i, cell] of cells.entries()) {
      const where = `${cell.machine.name} ${cell.suite.name}`
      log.progress(`run     [${i + 1}/${cells.length}] ${where}`)
      const why = unfit(cell.suite, built.kernel)
      if (why !== undefined) {
        log.info(`run     ${where}: skip (${why})`)
        runs.push(skipped(cell, why))
        continue
      }
      const one = { ...cell, ...built, accel, again: choice.again, signal }
      const ran = await runOne(one).catch(unlessDryRun)
      if (ran === undefined) continue
      const { result, cached } = ran
      runs.push(runLine(result, cached))
      results.push(result)
      sayRun(cell, result, cached)
    }
    if (dryRun.on) throw new DryRunEnd('nothing was run')
    output = {
      ...about,
      outcome: outcomeOf(runs),
      series: seriesOf(applied),
      kernel: kernelOf(built.kernel),
      accel,
      runs,
      fio: results.flatMap((result) => result.fio),
      report: null,
      seconds: (Date.now() - start) / 1000,
      versions: toolVersions(results.at(-1)?.qemu, results.find((r) => r.fioVersion)?.fioVersion),
    }
  } catch (error) {
    if (!(error instanceof Finding)) throw error
    output = {
      ...about,
      outcome: 'fail',
      series: seriesOf(applied),
      kernel: null,
      accel,
      runs: [],
      fio: [],
      report: null,
      finding: findingOf(error),
      seconds: (Date.now() - start) / 1000,
    }
  }
  return kept(output)
}

/** Writes the report and stores the record; the page's path is part of the record. */
function kept(output: RunOutput): RunOutput {
  const id = (output.time ?? '').replaceAll(':', '-')
  const report = join(cacheRoot(), 'reports', `${id}.html`)
  const whole = { ...output, report }
  writeReport(whole, resultsOf(whole), report)
  saveRecord(whole)
  return whole
}

function kernelOf(kernel: Kernel): NonNullable<RunOutput['kernel']> {
  const { record } = kernel
  return {
    key: kernel.key,
    release: kernel.release,
    seconds: record.seconds,
    cached: kernel.cached,
    config: kernel.config,
    arch: kernel.arch,
    compiler: record.compiler,
    configHash: record.configHash,
    allocatedHash: record.allocatedHash,
    bytes: record.bytes,
    warnings: record.warnings,
  }
}

function sayRun(cell: Cell, result: RunResult, cached: boolean): void {
  log.progressDone()
  const counts = `${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`
  log.info(
    `run     ${cell.machine.name} ${cell.suite.name}: ${result.outcome} (${counts})${cached ? '  cached' : `  ${result.seconds.toFixed(1)} s`}`,
  )
}

/** A cell that was not booted, because there is nothing in this tree to run there. */
function skipped(cell: Cell, why: string): RunLine {
  const { machine, suite } = cell
  const none = { passed: 0, failed: 0, skipped: 0, seconds: 0, log: '' }
  return { machine: machine.name, suite: suite.name, outcome: 'skip', ...none, reasons: [why] }
}

/** With -n each boot ends where QEMU would be started; the next one is shown all the same. */
function unlessDryRun(error: unknown): undefined {
  if (!(error instanceof DryRunEnd)) throw error
}
