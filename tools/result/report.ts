// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { writeAtomic } from '../lib/cache.ts'
import { duration } from './format.ts'
import { titleOf } from './bench-words.ts'
import type { RunOutput } from './record.ts'
import { benchHead, benchParts, type BenchPage, type Part } from './report-bench.ts'
import { fioSection } from './report-fio.ts'
import { html, raw, type Html } from './report-html.ts'
import { runSection } from './report-runs.ts'
import { STYLE } from './report-style.ts'
import { matrix, runsTable, tested, verdictHead } from './report-summary.ts'
import { SCHEMA, type RunResult } from './result.ts'

/**
 * The record as one HTML page. It loads nothing: no script, no font, no image, and its Content-Security-Policy
 * allows only the page's own style sheet (by hash), so that even a hole in the escaping could not run or fetch
 * anything.
 *
 * @param results stored results of the record's runs, by key; a run without one is shown by its line alone.
 * @param bench benchmarks that are shown behind the runs.
 */
export function reportHtml(
  output: RunOutput,
  results: ReadonlyMap<string, RunResult>,
  bench?: BenchPage,
): string {
  const { runs, fio, series, base } = output
  return page({
    title: `${output.outcome.toUpperCase()}: ${series.name ?? 'series'} v${series.version} on Linux ${base.version}`,
    head: verdictHead(output),
    parts: [
      { id: 'verdict', title: 'Verdict', body: runs.length > 0 && html`${matrix(runs)}` },
      { id: 'tested', title: 'What was tested', body: tested(output) },
      {
        id: 'runs',
        title: 'Runs',
        body:
          runs.length > 0 &&
          html`${runsTable(runs)}
            <div class="runs">
              ${runs.map((r, i) => runSection(r, i, r.key === undefined ? undefined : results.get(r.key)))}
            </div>`,
      },
      { id: 'fio', title: 'fio', body: fio.length > 0 && fioSection(fio) },
      ...(bench ? benchParts(bench, false) : []),
    ],
    footer: footer('Run', output.time, output.seconds),
  })
}

/** A bench record as a page of its own, with the same promises as reportHtml(). */
export function benchHtml(bench: BenchPage): string {
  const { output } = bench
  return page({
    title: `Benchmark: ${titleOf(output)}`,
    head: benchHead(output),
    parts: benchParts(bench, true),
    footer: footer('Measured', output.time, output.seconds),
  })
}

/**
 * Writes a page to `file`, whole or not at all, making its directory.
 *
 * @throws LabError when the disk is full.
 */
export function writePage(markup: string, file: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeAtomic(file, markup)
}

/** Writes the page of a run: reportHtml() by writePage(). */
export function writeReport(output: RunOutput, results: ReadonlyMap<string, RunResult>, file: string): void {
  writePage(reportHtml(output, results), file)
}

function page(of: {
  readonly title: string
  readonly head: Html
  readonly parts: readonly Part[]
  readonly footer: string
}): string {
  const shown = of.parts.filter((p) => p.body !== false)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy()}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${of.title}</title>
        <link rel="icon" href="data:," />
        ${styleElement()}
      </head>
      <body>
        <div class="page">
          <main>
            ${of.head}
            <nav aria-label="Sections">
              <ul>
                ${shown.map((p) => html`<li><a href="#${p.id}">${p.title}</a></li>`)}
              </ul>
            </nav>
            ${shown.map(
              (p) =>
                html`<section aria-labelledby="${p.id}">
                  <h2 id="${p.id}">${p.title}</h2>
                  ${p.body}
                </section>`,
            )}
          </main>
          <footer>${of.footer}</footer>
        </div>
      </body>
    </html> `.markup
}

/** Not in the template above: a formatter's blank inside the element would change the hash that allows it. */
function styleElement(): Html {
  return raw(`<style>${STYLE}</style>`)
}

function policy(): string {
  const hash = createHash('sha256').update(STYLE).digest('base64')
  return `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`
}

function footer(what: string, time: string | undefined, seconds: number | undefined): string {
  const when = time === undefined ? '' : `${what} ${time}`
  const took = seconds === undefined ? '' : `, ${duration(seconds)} in all`
  return `${when}${took}${when || took ? '. ' : ''}Record schema ${SCHEMA}, see docs/record.md.`
}
