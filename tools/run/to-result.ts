// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import type { BootOutcome, Splat } from '../machine/boot.ts'
import { decode } from '../machine/stacktrace.ts'
import { fioResult, testNode } from '../result/from-suite.ts'
import { SCHEMA, type RunResult } from '../result/result.ts'
import { judge } from '../suite/judge.ts'
import type { Suite } from '../suite/suite.ts'
import type { OneRun } from './one.ts'

/** What a boot came to, judged, as the store keeps it. */
export async function toResult(
  one: OneRun,
  ran: {
    readonly key: string
    readonly time: Date
    readonly outcome: BootOutcome
    readonly notes: readonly string[]
    readonly qemu: string
  },
): Promise<RunResult> {
  const { kernel, machine, suite } = one
  const { outcome } = ran
  const results = textOf(outcome.resultsFile)
  const verdict = judge({ suite, boot: outcome, console: textOf(outcome.consoleFile), results })
  const fioVersion = /"fio version"\s*:\s*"([^"]{1,40})"/.exec(results)?.[1]
  return {
    schema: SCHEMA,
    key: ran.key,
    time: ran.time.toISOString(),
    machine: machine.name,
    suite: suite.name,
    ...(Object.keys(suite.variables).length === 0 ? {} : { variables: suite.variables }),
    outcome: verdict.outcome,
    reasons: verdict.reasons,
    ...(ran.notes.length === 0 ? {} : { notes: ran.notes }),
    passed: verdict.passed,
    failed: verdict.failed + verdict.crashed,
    skipped: verdict.skipped,
    seconds: outcome.ms.total / 1000,
    kernel: { key: kernel.key, release: kernel.release, config: kernel.config, arch: kernel.arch },
    accel: one.accel,
    qemu: ran.qemu,
    ...(fioVersion === undefined ? {} : { fioVersion }),
    command: outcome.command,
    end: outcome.end,
    ...(outcome.status === undefined ? {} : { status: outcome.status }),
    ...(outcome.deadline === undefined ? {} : { deadline: outcome.deadline }),
    qemuExit: outcome.qemuExit,
    ms: outcome.ms,
    tests: verdict.tests.map(testNode),
    fio: verdict.fio.map((job) => ({ ...fioResult(machine.name, job), ...diskOf(suite, job.job) })),
    splats: await Promise.all(outcome.splats.map((splat) => decodedSplat(one, splat))),
    tail: outcome.tail,
    log: outcome.consoleFile,
    results: outcome.resultsFile,
  }
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** The disk that a fio job ran on is known by its job file. */
function diskOf(suite: Suite, job: string): { disk?: string } {
  const disk = suite.files.find((file) => file.jobs.includes(job))?.disk
  return disk === undefined ? {} : { disk }
}

async function decodedSplat(one: OneRun, splat: Splat): Promise<RunResult['splats'][number]> {
  const { lines, reason } = await decode({
    splat,
    vmlinux: one.kernel.vmlinux,
    treeDir: one.treeDir,
    signal: one.signal,
  })
  return { kind: splat.kind, title: splat.title, lines, decoded: reason === undefined }
}
