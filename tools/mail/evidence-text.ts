// SPDX-License-Identifier: GPL-2.0-only
import { isOpen } from '../check/check-record.ts'
import type { BenchCase } from '../result/bench-record.ts'
import { changeText, costDecimals, isResolved, shortName } from '../result/bench-words.ts'
import { changeOf } from '../result/figures.ts'
import { plural } from '../result/format.ts'
import { readable, signed, textTable, wrap } from '../result/plain-text.ts'
import type { Proof } from '../result/proof-record.ts'
import type { Evidence } from './evidence.ts'
import { proofGaps } from './proof-gaps.ts'

/** Rows of a table of figures before only those that changed are shown. */
const ROWS = 40

/**
 * The evidence block of a cover letter: ASCII, at most 72 columns, ends without a newline. What forbids mailing stands
 * first, so that nobody can miss it; what was not tested stands last, so that nobody has to ask.
 *
 * @param expected "machine suite" of everything that could be run; what was not is named.
 */
export function evidenceText(
  evidence: Evidence,
  forbidden: readonly string[],
  expected: readonly string[],
): string {
  const parts = [
    ['Evidence', '========'],
    forbiddenLines(forbidden),
    proofLines(evidence.proof),
    runLines(evidence),
    checkLines(evidence),
    benchLines(evidence),
    contextLines(evidence),
    untestedLines(evidence, expected),
  ]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function forbiddenLines(forbidden: readonly string[]): string[] {
  if (forbidden.length === 0) return []
  return ['NOT TO BE MAILED AS IT IS:', ...forbidden.flatMap(item)]
}

function proofLines(proof: Proof | undefined): string[] {
  if (proof === undefined) return []
  const { patches, series } = proof
  const passed = patches.filter((patch) => patch.outcome === 'pass').length
  const head = wrap(
    `Patch by patch (config ${proof.config}, ${proof.compiler}, QEMU ${proof.qemu.replace(/^.*version /, '')}, ` +
      `${proof.accel.used}): ${passed} of ${series.patches} apply, build without new warnings (W=1), boot and pass ` +
      'what is below, each with the patches before it only.',
  )
  const cells = new Map<string, { machine: string; suite: string; patches: number; most: number }>()
  for (const run of patches.flatMap((patch) => patch.runs)) {
    const key = `${run.machine} ${run.suite}`
    const cell = cells.get(key) ?? { machine: run.machine, suite: run.suite, patches: 0, most: 0 }
    cells.set(key, {
      ...cell,
      patches: cell.patches + (run.outcome === 'pass' ? 1 : 0),
      most: Math.max(cell.most, run.passed),
    })
  }
  if (cells.size === 0) return head
  const columns = [
    { head: '  machine' },
    { head: 'suite' },
    { head: 'patches that pass', right: true },
    { head: 'tests, at most', right: true },
  ]
  const rows = [...cells.values()].map((cell) => [
    `  ${cell.machine}`,
    cell.suite,
    `${cell.patches} of ${series.patches}`,
    String(cell.most),
  ])
  return [...head, '', ...textTable(columns, rows)]
}

function runLines({ runs, whole }: Evidence): string[] {
  if (runs.length === 0) return []
  const columns = [
    { head: '  config' },
    { head: 'machine' },
    { head: 'suite' },
    { head: '' },
    { head: 'passed', right: true },
    { head: 'failed', right: true },
    { head: 'skipped', right: true },
  ]
  const rows = runs.map((run) => [
    `  ${run.config}`,
    run.machine,
    run.suite,
    run.outcome,
    String(run.passed),
    String(run.failed),
    String(run.skipped),
  ])
  const of = whole === undefined ? 'The whole series' : `The whole of ${whole}, which this is a part of`
  return [...wrap(`${of}, last run of each:`), '', ...textTable(columns, rows)]
}

function checkLines({ check }: Evidence): string[] {
  if (check === undefined) return []
  const findings = [...check.patches.flatMap((patch) => patch.findings), ...check.cover]
  const open = [...findings, ...check.justifications].filter(isOpen).length
  const justified = findings.filter((one) => one.level !== 'note' && one.justified !== undefined).length
  const tools = Object.keys(check.tools).toSorted().join(', ')
  return wrap(
    `Checks of ${plural(check.patches.length, 'patch', 'patches')}, each at its place (checkpatch --strict, kernel-doc, ` +
      `maintainers, rules of messages${tools === '' ? '' : `; with ${tools}`}): ` +
      `${open === 0 ? 'nothing is open' : `${plural(open, 'finding')} open`}, ` +
      `${plural(justified, 'finding')} ${justified === 1 ? 'stays' : 'stay'} for a reason.`,
  )
}

function benchLines({ bench, whole }: Evidence): string[] {
  if (bench === undefined) return []
  const { record, cases } = bench
  const shown = cases.filter((one) => isResolved(one))
  const rows = shown.length > ROWS ? shown.filter((one) => changeOf(one) !== 'same') : shown
  const same = shown.length - rows.length
  const open = cases.length - shown.length
  const units = [...new Set(rows.map((one) => one.unit))]
  const head = wrap(
    `Instructions per operation, counted by ${record.qemu.replace(/^QEMU emulator version /, 'QEMU ').replace(/ \(.*$/, '')}, ` +
      `base and ${whole === undefined ? 'series' : `the whole of ${whole}`} (config ${record.config}); below 1 is cheaper:`,
  )
  const columns = [
    { head: '' },
    { head: 'base', right: true },
    { head: 'series', right: true },
    { head: 'ratio', right: true },
  ]
  const table = units.flatMap((unit) => [unit, ...rows.filter((one) => one.unit === unit).map(benchRow)])
  return [
    ...head,
    '',
    ...textTable(columns, table),
    ...(rows.some((one) => one.against !== undefined)
      ? wrap('A : B is A against B in the same kernel, where the base has no A.', '  ', '  ')
      : []),
    ...(same > 0 ? wrap(`${plural(same, 'more case')} cost the same.`, '  ', '  ') : []),
    ...(open > 0
      ? wrap(`${plural(open, 'more case')} said nothing: the repeats do not agree.`, '  ', '  ')
      : []),
  ]
}

function benchRow(one: BenchCase): string[] {
  const decimals = costDecimals(Math.max(one.base ?? 0, one.series ?? 0))
  const cost = (value: number | null): string => (value === null ? '-' : readable(value, decimals))
  const against = one.against === undefined ? '' : ` : ${shortName(one.against.case)}`
  // changeText() has narrow no-break spaces between thousands; the other columns have commas.
  return [
    `  ${one.name}${against}`,
    cost(one.base),
    cost(one.series),
    changeText(one).replaceAll('\u202f', ','),
  ]
}

function contextLines({ bench }: Evidence): string[] {
  const context = bench?.record.context
  if (context === undefined) return []
  const size = (name: 'text' | 'data' | 'bss'): string =>
    `${name} ${signed(context[name].series - context[name].base) || '0'}`
  const changed = context.structs.filter((one) => one.changes.length > 0)
  return [
    ...wrap(`Size of the kernel, bytes: ${[size('text'), size('data'), size('bss')].join(', ')}.`),
    ...wrap(
      changed.length === 0
        ? `Layout: none of ${plural(context.structs.length, 'structure')} that matter here changed.`
        : 'Layout of structures:',
    ),
    ...changed.flatMap(({ name, bytes, changes }) =>
      item(
        bytes.base === null || bytes.series === null
          ? `${name}: ${changes[0] ?? ''}, ${bytes.series ?? bytes.base} bytes`
          : `${name}: ${bytes.base} to ${bytes.series} bytes; ${changes.slice(0, 3).join('; ')}`,
      ),
    ),
  ]
}

function untestedLines({ proof, runs, bench, check }: Evidence, expected: readonly string[]): string[] {
  const ran = new Set(
    runs.filter((run) => run.outcome !== 'skip').map((run) => `${run.machine} ${run.suite}`),
  )
  const never = expected.filter((one) => !ran.has(one))
  const untested: string[] = []
  if (never.length > 0) untested.push(`at this state of the series: ${never.join(', ')}`)
  if (bench === undefined) untested.push('instructions, sizes and layouts: not measured at this state')
  if (proof !== undefined) untested.push(...proofGaps(proof))
  const unchecked = (check?.patches ?? []).flatMap(({ skipped }) =>
    skipped.map(({ tool, why }) => `${tool}: ${why}`),
  )
  untested.push(...new Set(unchecked))
  untested.push('real hardware: all of this ran in QEMU')
  return ['Not tested:', ...untested.flatMap(item)]
}

function item(text: string): string[] {
  return wrap(text, '  ', '- ')
}
