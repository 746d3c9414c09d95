// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'
import { parseAddress, type Address } from './address.ts'

/** patches/cover.md, taken apart. */
export interface CoverFile {
  /** The title: "# phyr: one type for ..." without its mark. */
  readonly subject: string
  /** Plain text for a mail; no blank line at either end. */
  readonly blurb: string
  /** Sections "Changes in vN", newest first as they stand there, as b4 writes them; empty when there are none. */
  readonly changes: string
  /** To: and Cc: lines at the end of the file: who gets every mail beside those that MAINTAINERS names. */
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
  /** prerequisite-...: lines at the end of the file. */
  readonly prerequisites: readonly string[]
}

/**
 * Reads a cover letter.
 *
 * @throws UsageError when it has no title, no text, or a word that says it is not written yet.
 */
export function parseCover(text: string, file = 'patches/cover.md'): CoverFile {
  const lines = text.replaceAll('\r\n', '\n').trim().split('\n')
  const subject = /^#\s+(\S.*)$/.exec(lines.shift() ?? '')?.[1]?.trim()
  if (subject === undefined) {
    throw new UsageError(`${file} has no title`, 'its first line is "# subsystem: what the series does"')
  }
  const trailers: string[] = []
  while (
    lines.length > 0 &&
    (TRAILER.test(lines.at(-1) ?? '') || (trailers.length > 0 && lines.at(-1) === ''))
  ) {
    const line = lines.pop() ?? ''
    if (line !== '') trailers.unshift(line)
  }
  const sections = sectionsOf(lines)
  const isChanges = ({ heading }: Section): boolean => /^Changes in v\d+:?$/i.test(heading)
  const blurb = sections
    .filter((section) => !isChanges(section))
    .map(plainSection)
    .filter((part) => part !== '')
    .join('\n\n')
  if (blurb === '')
    throw new UsageError(`${file} has a title and nothing else`, 'say what the series does and why')
  const unwritten = /\bEDITME\b/.exec(text)
  if (unwritten) throw new UsageError(`${file} says EDITME`, 'write what is missing there')
  const addresses = (name: string): Address[] =>
    trailers
      .filter((line) => line.toLowerCase().startsWith(name))
      .map((line) => parseAddress(line.slice(3), file))
  return {
    subject,
    blurb,
    changes: sections
      .filter(isChanges)
      .map(({ heading, lines: body }) => `${heading.replace(/:?$/, ':')}\n${body.join('\n').trim()}`)
      .join('\n\n'),
    to: addresses('to:'),
    cc: addresses('cc:'),
    prerequisites: trailers.filter((line) => /^prerequisite-/i.test(line)),
  }
}

const TRAILER = /^(?:To|Cc|prerequisite-(?:change-id|message-id|patch-id)): \S/i

interface Section {
  /** Empty for what stands above the first one. */
  readonly heading: string
  readonly lines: readonly string[]
}

function sectionsOf(lines: readonly string[]): Section[] {
  const sections: { heading: string; lines: string[] }[] = [{ heading: '', lines: [] }]
  for (const line of lines) {
    const heading = /^#{2,6}\s+(\S.*?)\s*#*$/.exec(line)?.[1]
    if (heading === undefined) sections.at(-1)?.lines.push(line)
    else sections.push({ heading, lines: [] })
  }
  return sections
}

/** A heading is underlined with equals signs: hyphens could come out as the --- that ends a message. */
function plainSection({ heading, lines }: Section): string {
  // A line of hyphens alone would cut the letter in two for b4 and git.
  const body = lines.map((line) => (/^---\s*$/.test(line) ? '- - -' : line.trimEnd())).join('\n')
  const text = body.replace(/\n{3,}/g, '\n\n').replace(/^\n+|\n+$/g, '')
  return heading === '' ? text : [heading, '='.repeat(heading.length), '', text].join('\n')
}
