// SPDX-License-Identifier: GPL-2.0-only
import { grouped, plural } from './format.ts'
import type { RunLine } from './record.ts'
import { badge, html, num, scrollBox, type Html } from './report-html.ts'
import { counts, fact } from './report-summary.ts'
import type { RunResult, TestNode } from './result.ts'
import { reasonsOf } from './table.ts'

/** Longer lists are cut, and say so: the page stays readable when a whole suite fails. */
const MOST = 300

/** A leaf of the tree, or a parent that failed although none of its children did. */
interface Listed {
  readonly path: string
  readonly node: TestNode
}

/** One box a run: open when it did not pass. `result` is what the store has of it. */
export function runSection(run: RunLine, index: number, result: RunResult | undefined): Html {
  return html`<details class="run" id="run-${index}" ${run.outcome === 'fail' && html` open`}>
    <summary>
      <h3>${run.machine}, ${run.suite}</h3>
      ${badge(run.outcome)}<span class="muted small">${counts(run).join(', ')}</span>
    </summary>
    <div class="body">
      ${reasonList(run)}${result ? details(result) : html`<p class="muted">The stored result of this run is gone; this line is what the record kept. Console: <code>${run.log}</code></p>`}
    </div>
  </details>`
}

/** Tests of one outcome, as "suite › case", in order. */
export function listTests(tests: readonly TestNode[], outcomes: readonly TestNode['outcome'][]): Listed[] {
  const found: Listed[] = []
  const walk = (node: TestNode, parents: readonly string[]): boolean => {
    const path = [...parents, node.name]
    const below = node.children.map((c) => walk(c, path)).some(Boolean)
    if (!outcomes.includes(node.outcome)) return below
    if (!below) found.push({ path: path.join(' › '), node })
    return true
  }
  for (const test of tests) walk(test, [])
  return found
}

/** Counts of the leaves below a node; a leaf counts itself. */
export function tally(node: TestNode): { passed: number; failed: number; skipped: number } {
  if (node.children.length === 0) {
    return {
      passed: node.outcome === 'pass' ? 1 : 0,
      failed: node.outcome === 'fail' || node.outcome === 'crashed' ? 1 : 0,
      skipped: node.outcome === 'skip' ? 1 : 0,
    }
  }
  return node.children.map(tally).reduce((a, b) => ({
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  }))
}

function reasonList(run: RunLine): Html | false {
  const why = reasonsOf(run)
  return (
    why.length > 0 &&
    html`<ul class="why">
      ${why.slice(0, MOST).map((w) => html`<li>${w}</li>`)}
    </ul>`
  )
}

function details(result: RunResult): Html {
  const failed = listTests(result.tests, ['fail', 'crashed'])
  const skipped = listTests(result.tests, ['skip'])
  const showTail = result.outcome !== 'pass'
  return html`${testList('Failed tests', failed)}
    ${result.splats.map(
      (s) =>
        html`<h4>Kernel complaint: ${s.kind}</h4>
          ${s.lines[0] !== s.title && html`<p>${s.title}</p>`}
          <pre tabindex="0">${s.lines.join('\n')}</pre>`,
    )}
    ${showTail && tail(result)} ${testList('Skipped tests', skipped)} ${testTable(result.tests)}
    ${result.tests.length > 0 && allTests(result.tests)}
    <h4>The boot</h4>
    <dl class="facts">
      ${result.notes !== undefined && fact('Note', result.notes.join('; '))}
      ${
        result.variables !== undefined &&
        fact(
          'Variables',
          Object.entries(result.variables)
            .map(([name, value]) => `${name}=${value}`)
            .join(', '),
        )
      }
      ${fact('Reached', bootText(result))} ${fact('Ended', endText(result))}
      ${fact('Kernel', `${result.kernel.release}, ${result.kernel.arch}, config ${result.kernel.config}`)}
      ${fact('Accelerator', `${result.accel.used}: ${result.accel.reason}; QEMU ${result.qemu}`)}
      ${fact('Console', html`<code>${result.log}</code>`)}
      ${result.results !== undefined && fact('Results port', html`<code>${result.results}</code>`)}
      ${fact('Key', html`<code>${result.key}</code>, run ${result.time}`)}
    </dl>
    <details class="inner">
      <summary>QEMU's command line</summary>
      <pre tabindex="0">${commandText(result.command)}</pre>
    </details>
    ${
      !showTail &&
      result.tail.length > 0 &&
      html`<details class="inner">
        <summary>Last lines of the console</summary>
        <pre tabindex="0">${result.tail.join('\n')}</pre>
      </details>`
    }`
}

function tail(result: RunResult): Html {
  return html`<h4>Last lines of the console</h4>
    ${
      result.tail.length > 0
        ? html`<pre tabindex="0">${result.tail.join('\n')}</pre>`
        : html`<p class="muted">The console has not a single byte.</p>`
    }`
}

function testList(title: string, listed: readonly Listed[]): Html | false {
  if (listed.length === 0) return false
  const more = listed.length - MOST
  return html`<h4>${title} (${grouped(listed.length)})</h4>
    <ul class="why">
      ${listed
        .slice(0, MOST)
        .map(
          ({ path, node }) =>
            html`<li>
              <code>${path}</code
              >${node.outcome === 'crashed' && ' (crashed)'}${node.reason !== undefined && html`: ${node.reason}`}
            </li>`,
        )}${more > 0 && html`<li class="muted">and ${grouped(more)} more</li>`}
    </ul>`
}

function testTable(tests: readonly TestNode[]): Html | false {
  if (tests.length === 0) return false
  return html`<h4>Tests</h4>
    ${scrollBox(
      'Counts by test',
      html`<table>
        <thead>
          <tr>
            <th scope="col">Test</th>
            <th scope="col">Outcome</th>
            <th scope="col" class="n">Passed</th>
            <th scope="col" class="n">Failed</th>
            <th scope="col" class="n">Skipped</th>
          </tr>
        </thead>
        <tbody>
          ${tests.map((t) => {
            const c = tally(t)
            return html`<tr>
              <th scope="row">${t.name}</th>
              <td>${badge(t.outcome)}</td>
              ${num(grouped(c.passed))}${num(grouped(c.failed))}${num(grouped(c.skipped))}
            </tr>`
          })}
        </tbody>
      </table>`,
    )}`
}

function allTests(tests: readonly TestNode[]): Html {
  let left = MOST * 10
  const node = (test: TestNode): Html | false => {
    if (left-- <= 0) return false
    return html`<li>
      ${badge(test.outcome)}
      ${test.name}${test.reason !== undefined && html` <span class="muted">${test.reason}</span>`}${
        test.children.length > 0 &&
        html`<ul>
          ${test.children.map(node)}
        </ul>`
      }
    </li>`
  }
  const list = tests.map(node)
  const total = tests.map(tally).reduce((n, c) => n + c.passed + c.failed + c.skipped, 0)
  return html`<details class="inner">
    <summary>Every test by name (${plural(total, 'test')})</summary>
    <ul class="tree">
      ${list}
    </ul>
    ${left < 0 && html`<p class="muted">The list is cut after ${grouped(MOST * 10)} lines; the stored result has all.</p>`}
  </details>`
}

function bootText(result: RunResult): string {
  const { firstByte, banner, init, total } = result.ms
  return [at('first byte', firstByte), at('kernel banner', banner), at('init', init), at('end', total)].join(
    ', ',
  )
}

function at(name: string, ms: number | undefined): string {
  return `${name} ${ms === undefined ? 'never' : `${grouped(ms)} ms`}`
}

function endText(result: RunResult): string {
  const how = {
    done: `by the guest's own end, status ${result.status ?? '?'}`,
    panic: 'by a kernel panic',
    hang: `by the deadline for ${result.deadline ?? 'the run'}`,
    reset: 'by a reset or power-off without the token',
  }[result.end]
  return `${how}; QEMU's exit code ${result.qemuExit}`
}

/** One option with its value a line. */
function commandText(command: readonly string[]): string {
  return command.reduce(
    (text, arg, i) => (i === 0 ? arg : `${text}${arg.startsWith('-') ? ' \\\n  ' : ' '}${quoted(arg)}`),
    '',
  )
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`
}
