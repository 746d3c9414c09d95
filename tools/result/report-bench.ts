// SPDX-License-Identifier: GPL-2.0-only
import type { BenchCase, BenchOutput, Figures, Walk } from './bench-record.ts'
import { benchTable } from './bench-table.ts'
import {
  accelText,
  groupOf,
  grouping,
  isResolved,
  meaningText,
  ratioText,
  repeatsText,
  sameKernel,
  shortName,
  summaryText,
  titleOf,
  wallCases,
} from './bench-words.ts'
import { changeOf } from './figures.ts'
import { benchOutcome } from './gate.ts'
import { binary, grouped, plural } from './format.ts'
import { historyPart } from './report-bench-history.ts'
import { linesPlot } from './report-bench-lines.ts'
import { deltaPlot, ratioPlot } from './report-bench-plot.ts'
import {
  casesTable,
  contextTables,
  countsTable,
  functionDecimals,
  functionsTable,
  gateTable,
  plus,
  targetTables,
  walkTable,
} from './report-bench-tables.ts'
import { html, type Html } from './report-html.ts'
import { fact } from './report-summary.ts'

/** What the page shows of benchmarks. */
export interface BenchPage {
  readonly output: BenchOutput
  /** Records for the trend lines, oldest first. */
  readonly history: readonly BenchOutput[]
}

/** A section of the page; one without a body is left out. */
export interface Part {
  readonly id: string
  readonly title: string
  readonly body: Html | false
}

/** The head of a page that is only about a bench record: what the gate says where there is one. */
export function benchHead(output: BenchOutput): Html {
  const outcome = output.gate?.length ? benchOutcome(output) : undefined
  return html`<header>
    <h1>Benchmark of ${titleOf(output)}</h1>
    ${
      outcome
        ? html`<div class="verdict ${outcome}">
            <div class="word">${outcome.toUpperCase()}</div>
            <p>${summaryText(output.cases)}</p>
          </div>`
        : html`<p>${summaryText(output.cases)}</p>`
    }
  </header>`
}

/** The sections about a bench record; on a page of many things their titles say what they are about. */
export function benchParts({ output, history }: BenchPage, alone: boolean): readonly Part[] {
  const title = (text: string): string => (alone ? text : `Benchmarks: ${text.toLowerCase()}`)
  const split = output.cases.filter((c) => c.functions && c.functions.length > 0 && isResolved(c))
  return [
    { id: 'bench', title: alone ? 'Cases' : 'Benchmarks', body: benchmarks(output) },
    {
      id: 'bench-functions',
      title: title('Where it went'),
      body: split.length > 0 && html`${split.map((c, i) => functionsPart(c, i, output))}`,
    },
    {
      id: 'bench-walk',
      title: title('Patch by patch'),
      body: output.walk ? walkPart(output.walk) : false,
    },
    {
      id: 'bench-context',
      title: title('Sizes and layouts'),
      body: output.context ? contextTables(output.context, output.points) : false,
    },
    { id: 'bench-history', title: title('History'), body: historyPart(history) },
    { id: 'bench-with', title: title('Measured with'), body: measuredWith(output) },
    {
      id: 'bench-text',
      title: title('As plain text'),
      body: html`<pre class="paste" tabindex="0">${benchTable(output, { colour: false })}</pre>`,
    },
  ]
}

function benchmarks(output: BenchOutput): Html {
  const wall = wallCases(output)
  const counted = output.mode !== 'wall-clock'
  const first = counted ? 'instructions' : 'time'
  return html`<p>
      ${output.points.series.label} against ${output.points.base.label}:
      ${summaryText(output.cases)}${wall.length > 0 && html`. By the clock, ${summaryText(wall)}`}.
    </p>
    <p class="small muted">
      ${meaningText(output)}
      ${repeatsText(output.cases)}${wall.length > 0 && ` (by the clock ${repeatsText(wall)})`}. A hollow dot
      is a ratio that says nothing; an arrow points to one that is outside the scale.
      ${sameKernel(output) && 'Both kernels are the same code and data: a difference is noise.'}
    </p>
    ${
      output.targets &&
      output.targets.length > 0 &&
      html`<h3>Targets</h3>
        ${targetTables(output)}`
    }
    ${
      output.gate &&
      output.gate.length > 0 &&
      html`<h3>Gate</h3>
        ${gateTable(output)}`
    }
    <div class="plots">
      ${output.cases.length > 0 && ratioFigure('ratio', `Ratio of ${first}, ${points(output)}`, output.cases)}
      ${wall.length > 0 && ratioFigure('ratio-time', `Ratio of time, ${points(output)}`, wall)}
    </div>
    ${output.cases.length > 0 && casesTable(`Ratio of ${first}: the figures of the plot`, output, output.cases)}
    ${wall.length > 0 && html`<div class="next">${casesTable('Ratio of time: the figures of the plot', output, wall)}</div>`}
    ${counted && countsTable(output)}
    <p class="small muted">“Seen from” is the smallest change that could have been seen.</p>
    ${
      output.notes.length > 0 &&
      html`<ul class="why">
        ${output.notes.map((n) => html`<li>${n}</li>`)}
      </ul>`
    }`
}

function points(output: BenchOutput): string {
  return `${output.points.series.label} : ${output.points.base.label}`
}

function ratioFigure(id: string, title: string, cases: readonly (Figures & Pick<BenchCase, 'name'>)[]): Html {
  const groups = [...grouping(cases, (c) => groupOf(c.name))].map(([name, some]) => ({
    name,
    rows: some.map((c) => {
      const change = changeOf(c)
      return {
        label: shortName(c.name),
        ratio: c.ratio,
        low: c.low,
        high: c.high,
        change: change === 'unresolved' ? ('open' as const) : change,
        text: ratioText(c),
      }
    }),
  }))
  const description = cases.map((c) => `${c.name}: ${ratioText(c)}`).join('; ')
  return figure(title, ratioPlot({ id, title, description }, groups))
}

function functionsPart(one: BenchCase, index: number, output: BenchOutput): Html {
  const functions = one.functions ?? []
  const decimals = functionDecimals(functions)
  const title = `${one.name}: change by function, ${one.unit}`
  const rows = functions.map((f) => ({
    label: f.name,
    value: f.series - f.base,
    text: plus(f.series - f.base, decimals),
  }))
  const description = rows.map((r) => `${r.label}: ${r.text}`).join('; ')
  return html`<h3>${one.name}: ratio ${ratioText(one)}</h3>
    <div class="plots">
      ${figure(`Change by function, ${one.unit}`, deltaPlot({ id: `delta-${index}`, title, description }, rows))}
      ${functionsTable('The figures of the plot', functions, [output.points.base.label, output.points.series.label])}
    </div>`
}

function walkPart(walk: Walk): Html {
  const title = `${walk.case}: ${walk.unit} by patches applied`
  const measured = walk.steps.flatMap((step, at) =>
    step.cost === null ? [] : [{ at, step, cost: step.cost }],
  )
  const gaps = measured.slice(1).flatMap((m, i) => {
    const from = measured[i]!.at
    return m.at - from > 1 ? [{ from, to: m.at, text: '', title: '' }] : []
  })
  const named = walk.costly.flatMap((c) => {
    const at = walk.steps.findIndex((s) => s.number === c.number)
    const subject = walk.steps[at]?.subject ?? c.file
    return at < 0 ? [] : [{ at, text: `${c.number}: ${subject}` }]
  })
  const plot = linesPlot(
    {
      id: 'walk',
      title,
      description: walk.steps
        .map((s) => `${s.number}: ${s.cost === null ? 'not measured' : grouped(s.cost, 1)}`)
        .join('; '),
    },
    {
      count: walk.steps.length,
      lines: [
        {
          name: walk.case,
          tone: 's0',
          points: measured.map(({ at, step, cost }) => ({
            at,
            value: cost,
            open: false,
            title: `${step.number}: ${step.subject ?? 'base'}: ${grouped(cost, 1)} ${walk.unit}`,
          })),
        },
      ],
      labels: [walk.steps.map((s, at) => ({ at, text: s.number === 0 ? 'base' : String(s.number) }))],
      breaks: gaps,
      named: named.slice(0, 6),
    },
  )
  return html`<div class="plots">${measured.length > 0 && figure(title, plot)}</div>
    ${walkTable(walk)}
    <p class="small muted">
      A ratio is to the point before; “n/r”: the repeats do not tell the two apart. The axis does not begin at
      0.
    </p>
    ${walk.costly.map(
      (c) =>
        html`<h3>${c.file}: ratio ${c.ratio.toFixed(3)}</h3>
          ${c.functions.length > 0 ? functionsTable(`${walk.case}, ${walk.unit}`, c.functions, ['before', 'after']) : html`<p class="muted">No function was named.</p>`}`,
    )}`
}

function measuredWith(output: BenchOutput): Html {
  const { host, linux, points: at, accel } = output
  const point = (p: (typeof at)['base']): Html =>
    html`${plural(p.patches, 'patch', 'patches')} applied, ${p.release}<br /><code>${p.kernel}</code>`
  return html`<dl class="facts">
    ${fact('Linux', html`${linux.version}<br /><span class="small muted">${linux.identity}</span>`)}
    ${fact('Series', html`${output.seriesOf.name ?? 'series'} v${output.seriesOf.version}, ${plural(output.seriesOf.patches, 'patch', 'patches')}<br /><code>${output.seriesOf.hash}</code>`)}
    ${fact(`Point ${at.base.label}`, point(at.base))} ${fact(`Point ${at.series.label}`, point(at.series))}
    ${fact('Config', output.config)} ${fact('Compiler', output.compiler)} ${fact('QEMU', output.qemu)}
    ${output.fio !== null && fact('fio', output.fio)}
    ${fact('Accelerator', html`${accelText(output)}${[accel.deterministic, accel.wallClock].map((a) => a && html`<br /><span class="small muted">${a.used}: ${a.reason}</span>`)}`)}
    ${fact('Host', `${host.cpu}, ${plural(host.cpus, 'CPU')}, ${binary(host.memoryBytes)} memory, kernel ${host.kernel}, ${host.arch}${host.os === undefined ? '' : `, ${host.os}`}`)}
    ${fact('Load of others', `${host.load.before.toFixed(2)} before, ${host.load.highest.toFixed(2)} at most, ${host.load.after.toFixed(2)} after, in processors`)}
    ${fact('Boots', `${output.boots}; taken from the store: ${output.cache.base} of ${at.base.label}, ${output.cache.series} of ${at.series.label}`)}
    ${fact('Measured', `${output.time}, ${Math.round(output.seconds)} s in all`)}
  </dl>`
}

/** A plot under its title. */
function figure(title: string, plot: Html): Html {
  return html`<figure>
    <figcaption>${title}</figcaption>
    ${plot}
  </figure>`
}
