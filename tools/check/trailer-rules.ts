// SPDX-License-Identifier: GPL-2.0-only
import type { CheckFinding } from './check-record.ts'
import type { PatchMail, Trailer } from './mail.ts'
import { isAddress, said, shown } from './message-rules.ts'

export interface TrailerOptions {
  /** A patch of the series as it is stored: Assisted-by is there, and nobody has signed off. */
  readonly stored: boolean
  /** How coding-assistants.rst of the tree writes the tag: `LLM`, `AGENT_NAME:MODEL_VERSION`; '' when it says nothing. */
  readonly assistedForm: string
}

/**
 * Known trailers in the order that patches of the tip trees have (process/maintainer-tip.rst), with Co-developed-by
 * in front of the sign-offs. Of equal rank: any order. undefined: may stand anywhere.
 */
const KNOWN: ReadonlyMap<string, number | undefined> = new Map([
  ['Fixes', 1],
  ['Reported-by', 2],
  ['Closes', 2],
  ['Bisected-by', 2],
  ['Debugged-by', 2],
  ['Originally-by', 3],
  ['Originally-from', 3],
  ['Suggested-by', 4],
  ['Requested-by', 4],
  ['Co-developed-by', 5],
  ['Signed-off-by', 5],
  ['Tested-by', 6],
  ['Reviewed-by', 6],
  ['Acked-by', 6],
  ['Reviewed-and-tested-by', 6],
  ['Cc', 7],
  ['Link', 8],
  ['Assisted-by', undefined],
  ['BugLink', undefined],
  ['Message-ID', undefined],
])

/** Known once; kept apart from KNOWN because checkpatch knows them with a different case. */
const ADDRESSED = /^(?:Cc|[A-Z][A-Za-z-]*-(?:by|from))$/

/** Left by other tools, and of no use outside of them. */
const JUNK =
  /^(?:Change-Id|Reviewed-on|Commit-Queue|Git-Repo-Version|git-svn-id|Jira|Issue|Bug|Patchset|Gerrit-.*)$/i

/** Names, order, addresses and forms of the trailers, and trailers that are not at the end. */
export function trailerRules(mail: PatchMail, options: TrailerOptions): CheckFinding[] {
  const findings = [...strayTrailers(mail), ...order(mail.trailers)]
  const seen = new Set<string>()
  for (const trailer of mail.trailers) {
    findings.push(...oneTrailer(trailer, options))
    const key = trailer.text.replace(/\s/g, '').toLowerCase()
    if (seen.has(key)) findings.push(said('warning', `${trailer.name} twice`, trailer.line))
    seen.add(key)
  }
  if (options.stored && !mail.trailers.some(({ name }) => name === 'Assisted-by')) {
    findings.push(
      said(
        'error',
        'no Assisted-by (Documentation/process/coding-assistants.rst asks for it in the trailers)',
      ),
    )
  }
  return findings
}

function oneTrailer(trailer: Trailer, options: TrailerOptions): CheckFinding[] {
  const { name, value, line } = trailer
  if (JUNK.test(name)) return [said('error', `${name} is of a tool of yours: take it out`, line)]
  if (!KNOWN.has(name)) {
    const known = [...KNOWN.keys()].find((other) => other.toLowerCase() === name.toLowerCase())
    return [
      said('warning', known ? `${name} is written ${known}` : `${name} is no trailer that is known`, line),
    ]
  }
  if (value === '') return [said('error', `${name} without a value`, line)]
  if (name === 'Assisted-by') return assisted(trailer, options.assistedForm)
  if (name === 'Fixes') return fixesForm(trailer)
  if (name === 'Link' || name === 'Closes') {
    return /^https?:\/\/\S+(?:\s+#.*)?$/.test(value)
      ? []
      : [said('error', `${name} is no URL: ${shown(value)}`, line)]
  }
  if (name === 'Signed-off-by' && options.stored) {
    return [
      said(
        'error',
        'Signed-off-by in a stored patch: only a human gives it, when the series is mailed',
        line,
      ),
    ]
  }
  if (!ADDRESSED.test(name)) return []
  const address = value.replace(/\s+#.*$/, '')
  return isAddress(address) ? [] : [said('error', `${name} is no address: ${shown(value)}`, line)]
}

/** `Fixes: 0123456789ab ("subject")`, on one line (process/submitting-patches.rst). */
function fixesForm({ value, line }: Trailer): CheckFinding[] {
  if (/^[0-9a-f]{12,40} \("[^\n]+"\)$/.test(value)) return []
  return [said('error', `Fixes is not 12 or more hex digits and ("subject"): ${shown(value)}`, line)]
}

/** As coding-assistants.rst has it: the assistant, then analysis tools, and none that everybody uses. */
function assisted({ value, line }: Trailer, form: string): CheckFinding[] {
  const words = value.split(/\s+/)
  const first = words[0] ?? ''
  const fits = form === '' ? true : form.includes(':') ? /^[^\s:]+:[^\s:]+$/.test(first) : first === form
  const findings: CheckFinding[] = []
  if (!fits || value.includes('@')) {
    const wanted = form === '' ? 'a tool, and no address' : `${form} [TOOL1] [TOOL2]`
    findings.push(said('error', `Assisted-by is not "${wanted}": ${shown(value)}`, line))
  }
  const basic = words.slice(1).find((word) => /^(?:git|gcc|clang|make|vim?|emacs|nano)$/i.test(word))
  if (basic !== undefined)
    findings.push(said('warning', `Assisted-by lists ${basic}: basic tools are left out`, line))
  return findings
}

function order(trailers: readonly Trailer[]): CheckFinding[] {
  const findings: CheckFinding[] = []
  let highest: { name: string; rank: number } | undefined
  for (const [i, trailer] of trailers.entries()) {
    const rank = KNOWN.get(trailer.name)
    if (rank !== undefined) {
      if (highest && rank < highest.rank)
        findings.push(said('warning', `${trailer.name} goes in front of ${highest.name}`, trailer.line))
      else highest = { name: trailer.name, rank }
    }
    const next = trailers[i + 1]
    if (
      trailer.name === 'Co-developed-by' &&
      !(next?.name === 'Signed-off-by' && next.value === trailer.value)
    )
      findings.push(
        said('error', "Co-developed-by is not followed by that person's Signed-off-by", trailer.line),
      )
    if (trailer.name === 'Reported-by' && !/^(?:Closes|Link)$/.test(next?.name ?? ''))
      findings.push(said('warning', 'Reported-by is not followed by Closes with the report', trailer.line))
  }
  return findings
}

/** A known trailer in the middle of the text: git and b4 do not see it there. */
function strayTrailers(mail: PatchMail): CheckFinding[] {
  return mail.prose.flatMap(({ text, line }) => {
    const name = /^([A-Za-z][A-Za-z-]*):\s/.exec(text)?.[1] ?? ''
    if (JUNK.test(name)) return [said('error', `${name} is of a tool of yours: take it out`, line)]
    const found = name !== 'Link' && KNOWN.has(name)
    return found ? [said('warning', `${name} is not among the trailers at the end`, line)] : []
  })
}
