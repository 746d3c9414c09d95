// SPDX-License-Identifier: GPL-2.0-only
import { DryRunEnd } from '../lib/dry-run.ts'
import { EXIT, Finding, LabError, UsageError } from '../lib/errors.ts'
import { log, printable } from '../lib/log.ts'
import { findingOf } from '../result/record.ts'
import { SCHEMA } from '../result/result.ts'

/**
 * Says what went wrong (what, why, what to do) and returns the exit code. With `json` the lab's error is also
 * the JSON object on stdout, so that a program that reads it always finds one.
 */
export function failed(error: unknown, json: boolean): number {
  log.progressDone()
  if (error instanceof DryRunEnd) {
    log.info('-n: the stages after this one need its result')
    return EXIT.pass
  }
  if (error instanceof UsageError) {
    log.warn(`phyr: ${error.message}`)
    if (error.fix) log.warn(`  do:  ${error.fix}`)
    if (json) printJson({ what: 'bad usage', why: error.message, fix: error.fix })
    return EXIT.usage
  }
  if (error instanceof LabError) {
    log.warn(`phyr: ${error.what}`)
    log.warn(`  why: ${error.why}`)
    log.warn(`  do:  ${error.fix}`)
    for (const line of error.detail) log.warn(`  | ${line}`)
    if (json) printJson({ what: error.what, why: error.why, fix: error.fix })
    return EXIT.lab
  }
  if (error instanceof Finding) {
    sayFinding(error)
    if (json)
      process.stdout.write(
        `${JSON.stringify({ schema: SCHEMA, outcome: 'fail', finding: findingOf(error) })}\n`,
      )
    return EXIT.fail
  }
  // A bug of ours: the trace is what its finder needs, and it must not look like a verdict on a patch.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  log.warn(`phyr: unexpected error, a bug of phyr itself\n${printable(text)}`)
  if (json)
    printJson({
      what: 'unexpected error in phyr',
      why: text.split('\n')[0] ?? text,
      fix: 'report it with the trace on stderr',
    })
  return EXIT.lab
}

/** What is at fault, and where, on stderr. */
function sayFinding(finding: Finding): void {
  log.warn(`${finding.stage}: ${finding.message}`)
  if (finding.blame) log.warn(`  in:  ${finding.blame}`)
  for (const line of finding.detail) log.warn(`  | ${line}`)
}

function printJson(error: { what: string; why: string; fix: string }): void {
  process.stdout.write(`${JSON.stringify({ schema: SCHEMA, error })}\n`)
}
