// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import type { BootOutcome, Splat } from '../machine/boot.ts'
import { decode } from '../machine/stacktrace.ts'
import { SCHEMA, type FioResult, type RunResult, type TestNode } from '../result/result.ts'
import type { FioResult as SuiteFio } from '../suite/fio.ts'
import { judge } from '../suite/judge.ts'
import type { KtapTest } from '../suite/ktap.ts'
import type { Suite } from '../suite/suite.ts'
import type { OneRun } from './one.ts'

/** What a boot came to, judged, as the store keeps it. */
export async function toResult(
  one: OneRun,
  ran: { readonly key: string; readonly time: Date; readonly outcome: BootOutcome; readonly qemu: string },
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
    outcome: verdict.outcome,
    reasons: verdict.reasons,
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
    tests: verdict.tests.map(nodeOf),
    fio: verdict.fio.map((job) => fioOf(machine.name, suite, job)),
    splats: await Promise.all(outcome.splats.map((splat) => decodedSplat(one, splat))),
    tail: outcome.tail,
    log: outcome.consoleFile,
    results: outcome.resultsFile,
  }
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** The parser's tree without what only the parser needs; a suite that ran nothing is a failure here. */
function nodeOf(test: KtapTest): TestNode {
  return {
    name: test.name,
    outcome: test.outcome === 'no-tests' ? 'fail' : test.outcome,
    ...(test.outcome === 'no-tests'
      ? { reason: 'ran no tests' }
      : test.reason
        ? { reason: test.reason }
        : {}),
    children: test.children.map(nodeOf),
  }
}

function fioOf(machine: string, suite: Suite, job: SuiteFio): FioResult {
  const latNs = Object.fromEntries(
    Object.entries(job.lat).map(([percentile, ns]) => [`p${Number(percentile)}`, ns]),
  )
  const disk = suite.files.find((file) => file.jobs.includes(job.job))?.disk
  return {
    machine,
    job: job.job,
    rw: job.rw,
    bs: job.bs,
    ioengine: job.ioengine,
    iodepth: job.iodepth,
    iops: job.iops,
    bw: job.bw,
    lat_p99_ns: job.lat_p99_ns ?? null,
    verified: job.verify ? job.verified : null,
    latNs,
    ...(disk === undefined ? {} : { disk }),
    ms: job.runtimeMs,
    ...(job.error === 0 ? {} : { error: `error ${job.error}` }),
  }
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
