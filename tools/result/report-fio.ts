// SPDX-License-Identifier: GPL-2.0-only
import { blockBytes, grouped } from './format.ts'
import type { FioResult } from './result.ts'
import { badge, html, num, scrollBox, type Html } from './report-html.ts'
import { barPlot, dotPlot, type BarGroup, type DotGroup } from './report-plot.ts'

const MIB = 1024 * 1024

/** Plots and tables of the fio jobs: small random, large sequential, verified, and whatever else there is. */
export function fioSection(results: readonly FioResult[]): Html {
  const verify = results.filter((r) => r.verified !== null)
  const plain = results.filter((r) => r.verified === null)
  const random = plain.filter((r) => blockBytes(r.bs) === 4096 && r.rw.startsWith('rand'))
  const large = plain.filter((r) => blockBytes(r.bs) === MIB && !r.rw.startsWith('rand'))
  const rest = plain.filter((r) => !random.includes(r) && !large.includes(r))
  return html`${random.length > 0 && randomPart(random)} ${large.length > 0 && largePart(large)}
    ${
      verify.length > 0 &&
      html`<h3>Data verified</h3>
        ${fioTable('Jobs that read back and compared every block', verify)}`
    }
    ${
      rest.length > 0 &&
      html`<h3>Other jobs</h3>
        ${fioTable('Other jobs', rest)}`
    }
    <p class="small muted">
      Latency is from submission to completion. Depth is fio's iodepth, and for psync the number of threads.
      Figures of a guest under emulation say how this lab did, not how hardware does.
    </p>`
}

function randomPart(results: readonly FioResult[]): Html {
  const directions = [...new Set(results.map((r) => r.rw))]
  return html`<h3>4 KiB random</h3>
    <div class="plots">
      ${directions.map((rw, i) => {
        const some = results.filter((r) => r.rw === rw)
        const title = `${wordsOf(rw)}: IOPS`
        return figure(
          title,
          barPlot(
            { id: `iops-${i}`, title, description: describe(some, (r) => `${grouped(r.iops)} IOPS`) },
            barGroups(
              some,
              (r) => r.iops,
              (v) => grouped(v),
            ),
            thousands,
          ),
        )
      })}
      ${directions.map((rw, i) => {
        const some = results.filter((r) => r.rw === rw && (r.lat_p99_ns !== null || r.latNs))
        if (some.length === 0) return false
        const title = `${wordsOf(rw)}: latency`
        return figure(
          title,
          dotPlot(
            { id: `lat-${i}`, title, description: describe(some, (r) => `p99 ${micros(p99(r))} µs`) },
            dotGroups(some),
          ),
        )
      })}
    </div>
    ${fioTable('4 KiB random: the figures of the plots', results)}`
}

function largePart(results: readonly FioResult[]): Html {
  const engines = new Set(results.map((r) => r.ioengine))
  const title = `1 MiB sequential: bandwidth, MiB/s${engines.size === 1 ? `, ${[...engines].join('')}` : ''}`
  const groups = machinesOf(results).map((machine) => ({
    name: machine,
    bars: results
      .filter((r) => r.machine === machine)
      .map((r) => ({
        label: engines.size === 1 ? `${r.rw} ×${r.iodepth}` : `${r.rw} ${r.ioengine}`,
        value: r.bw / MIB,
        tone: r.rw === 'read' ? 0 : 2,
        text: grouped(r.bw / MIB),
      })),
  }))
  return html`<h3>1 MiB sequential</h3>
    <div class="plots">
      ${figure(
        title,
        barPlot(
          { id: 'bw', title, description: describe(results, (r) => `${grouped(r.bw / MIB)} MiB/s`) },
          groups,
          thousands,
        ),
      )}
    </div>
    ${fioTable('1 MiB sequential: the figures of the plot', results)}`
}

function figure(title: string, plot: Html): Html {
  return html`<figure>
    <figcaption>${title}</figcaption>
    ${plot}
  </figure>`
}

function fioTable(caption: string, results: readonly FioResult[]): Html {
  const verified = results.some((r) => r.verified !== null)
  const right = ['Depth', 'IOPS', 'MiB/s', 'p50, µs', 'p99, µs', 'p99.9, µs']
  return scrollBox(
    caption,
    html`<table class="wide">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          <th scope="col">Machine</th>
          <th scope="col">Job</th>
          <th scope="col">rw</th>
          <th scope="col">Block</th>
          <th scope="col">Engine</th>
          ${right.map((h) => html`<th scope="col" class="n">${h}</th>`)}${verified && html`<th scope="col">Data</th>`}
        </tr>
      </thead>
      <tbody>
        ${results.map(
          (r) =>
            html`<tr>
              <th scope="row">${r.machine}</th>
              <td>${r.job}</td>
              <td>${r.rw}</td>
              <td>${r.bs}</td>
              <td>${r.ioengine}</td>
              ${num(grouped(r.iodepth))}${num(grouped(r.iops))}${num(grouped(r.bw / MIB, 1))}${num(micros(r.latNs?.['p50']))}${num(micros(p99(r)))}${num(micros(r.latNs?.['p99.9']))}
              ${verified && html`<td>${dataCell(r)}</td>`}
            </tr>`,
        )}
      </tbody>
    </table>`,
  )
}

function dataCell(result: FioResult): Html {
  if (result.verified === null) return html`<span class="muted">not checked</span>`
  return html`${badge(result.verified ? 'pass' : 'fail')}${result.error !== undefined && html` <span class="small">${result.error}</span>`}`
}

function barGroups(
  results: readonly FioResult[],
  value: (r: FioResult) => number,
  text: (v: number) => string,
): BarGroup[] {
  const tones = [...new Set(results.map(labelOf))].toSorted()
  return machinesOf(results).map((machine) => ({
    name: machine,
    bars: results
      .filter((r) => r.machine === machine)
      .toSorted((a, b) => labelOf(a).localeCompare(labelOf(b), 'en', { numeric: true }))
      .map((r) => ({
        label: labelOf(r),
        value: value(r),
        tone: tones.indexOf(labelOf(r)),
        text: text(value(r)),
      })),
  }))
}

function dotGroups(results: readonly FioResult[]): DotGroup[] {
  return machinesOf(results).map((machine) => ({
    name: machine,
    rows: results
      .filter((r) => r.machine === machine)
      .toSorted((a, b) => labelOf(a).localeCompare(labelOf(b), 'en', { numeric: true }))
      .map((r) => ({
        label: labelOf(r),
        ...present('p50', r.latNs?.['p50']),
        ...present('p99', p99(r)),
        ...present('p999', r.latNs?.['p99.9']),
      })),
  }))
}

function present<K extends string>(name: K, value: number | undefined): { [P in K]?: number } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: number }
}

function p99(result: FioResult): number | undefined {
  return result.lat_p99_ns ?? undefined
}

function machinesOf(results: readonly FioResult[]): string[] {
  return [...new Set(results.map((r) => r.machine))]
}

function labelOf(result: FioResult): string {
  return `${result.ioengine} ×${result.iodepth}`
}

function describe(results: readonly FioResult[], value: (r: FioResult) => string): string {
  return results.map((r) => `${r.machine}, ${r.rw}, ${labelOf(r)}: ${value(r)}`).join('; ')
}

function wordsOf(rw: string): string {
  return { randread: 'Random read', randwrite: 'Random write', randrw: 'Random read and write' }[rw] ?? rw
}

/** Nanoseconds in µs with one decimal; a dash where there is no figure. */
function micros(ns: number | undefined): string {
  return ns === undefined ? '–' : grouped(ns / 1000, 1)
}

/** Axis label: 0, 500, 5k, 1.5M. */
function thousands(value: number): string {
  if (value >= 1e6) return `${trim(value / 1e6)}M`
  return value >= 1e4 ? `${trim(value / 1e3)}k` : trim(value)
}

function trim(value: number): string {
  return String(Math.round(value * 100) / 100)
}
