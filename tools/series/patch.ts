// SPDX-License-Identifier: GPL-2.0-only
import { badLinkTarget, badTreePath } from '../base/treepath.ts'
import { Finding } from '../lib/errors.ts'
import { printable } from '../lib/log.ts'
import { scanDiff, type FileChange } from './diff-scan.ts'
import { decodeHeader, headerFields } from './mail-header.ts'
import type { Patch } from './series.ts'

/**
 * Parses one git-format patch.
 *
 * @param file the patch file's name, for messages and for the result.
 * @param number its position in the series, from 1.
 * @throws Finding of stage `series` that names the file, and the path where one is at fault: no subject, no diff, a
 *   diff that is cut off, a path outside the tree, a symbolic link that leaves it, a submodule, an encoded body.
 */
export function parsePatch(file: string, text: string, number: number): Patch {
  const fields = headerFields(text)
  const encoding = fields.get('content-transfer-encoding')?.toLowerCase() ?? '8bit'
  if (encoding !== '8bit' && encoding !== '7bit') {
    // git am would decode it, so what was checked here would not be what gets applied.
    throw fault(
      file,
      `its body is ${encoding}`,
      'a patch in the series is plain text: git format-patch writes that',
    )
  }
  const subject = patchSubject(fields.get('subject') ?? '')
  if (subject === '')
    throw fault(file, 'it has no Subject', 'a patch in the series is what git format-patch writes')
  const { changes, cutOff } = scanDiff(text)
  if (cutOff !== undefined)
    throw fault(file, `it is cut off in ${cutOff}`, 'a hunk has fewer lines than it says')
  if (changes.length === 0) throw fault(file, 'it changes no file', 'there is no "diff --git" in it')
  for (const change of changes) checkChange(file, change)
  const paths = [...new Set(changes.flatMap((change) => change.paths))]
  return { number, file, subject, text, paths }
}

/** A Subject header's text without [PATCH v2 3/12] and the like, decoded from RFC 2047. */
export function patchSubject(raw: string): string {
  return decodeHeader(raw)
    .replace(/^(?:\s*(?:\[[^\]]*\]|re:))+/i, '')
    .replace(/\s+/g, ' ')
    .trim()
}

function checkChange(file: string, change: FileChange): void {
  if (change.paths.length === 0) {
    throw fault(file, 'a change in it names no file', change.header)
  }
  for (const path of change.paths) {
    const bad = badTreePath(path)
    if (bad) throw fault(file, `it may not touch ${quote(path)}`, bad)
  }
  if (change.mode === '160000') {
    throw fault(file, `it may not touch ${quote(change.paths.at(-1) ?? '')}`, 'it is a submodule')
  }
  if (change.mode !== '120000') return
  const path = change.paths.at(-1) ?? ''
  // A link that an edit re-targets comes as a hunk too: every added line is a target.
  for (const target of change.added) {
    const bad = badLinkTarget(path, target)
    if (bad)
      throw fault(file, `it may not make the symbolic link ${quote(path)}`, `${bad} (${quote(target)})`)
  }
}

function fault(file: string, what: string, detail: string): Finding {
  return new Finding({
    stage: 'series',
    message: `${printable(file)}: ${printable(what)}`,
    blame: file,
    detail: [printable(detail)],
  })
}

function quote(path: string): string {
  return JSON.stringify(path)
}
