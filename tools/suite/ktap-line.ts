// SPDX-License-Identifier: GPL-2.0-only

/** What one line of a log says, with the console's own decoration already taken off. */
export type KtapLine =
  | {
      readonly kind: 'version'
      readonly indent: number
      readonly format: 'KTAP' | 'TAP'
      readonly version: number
    }
  | { readonly kind: 'subtest'; readonly indent: number; readonly name: string }
  | {
      readonly kind: 'plan'
      readonly indent: number
      readonly count: number
      /** Reason of `1..0 # SKIP reason`; undefined when the plan is no skip. */
      readonly skip: string | undefined
    }
  | {
      readonly kind: 'result'
      readonly indent: number
      readonly ok: boolean
      readonly number: number
      readonly name: string
      readonly directive: Directive | undefined
      /** What follows the directive, or a `# comment` that is none. */
      readonly reason: string
    }
  | { readonly kind: 'bail'; readonly indent: number; readonly reason: string }
  | { readonly kind: 'other'; readonly text: string }

/** Directives of the KTAP specification (Documentation/dev-tools/ktap.rst). */
export type Directive = 'SKIP' | 'TODO' | 'XFAIL' | 'TIMEOUT' | 'ERROR'

/**
 * Takes printk's decoration off a console line: the raw level `<6>`, the time `[    1.234567]` and the caller
 * `[    T1]` or `[    C0]` (CONFIG_PRINTK_CALLER). Only one blank after it is decoration, the rest is indentation.
 */
export function withoutPrintk(line: string): string {
  return line.replace(
    /^(?:<\d{1,3}>)?\[ {0,9}\d{1,12}\.\d{1,9}\](?:\[ {0,9}[TC]\d{1,9}\])?(?: |(?=\t)|$)/,
    '',
  )
}

/** The version line that starts a log: what stands before it, and its number. Any other line: undefined. */
export function versionLine(
  line: string,
): { head: string; format: 'KTAP' | 'TAP'; version: number } | undefined {
  const match = /(K?TAP) version (\d{1,9})$/.exec(line)
  if (!match) return undefined
  return {
    head: line.slice(0, match.index),
    format: match[1] === 'KTAP' ? 'KTAP' : 'TAP',
    version: Number(match[2]),
  }
}

/**
 * Lines after which the kernel's wrapper reads no further: the KUnit kernel has no root file system to mount, so
 * each of them is the normal end of its run (KTAP_END in tools/testing/kunit/kunit_parser.py).
 */
export function endsLog(line: string): boolean {
  return /List of all partitions:|Kernel panic - not syncing: VFS:|reboot: System halted/.test(line)
}

/** Reads one line, already without printk's decoration and trailing blanks. */
export function readLine(line: string): KtapLine {
  const body = line.trimStart()
  const indent = columns(line.slice(0, line.length - body.length))
  const version = versionLine(body)
  if (version && version.head === '')
    return { kind: 'version', indent, format: version.format, version: version.version }
  const subtest = /^# Subtest: (.*)$/.exec(body)
  if (subtest) return { kind: 'subtest', indent, name: unescape(subtest[1] ?? '') }
  const plan = /^1\.\.(\d{1,9})(?: *# *(SKIP)\b *(.*))?/.exec(body)
  if (plan) {
    return {
      kind: 'plan',
      indent,
      count: Number(plan[1]),
      skip: plan[2] === undefined ? undefined : (plan[3] ?? ''),
    }
  }
  const result = /^(ok|not ok) (\d{1,9})(?= |$)(.*)$/.exec(body)
  if (result) {
    const said = description(result[3] ?? '')
    return { kind: 'result', indent, ok: result[1] === 'ok', number: Number(result[2]), ...said }
  }
  const bail = /^Bail out!\s?(.*)$/.exec(body)
  if (bail) return { kind: 'bail', indent, reason: (bail[1] ?? '').trim() }
  return { kind: 'other', text: line }
}

/**
 * Splits what follows the number: an optional ` - `, the name, and behind ` # ` a directive with its reason or a
 * comment. A directive wins over an earlier `#` in the name. The helpers of kselftest.h put the directive first
 * (`ok 3 # SKIP no such device`): there the reason is all that names the test, so it is both.
 */
function description(rest: string): { name: string; directive: Directive | undefined; reason: string } {
  const text = rest.replace(/^ -(?= |$)/, '')
  const found = /(?:^| )# (SKIP|TODO|XFAIL|TIMEOUT|ERROR)(?![A-Za-z0-9_])[: ]*/.exec(text)
  if (found) {
    const name = text.slice(0, found.index).trim()
    const reason = text.slice(found.index + found[0].length).trim()
    return { name: unescape(name === '' ? reason : name), directive: found[1] as Directive, reason }
  }
  const comment = text.indexOf(' # ')
  if (comment < 0) return { name: unescape(text.trim()), directive: undefined, reason: '' }
  return {
    name: unescape(text.slice(0, comment).trim()),
    directive: undefined,
    reason: text.slice(comment + 3).trim(),
  }
}

/** TAP 14 writes a `#` that is no comment as `\\#`; so does our own writer. */
function unescape(name: string): string {
  return name.replaceAll('\\#', '#')
}

/** Width of an indentation; a tab counts to the next multiple of eight, as a terminal shows it. */
function columns(blanks: string): number {
  let width = 0
  for (const c of blanks) width = c === '\t' ? (Math.floor(width / 8) + 1) * 8 : width + 1
  return width
}
