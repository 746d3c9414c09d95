// SPDX-License-Identifier: GPL-2.0-only
import { oneLine, plural } from '../result/format.ts'
import type { MailCheck } from './b4.ts'
import { type CheckFinding, isOpen } from './check-record.ts'

/**
 * What b4 wants of `b4.prep-perpatch-check-cmd` and `b4.am-perpatch-check-cmd` (LoreMessage.run_local_check() of
 * b4 0.14 to 0.16): a line a finding on stdout, a failure where it has "ERROR:" in it and else a warning; nothing
 * and exit code 0 when all is well. Lines on stderr are failures, too.
 */
export function b4Lines(check: MailCheck): string {
  const lines = check.findings.filter(isOpen).map((finding) => {
    const place = [finding.file ?? '-', finding.line ?? ''].filter((part) => part !== '').join(':')
    const text = `${finding.tool}: ${finding.message}`.replaceAll('ERROR:', 'ERROR')
    return oneLine(`${place}: ${finding.level === 'error' ? 'ERROR' : 'WARNING'}: ${text}`)
  })
  const skipped = check.skipped.map(({ tool, why }) => oneLine(`WARNING: ${tool} did not look: ${why}`))
  return [...lines, ...skipped].map((line) => `${line}\n`).join('')
}

/** An entry of what b4 wants of `b4.review-perpatch-check-cmd`. */
export interface B4Result {
  readonly tool: string
  readonly status: 'pass' | 'warn' | 'fail'
  readonly summary: string
  readonly details: string
}

const TOOLS = ['checkpatch', 'kernel-doc', 'codespell', 'coccicheck', 'maintainers', 'message'] as const

/**
 * The JSON of `b4.review-perpatch-check-cmd` (b4/review/checks.py of b4 0.16): a list with one entry a tool, since
 * b4 keeps results by mail and tool.
 */
export function b4Json(check: MailCheck): B4Result[] {
  return TOOLS.map((tool) => {
    const found = check.findings.filter((finding) => finding.tool === tool)
    const open = found.filter(isOpen)
    const skipped = check.skipped.find((one) => one.tool === tool)
    const justified = found.filter((finding) => finding.justified !== undefined).length
    const summary = [
      open.length > 0 ? plural(open.length, 'finding') : '',
      justified > 0 ? `${justified} justified` : '',
      skipped ? `did not look: ${skipped.why}` : '',
    ].filter((text) => text !== '')
    return {
      tool: `phyr ${tool}`,
      status: open.some(({ level }) => level === 'error')
        ? 'fail'
        : open.length > 0 || skipped
          ? 'warn'
          : 'pass',
      summary: oneLine(summary.join(', ') || 'nothing found'),
      details: found.map(detail).join('\n'),
    }
  })
}

function detail(finding: CheckFinding): string {
  const place = [finding.file ?? '', finding.line ?? ''].filter((part) => part !== '').join(':')
  const why = finding.justified === undefined ? '' : ` (justified: ${finding.justified})`
  return oneLine(`${finding.level} ${place ? `${place}: ` : ''}${finding.message}${why}`)
}
