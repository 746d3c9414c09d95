// SPDX-License-Identifier: GPL-2.0-only
import { oneLine, plural } from '../result/format.ts'
import { type CheckFinding, type CheckRecord, isOpen } from './check-record.ts'

/** What was found, for people: every open finding, notes and justified ones counted. Ends without a newline. */
export function checkTable(record: CheckRecord, options: { readonly verbose: boolean }): string {
  const lines: string[] = []
  for (const patch of record.patches) {
    const open = patch.findings.filter(isOpen)
    const justified = patch.findings.filter((finding) => finding.justified !== undefined)
    const notes = patch.findings.filter((finding) => finding.level === 'note')
    const rest = [
      open.length > 0 ? `${open.length} open` : '',
      justified.length > 0 ? `${justified.length} justified` : '',
      notes.length > 0 ? plural(notes.length, 'note') : '',
      patch.skipped.length > 0 ? `${patch.skipped.length} skipped` : '',
      patch.cached ? 'cached' : `${patch.seconds.toFixed(1)} s`,
    ].filter((text) => text !== '')
    const number = String(patch.number).padStart(4)
    lines.push(`${number} ${patch.outcome.padEnd(4)}  ${oneLine(patch.subject)}  (${rest.join(', ')})`)
    const shown = options.verbose ? patch.findings : open
    lines.push(...shown.map((finding) => `           ${findingText(finding)}`))
  }
  lines.push(...section('cover', record.cover, options.verbose))
  lines.push(...section('checks.yaml', record.justifications, options.verbose))
  const skipped = new Map(
    record.patches.flatMap((p) => p.skipped.map((s) => [`${s.tool}: ${s.why}`, p.number])),
  )
  for (const why of skipped.keys()) lines.push(`skipped    ${oneLine(why)}`)
  const all = [...record.patches.flatMap((p) => p.findings), ...record.cover, ...record.justifications]
  const open = all.filter(isOpen).length
  const justified = all.filter((finding) => finding.justified !== undefined).length
  lines.push(
    '',
    `${record.outcome.toUpperCase()}: ${plural(record.patches.length, 'patch', 'patches')}, ` +
      `${plural(open, 'finding')} open, ${justified} justified`,
  )
  return lines.join('\n')
}

/** `checkpatch warning mm/gup.c:12: text`. */
export function findingText(finding: CheckFinding): string {
  const place = [finding.file ?? '', finding.line ?? ''].filter((part) => part !== '').join(':')
  const why = finding.justified === undefined ? '' : `  [justified: ${finding.justified}]`
  return oneLine(`${finding.tool} ${finding.level} ${place ? `${place}: ` : ''}${finding.message}${why}`)
}

function section(name: string, findings: readonly CheckFinding[], verbose: boolean): string[] {
  return findings
    .filter((finding) => verbose || isOpen(finding))
    .map((finding) => `${name.padEnd(11)}${findingText(finding)}`)
}
