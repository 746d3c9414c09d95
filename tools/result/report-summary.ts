// SPDX-License-Identifier: GPL-2.0-only
import { binary, duration, grouped, plural } from './format.ts'
import type { RunLine, RunOutput } from './record.ts'
import { badge, html, num, scrollBox, type Html } from './report-html.ts'
import { reasonsOf, verdictText } from './table.ts'

/** The page's head: the verdict in one word and one sentence, then why, with links to the runs. */
export function verdictHead(output: RunOutput): Html {
  const { outcome, series, base, runs, finding } = output
  const failed = [...runs.entries()].filter(([, r]) => r.outcome !== 'pass')
  return html`<header>
    <h1>${series.name ?? 'Series'} v${series.version} on Linux ${base.version}</h1>
    <div class="verdict ${outcome}">
      <div class="word">${outcome.toUpperCase()}</div>
      <p>${verdictText(output)}</p>
    </div>
    ${finding && findingBlock(finding)}
    ${
      failed.length > 0 &&
      html`<ul class="why">
        ${failed.map(([i, r]) => whyLine(r, i))}
      </ul>`
    }
  </header>`
}

/** Machines down, suites across; a cell is the outcome with its counts, and leads to the run. */
export function matrix(runs: readonly RunLine[]): Html {
  const machines = [...new Set(runs.map((r) => r.machine))]
  const suites = [...new Set(runs.map((r) => r.suite))]
  const cell = (machine: string, suite: string): Html => {
    const found = [...runs.entries()].filter(([, r]) => r.machine === machine && r.suite === suite)
    if (found.length === 0) return html`<td><span class="muted">not run</span></td>`
    return html`<td>
      ${found.map(([i, r]) => html`<a href="#run-${i}">${badge(r.outcome)}</a><span class="counts">${counts(r).map((c) => html`<span>${c}</span>`)}</span>`)}
    </td>`
  }
  return scrollBox(
    'Outcome by machine and suite',
    html`<table class="matrix">
      <caption>
        Outcome of every machine with every suite
      </caption>
      <thead>
        <tr>
          <th scope="col">Machine</th>
          ${suites.map((s) => html`<th scope="col">${s}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${machines.map(
          (m) =>
            html`<tr>
              <th scope="row">${m}</th>
              ${suites.map((s) => cell(m, s))}
            </tr>`,
        )}
      </tbody>
    </table>`,
  )
}

/** One row a run, with all figures. */
export function runsTable(runs: readonly RunLine[]): Html {
  const heads = ['Passed', 'Failed', 'Skipped', 'Boot, ms', 'Time, s']
  const box = scrollBox(
    'All runs with their figures',
    html`<table class="wide">
      <caption>
        Every run
      </caption>
      <thead>
        <tr>
          <th scope="col">Machine</th>
          <th scope="col">Suite</th>
          <th scope="col">Outcome</th>
          ${heads.map((h) => html`<th scope="col" class="n">${h}</th>`)}
          <th scope="col">Result</th>
        </tr>
      </thead>
      <tbody>
        ${[...runs.entries()].map(
          ([i, r]) =>
            html`<tr>
              <th scope="row">${r.machine}</th>
              <td><a href="#run-${i}">${r.suite}</a></td>
              <td>${badge(r.outcome)}</td>
              ${num(grouped(r.passed))}${num(grouped(r.failed))}${num(grouped(r.skipped))}
              ${num(r.bootMs === undefined ? '–' : grouped(r.bootMs))}${num(grouped(r.seconds, 1))}
              <td>${r.cached ? 'from the cache' : 'new'}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  )
  return html`${box}
    <p class="small muted">Boot is from starting QEMU to the first program in the guest.</p>`
}

/** Exactly what was tested, and with what. */
export function tested(output: RunOutput): Html {
  const { base, series, kernel, accel, host, versions } = output
  return html`<dl class="facts">
    ${fact('Base', html`Linux ${base.version}, provider ${base.provider}<br /><span class="small muted">${base.identity}</span>`)}
    ${base.package && fact('Package', html`${base.package.name} ${base.package.version}<br /><code>sha256 ${base.package.sha256}</code>`)}
    ${base.archive && fact('Archive', html`${base.archive.name}<br /><code>sha256 ${base.archive.sha256}</code>`)}
    ${base.tree !== undefined && fact('Git tree of the base', html`<code>${base.tree}</code>`)}
    ${base.commit !== undefined && fact('Commit of the base', html`<code>${base.commit}</code>`)}
    ${fact('Series', html`${series.name ?? 'series'} v${series.version}, ${plural(series.patches, 'patch', 'patches')}${series.changeId !== undefined && html`<br /><span class="small muted">change-id ${series.changeId}</span>`}${patchList(series)}`)}
    ${series.tree !== undefined && fact('Git tree with the series', html`<code>${series.tree}</code>`)}
    ${kernel ? kernelFacts(kernel) : fact('Kernel', 'none was built')}
    ${accel && fact('Accelerator', html`${accel.used}: ${accel.reason}`)}
    ${versions?.qemu !== undefined && fact('QEMU', versions.qemu)}
    ${versions?.fio !== undefined && fact('fio', versions.fio)} ${host && fact('Host', hostText(host))}
    ${versions && fact('Tool', [versions.phyr === undefined ? 'phyr' : `phyr ${versions.phyr}`, versions.node === undefined ? '' : `, Node ${versions.node}`])}
  </dl>`
}

export function fact(name: string, value: string | Html | readonly string[]): Html {
  return html`<dt>${name}</dt>
    <dd>${value}</dd>`
}

/** "412 passed", "1 failed", "3 skipped", without the zeros. */
export function counts(run: Pick<RunLine, 'passed' | 'failed' | 'skipped'>): readonly string[] {
  const parts = [
    [run.passed, 'passed'],
    [run.failed, 'failed'],
    [run.skipped, 'skipped'],
  ] as const
  const some = parts.filter(([n]) => n > 0).map(([n, word]) => `${grouped(n)} ${word}`)
  return some.length > 0 ? some : ['no tests']
}

function whyLine(run: RunLine, index: number): Html {
  const why = reasonsOf(run)
  return html`<li>
    <a href="#run-${index}">${run.machine}, ${run.suite}</a> ${badge(run.outcome)}
    ${why[0]}${why.length > 1 && html` <span class="muted">and ${why.length - 1} more</span>`}
  </li>`
}

function findingBlock(finding: NonNullable<RunOutput['finding']>): Html {
  return html`<dl class="facts">
      ${fact('Stage', finding.stage)}${finding.blame !== null && fact('At fault', html`<code>${finding.blame}</code>`)}
    </dl>
    ${finding.detail.length > 0 && html`<pre tabindex="0">${finding.detail.join('\n')}</pre>`}`
}

function patchList(series: RunOutput['series']): Html | false {
  if (!series.list || series.list.length === 0) return false
  return html`<ol class="patches">
    ${series.list.map(
      (p) => html`<li>${p.subject} <span class="small muted mono">${p.commit?.slice(0, 12)}</span></li>`,
    )}
  </ol>`
}

function kernelFacts(kernel: NonNullable<RunOutput['kernel']>): Html {
  const { bytes } = kernel
  const how = kernel.cached
    ? `from the cache, its build took ${duration(kernel.seconds)}`
    : `built in ${duration(kernel.seconds)}`
  return html`${fact('Kernel', html`${kernel.release}${kernel.arch !== undefined && `, ${kernel.arch}`}${kernel.config !== undefined && `, config ${kernel.config}`}; ${how}`)}
  ${kernel.compiler !== undefined && fact('Compiler', kernel.compiler)}
  ${bytes && fact('Sizes', `image ${binary(bytes.image)}, text ${binary(bytes.text)}, data ${binary(bytes.data)}, bss ${binary(bytes.bss)}`)}
  ${kernel.warnings !== undefined && fact('Compiler warnings', kernel.warnings === 0 ? 'none' : plural(kernel.warnings, 'line'))}
  ${kernel.configHash !== undefined && fact('Hash of .config', html`<code>${kernel.configHash}</code>`)}
  ${kernel.allocatedHash !== undefined && fact('Hash of loaded sections', html`<code>${kernel.allocatedHash}</code>`)}
  ${fact('Kernel key', html`<code>${kernel.key}</code>`)}`
}

function hostText(host: NonNullable<RunOutput['host']>): string {
  const cpus = host.cpus === undefined ? undefined : plural(host.cpus, 'CPU')
  const memory = host.memoryBytes === undefined ? undefined : `${binary(host.memoryBytes)} memory`
  const kernel = host.kernel === undefined ? undefined : `kernel ${host.kernel}`
  return [host.os, host.arch, host.cpu, cpus, memory, kernel].filter((p) => p !== undefined).join(', ')
}
