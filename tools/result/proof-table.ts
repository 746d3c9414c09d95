// SPDX-License-Identifier: GPL-2.0-only
import { duration, oneLine, plural } from './format.ts'
import type { PatchProof, Proof } from './proof-record.ts'

const SGR = { pass: '32', fail: '31', error: '33' } as const

/**
 * A proof for a terminal: a line a patch, the reasons of those that did not pass below, and the verdict last. Ends
 * without a newline.
 */
export function proofTable(proof: Proof, { colour }: { readonly colour: boolean }): string {
  const paint = (outcome: PatchProof['outcome'], text: string): string =>
    colour ? `\x1b[${SGR[outcome]}m${text}\x1b[0m` : text
  const head = [
    'patch',
    'outcome',
    'stage',
    'warnings',
    'nfc',
    'text bytes',
    'instr.',
    'runs',
    'time',
    'subject',
  ]
  const rows = proof.patches.map((patch) => [
    String(patch.number),
    patch.outcome,
    patch.stage,
    deltaText(patch.warnings, patch.goneWarnings.length),
    nfcText(patch),
    signed(patch.bytes.text),
    patch.instructions ? patch.instructions.ratio.toFixed(4) : '-',
    runsText(patch),
    patch.cached ? 'cached' : duration(patch.seconds),
    oneLine(patch.subject),
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const right = new Set([0, 3, 5, 6, 8])
  const line = (cells: readonly string[]): string[] =>
    cells.map((cell, i) => (right.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
  const lines = [line(head).join('  ').trimEnd()]
  for (const [i, row] of rows.entries()) {
    const cells = line(row)
    cells[1] = paint(proof.patches[i]!.outcome, cells[1]!)
    lines.push(cells.join('  ').trimEnd())
  }
  for (const patch of proof.patches.filter((one) => one.outcome !== 'pass')) {
    lines.push('', `patch ${patch.number}, ${patch.file}: ${patch.outcome} at ${patch.stage}`)
    lines.push(...patch.reasons.slice(0, 12).map((reason) => `  ${oneLine(reason)}`))
  }
  return [...lines, '', paint(proof.outcome, verdict(proof))].join('\n')
}

function verdict(proof: Proof): string {
  const { patches, series } = proof
  const count = (outcome: PatchProof['outcome']): number =>
    patches.filter((p) => p.outcome === outcome).length
  const parts = [
    `${count('pass')} of ${plural(series.patches, 'patch', 'patches')} proved`,
    ...(['fail', 'error'] as const).flatMap((o) => (count(o) > 0 ? [`${count(o)} ${o}`] : [])),
    `${patches.filter((patch) => patch.cached).length} cached`,
    duration(proof.seconds),
  ]
  return `${proof.outcome.toUpperCase()}: ${parts.join(', ')}`
}

function deltaText(added: number, gone: number): string {
  return (
    [added > 0 ? `+${added}` : '', gone > 0 ? `-${gone}` : ''].filter((text) => text !== '').join(' ') || '0'
  )
}

function nfcText({ nfc, objects }: PatchProof): string {
  if (nfc.claimed && nfc.changed.length === 0) return 'holds'
  if (nfc.claimed) return `${plural(nfc.changed.length, 'symbol')}${nfc.intended ? ', intended' : ''}`
  return objects === 0 ? 'no code' : '-'
}

function runsText({ runs }: PatchProof): string {
  if (runs.length === 0) return '-'
  const passed = runs.filter((run) => run.outcome === 'pass')
  const tests = passed.reduce((sum, run) => sum + run.passed, 0)
  const others = runs.length - passed.length
  return `${passed.length}${others > 0 ? `/${runs.length}` : ''} (${tests} tests)${passed.length > 0 && passed.every((run) => run.reused) ? ' same code' : ''}`
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value)
}
