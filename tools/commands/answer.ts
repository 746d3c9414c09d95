// SPDX-License-Identifier: GPL-2.0-only
import { exitCodeOf, type RunOutput } from '../result/record.ts'
import { verdictTable, wantsColour } from '../result/table.ts'

/** Prints what a run came to, as a table or as the one JSON object, and returns the exit code. */
export function answer(output: RunOutput, json: boolean): number {
  if (json) process.stdout.write(`${JSON.stringify(output)}\n`)
  else {
    const table = verdictTable(output, {
      colour: wantsColour(process.stdout),
      width: process.stdout.columns ?? 100,
    })
    process.stdout.write(`\n${table}\n`)
  }
  return exitCodeOf(output)
}
