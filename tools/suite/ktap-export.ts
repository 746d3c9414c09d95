// SPDX-License-Identifier: GPL-2.0-only
import type { KtapRun, KtapTest } from './ktap.ts'

/**
 * Writes a run as KTAP version 1: two blanks a level, a version line and a plan at each.
 *
 * KTAP has no word for a crash: it becomes `not ok ... # ERROR crashed: ...`, which reads back as a failure.
 * Line breaks and other control characters in names become blanks, `#` becomes `\#`.
 */
export function toKtap(run: KtapRun): string {
  return `${[...ktapLevel(run.tests, '')].join('\n')}\n`
}

function* ktapLevel(tests: readonly KtapTest[], indent: string): Generator<string> {
  yield `${indent}KTAP version 1`
  yield `${indent}1..${tests.length}`
  for (const [i, test] of tests.entries()) {
    const name = ktapText(test.name)
    if (test.children.length > 0 || test.outcome === 'no-tests') {
      const [version, ...rest] = ktapLevel(test.children, `${indent}  `)
      yield version ?? ''
      if (name !== '') yield `${indent}  # Subtest: ${name}`
      yield* rest
    }
    const ok = test.outcome === 'fail' || test.outcome === 'crashed' ? 'not ok' : 'ok'
    const reason = ktapText(test.reason ?? '')
    yield `${indent}${ok} ${i + 1}${name === '' ? '' : ` - ${name}`}${ktapDirective(test, reason)}`.trimEnd()
  }
}

function ktapDirective(test: KtapTest, reason: string): string {
  if (test.outcome === 'skip') return ` # SKIP ${reason}`
  if (test.outcome === 'crashed') return ` # ERROR crashed: ${reason}`
  return reason === '' ? '' : ` # ${reason}`
}

function ktapText(text: string): string {
  return text
    .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')
    .replaceAll('#', String.raw`\#`)
    .trim()
}

/** One testcase element and how it counts. */
interface Case {
  readonly counts: 'passed' | 'failures' | 'errors' | 'skipped'
  readonly xml: string
}

/**
 * Writes a run as JUnit XML, in the form that CI servers read: one testsuite for each outermost test, one
 * testcase for each test without subtests, named by its path. A failure is a failure; a crash, a suite that ran
 * nothing and a fault of the log are errors. The counts are those of the testcases written.
 *
 * @param name name of the whole, for example "kunit on nvme".
 */
export function toJunit(run: KtapRun, name: string): string {
  const suites = run.tests.map((test) => ({
    name: test.name,
    cases: test.children.length === 0 ? [junitCase(test, '')] : junitParent(test, '', ''),
  }))
  if (run.errors.length > 0) {
    suites.push({
      name: 'log',
      cases: run.errors.map((e) => ({ counts: 'errors', xml: errorCase('log', e) })),
    })
  }
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${xml(name)}" ${totals(suites.flatMap((s) => s.cases))}>`,
    ...suites.flatMap((s) => [
      `  <testsuite name="${xml(s.name)}" ${totals(s.cases)}>`,
      ...s.cases.map((c) => c.xml),
      '  </testsuite>',
    ]),
    '</testsuites>',
  ]
  return `${lines.join('\n')}\n`
}

function totals(cases: readonly Case[]): string {
  const n = (counts: Case['counts']): number => cases.filter((c) => c.counts === counts).length
  return `tests="${cases.length}" failures="${n('failures')}" errors="${n('errors')}" skipped="${n('skipped')}"`
}

function junitCases(tests: readonly KtapTest[], path: string): Case[] {
  return tests.flatMap((test) =>
    test.children.length === 0
      ? [junitCase(test, path)]
      : junitParent(test, path, path === '' ? test.name : `${path}.${test.name}`),
  )
}

/** A parent that is bad although nothing below it is gets a case of its own, or nobody would see it. */
function junitParent(test: KtapTest, path: string, below: string): Case[] {
  const cases = junitCases(test.children, below === '' ? test.name : below)
  const seen = cases.some((c) => c.counts === 'failures' || c.counts === 'errors')
  const bad = test.outcome === 'fail' || test.outcome === 'crashed' || test.errors.length > 0
  return bad && !seen ? [...cases, junitCase(test, path)] : cases
}

function junitCase(test: KtapTest, path: string): Case {
  const open = `    <testcase classname="${xml(path)}" name="${xml(test.name)}"`
  const message = xml(test.reason ?? test.errors.join('; '))
  const log = xml([...test.errors, ...test.diagnostics].join('\n'), true)
  if (test.outcome === 'fail') {
    return { counts: 'failures', xml: `${open}><failure message="${message}">${log}</failure></testcase>` }
  }
  if (test.outcome === 'crashed' || test.outcome === 'no-tests' || test.errors.length > 0) {
    return { counts: 'errors', xml: `${open}><error message="${message}">${log}</error></testcase>` }
  }
  if (test.outcome === 'skip') {
    return { counts: 'skipped', xml: `${open}><skipped message="${message}"/></testcase>` }
  }
  return { counts: 'passed', xml: `${open}/>` }
}

function errorCase(name: string, error: string): string {
  return `    <testcase classname="" name="${name}"><error message="${xml(error)}"></error></testcase>`
}

/**
 * Text for an XML attribute, or for an element's content. What XML 1.0 has no way to write, not even escaped
 * (control characters, half surrogate pairs, U+FFFE), becomes U+FFFD.
 */
function xml(text: string, content = false): string {
  const escaped = text
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
  if (content) return escaped.replaceAll('\r', '&#13;')
  return escaped.replace(/[\t\n\r]/g, (c) => `&#${c.charCodeAt(0)};`)
}
