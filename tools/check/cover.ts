// SPDX-License-Identifier: GPL-2.0-only
import type { CheckFinding } from './check-record.ts'
import { MESSAGE_COLUMNS, shown } from './message-rules.ts'

/** Prose of a cover letter may be a little wider than a message; tables and code (indented) as wide as they are. */
const COVER_COLUMNS = MESSAGE_COLUMNS + 5

/**
 * The rules of the cover letter: `# subject`, a blank line, the text.
 *
 * @param text patches/cover.md; undefined when there is none.
 */
export function coverRules(text: string | undefined): CheckFinding[] {
  const findings: CheckFinding[] = []
  const say = (level: CheckFinding['level'], message: string, line?: number): unknown =>
    findings.push({ tool: 'cover', level, message, ...(line === undefined ? {} : { line }) })
  if (text === undefined) {
    say('error', 'there is no cover letter: patches/cover.md')
    return findings
  }
  const lines = text.split('\n')
  const title = /^#\s+(.*\S)\s*$/.exec(lines[0] ?? '')?.[1]
  if (title === undefined) say('error', 'the first line is not "# subject"', 1)
  else {
    const columns = Array.from(title).length
    if (columns > MESSAGE_COLUMNS) say('warning', `the subject has ${columns} columns`, 1)
    if (/[.,;:]$/.test(title)) say('warning', `the subject ends with "${title.at(-1)}"`, 1)
  }
  if (!lines.slice(1).some((line) => line.trim() !== '' && !line.startsWith('#')))
    say('error', 'the cover letter has no text')
  const wide: number[] = []
  for (const [i, line] of lines.entries()) {
    const at = i + 1
    const left = /\b(?:EDITME|TODO|XXX|FIXME|TBD)\b|\*{3} \w+ HERE \*{3}|\b(?:SUBJECT|BLURB) HERE\b/.exec(
      line,
    )
    if (left) say('error', `a placeholder is left: ${shown(left[0])}`, at)
    if (/[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(line)) say('error', `control characters: ${shown(line)}`, at)
    if (/^From |^(?:diff -|Index: )|^---\s*$/.test(line))
      say('error', `this line would end the letter: ${shown(line)}`, at)
    if (/^(?:Signed-off-by|Reviewed-by|Acked-by|Tested-by):/i.test(line))
      say('error', `a tag in a cover letter: ${shown(line)}`, at)
    const columns = Array.from(line).length
    if (columns > COVER_COLUMNS && !/^\s{4}|^\s*\S*https?:\S+$|^[>|]/.test(line)) wide.push(at)
  }
  if (wide.length > 0)
    say('warning', `more than ${COVER_COLUMNS} columns in line ${wide.join(', ')}`, wide[0])
  return findings
}
