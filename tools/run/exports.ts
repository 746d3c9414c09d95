// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { writeAtomic } from '../lib/cache.ts'
import type { RunOutput } from '../result/record.ts'
import type { RunResult, TestNode } from '../result/result.ts'
import { resultsOf } from '../result/store.ts'
import { toJunit, toKtap } from '../suite/ktap-export.ts'
import type { KtapCounts, KtapRun, KtapTest } from '../suite/ktap.ts'

/** Where the exports go; undefined: none of that kind. */
export interface ExportDirs {
  readonly junit: string | undefined
  readonly ktap: string | undefined
}

/** Writes one file a run, `MACHINE-SUITE.xml` (JUnit) or `.ktap`, and returns the files. */
export function exportRuns(output: RunOutput, dirs: ExportDirs): string[] {
  const files: string[] = []
  for (const result of resultsOf(output).values()) {
    const name = `${result.machine}-${result.suite}`
    const run = ktapOf(result)
    const write = (dir: string, ext: string, text: string): void => {
      mkdirSync(resolve(dir), { recursive: true })
      const file = join(resolve(dir), `${name}.${ext}`)
      writeAtomic(file, text)
      files.push(file)
    }
    if (dirs.junit !== undefined)
      write(dirs.junit, 'xml', toJunit(run, `${result.suite} on ${result.machine}`))
    if (dirs.ktap !== undefined) write(dirs.ktap, 'ktap', toKtap(run))
  }
  return files
}

/**
 * A stored result as the exporters take it. What failed beside the tests (a splat, a hang) becomes an error of the
 * whole, so that no reader sees green where phyr says fail.
 */
function ktapOf(result: RunResult): KtapRun {
  const faults = [
    ...result.splats.map((splat) => `kernel: ${splat.title}`),
    ...(result.end === 'done' ? [] : [`the guest's end: ${result.end}`]),
  ]
  // KTAP itself has no place for an error of the whole: there it is a test of its own.
  const faultTests = faults.map((fault) => ktapTest({ name: fault, outcome: 'fail', children: [] }))
  const counts: KtapCounts = {
    passed: result.passed,
    failed: result.failed,
    crashed: 0,
    skipped: result.skipped,
    errors: faults.length,
    total: result.passed + result.failed + result.skipped,
  }
  return {
    status: result.outcome,
    tests: [...result.tests.map(ktapTest), ...faultTests],
    counts,
    cases: counts,
    errors: [],
    diagnostics: [],
  }
}

function ktapTest(node: TestNode): KtapTest {
  return {
    name: node.name,
    outcome: node.outcome,
    ...(node.reason === undefined ? {} : { reason: node.reason }),
    children: node.children.map(ktapTest),
    diagnostics: [],
    errors: [],
    inComment: false,
    unlisted: 0,
  }
}
