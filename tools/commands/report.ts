// SPDX-License-Identifier: GPL-2.0-only
import { resolve } from 'node:path'
import { EXIT, UsageError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import { loadAnyRecord } from '../result/any-record.ts'
import { benchCsv, walkCsv } from '../result/bench-csv.ts'
import { compareRecords, historyTable } from '../result/bench-history.ts'
import type { BenchOutput } from '../result/bench-record.ts'
import { findBench, listBench } from '../result/bench-store.ts'
import { benchTable } from '../result/bench-table.ts'
import { whyNotComparable } from '../result/comparable.ts'
import { isDamaged, type Damaged } from '../result/json-files.ts'
import type { RunOutput } from '../result/record.ts'
import { benchHtml, reportHtml, writePage } from '../result/report.ts'
import { latestRecord, resultsOf } from '../result/store.ts'
import { verdictTable, wantsColour } from '../result/table.ts'
import { defineVerb } from './define.ts'

/** What is reported: a run, benchmarks (oldest first, the last is the one that is shown), or both. */
interface Subject {
  readonly run: RunOutput | undefined
  readonly bench: readonly BenchOutput[]
}

const tell = (damaged: Damaged): void => log.warn(`left out: ${damaged.file}: ${damaged.why}`)

export default defineVerb({
  positionals: {
    record: { type: 'string', describe: 'a record, as `phyr run --json` or `phyr bench --json` prints it' },
  },
  options: {
    output: {
      type: 'string',
      alias: 'o',
      describe: 'the page to write; default: phyr-report.html, and none with --text or --csv',
    },
    text: { type: 'boolean', default: false, describe: 'tables on stdout, for a cover letter: 72 columns' },
    csv: { type: 'string', describe: 'write the benchmark cases there; a walk goes to NAME-walk.csv' },
    against: {
      type: 'string',
      describe: 'what changed since this bench record: a file or its name in the cache',
    },
  },
  async run(args) {
    if (args.text && args.json) throw new UsageError('--text and --json exclude each other')
    const subject = subjectOf(args.record)
    const against = args.against === undefined ? undefined : comparison(subject, args.against)
    const shown = against ?? subject
    const files = args.csv === undefined ? [] : csvFiles(resolve(args.csv), shown.bench)
    const other = args.text || args.csv !== undefined
    const page = args.output === undefined && other ? null : resolve(args.output ?? 'phyr-report.html')
    if (!args['dry-run']) {
      for (const { file, text } of files) writePage(text, file)
      if (page !== null) writePage(pageOf(shown), page)
    }
    const csv = files.map(({ file }) => file)
    if (args.json) {
      const cases = against ? { cases: against.bench.at(-1)?.cases ?? [] } : {}
      process.stdout.write(
        `${JSON.stringify({ schema: 1, report: page, ...(args.csv === undefined ? {} : { csv }), ...cases })}\n`,
      )
    } else {
      const text = args.text ? [textOf(shown)] : []
      process.stdout.write([...text, ...csv, ...(page === null ? [] : [page])].map((l) => `${l}\n`).join(''))
    }
    return EXIT.pass
  },
})

/** The record in the file; without one the last run and all bench records of the cache. */
function subjectOf(file: string | undefined): Subject {
  if (file === undefined) {
    const run = latestRecord(undefined, tell)?.record
    const { records, damaged } = listBench()
    damaged.forEach(tell)
    if (run === undefined && records.length === 0)
      throw new UsageError('there is no record yet', 'run ./phyr run first')
    return { run, bench: records.map((r) => r.record) }
  }
  const read = loadAnyRecord(file)
  if (read === undefined) throw new UsageError(`there is no file ${file}`, 'run ./phyr run first')
  if (isDamaged(read)) throw new UsageError(`${read.file} is no record: ${read.why}`)
  return read.kind === 'run'
    ? { run: read.stored.record, bench: [] }
    : { run: undefined, bench: [read.stored.record] }
}

/** What changed from one bench record to the subject's newest. */
function comparison(subject: Subject, against: string): Subject {
  const newer = subject.bench.at(-1)
  if (newer === undefined)
    throw new UsageError('there is no bench record to compare', 'run ./phyr bench first')
  const older = findBench(against)
  const reasons = whyNotComparable(older.record, newer)
  if (reasons.length > 0) {
    throw new UsageError(
      `the two records must not be compared: ${reasons.join('; ')}`,
      'measure both points on the same machine with the same tools',
    )
  }
  return { run: undefined, bench: [compareRecords(older.record, newer)] }
}

function pageOf({ run, bench }: Subject): string {
  const newest = bench.at(-1)
  const benchPage = newest && { output: newest, history: bench }
  if (run) return reportHtml(run, resultsOf(run, undefined, tell), benchPage)
  if (!benchPage) throw new UsageError('there is nothing to report')
  return benchHtml(benchPage)
}

function textOf({ run, bench }: Subject): string {
  const newest = bench.at(-1)
  const colour = wantsColour(process.stdout)
  const parts = [
    ...(run ? [verdictTable(run, { colour, width: 72 })] : []),
    ...(newest ? [benchTable(newest, { colour }), historyTable(bench)] : []),
  ]
  return parts.filter((p) => p !== '').join('\n\n')
}

function csvFiles(file: string, bench: readonly BenchOutput[]): { file: string; text: string }[] {
  if (bench.length === 0) throw new UsageError('there is no bench record', 'run ./phyr bench first')
  const walk = walkCsv(bench)
  const beside = `${file.replace(/\.csv$/i, '')}-walk.csv`
  return [{ file, text: benchCsv(bench) }, ...(walk === '' ? [] : [{ file: beside, text: walk }])]
}
