// SPDX-License-Identifier: GPL-2.0-only
import { countTests } from './ktap-counts.ts'
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

/**
 * Writes a run as JUnit XML, in the form that CI servers read: one testsuite for each outermost test, one
 * testcase for each test without subtests, named by its path. A crash is an error, a failure a failure.
 *
 * @param name name of the whole, for example "kunit on nvme".
 */
export function toJunit(run: KtapRun, name: string): string {
  const counts = run.cases
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${xml(name)}" tests="${counts.total}" failures="${counts.failed}" ` +
      `errors="${counts.crashed + run.errors.length}" skipped="${counts.skipped}">`,
    ...run.tests.flatMap((test) => junitSuite(test)),
    ...(run.errors.length === 0 ? [] : junitLogErrors(run.errors)),
    '</testsuites>',
  ]
  return `${lines.join('\n')}\n`
}

function junitSuite(test: KtapTest): string[] {
  const c = countTests([test], true)
  const failed = test.outcome === 'fail' || test.outcome === 'crashed'
  const below = test.children.length === 0 ? junitCase(test, '') : junitCases(test.children, test.name)
  // A suite that failed although no test of it did is a case of its own, or nobody would see it.
  const own = test.children.length > 0 && failed && !anyBad(test.children) ? junitCase(test, '') : []
  return [
    `  <testsuite name="${xml(test.name)}" tests="${c.total}" failures="${c.failed}" errors="${c.crashed}" skipped="${c.skipped}">`,
    ...below,
    ...own,
    '  </testsuite>',
  ]
}

function anyBad(tests: readonly KtapTest[]): boolean {
  return tests.some((t) => t.outcome === 'fail' || t.outcome === 'crashed')
}

function junitCases(tests: readonly KtapTest[], path: string): string[] {
  return tests.flatMap((test) => {
    if (test.children.length === 0) return junitCase(test, path)
    const below = junitCases(test.children, path === '' ? test.name : `${path}.${test.name}`)
    const failed = test.outcome === 'fail' || test.outcome === 'crashed'
    return failed && !anyBad(test.children) ? [...below, ...junitCase(test, path)] : below
  })
}

function junitCase(test: KtapTest, path: string): string[] {
  const open = `    <testcase classname="${xml(path)}" name="${xml(test.name)}"`
  const message = xml(test.reason ?? test.errors.join('; '))
  const log = xml([...test.errors, ...test.diagnostics].join('\n'), true)
  if (test.outcome === 'skip') return [`${open}><skipped message="${message}"/></testcase>`]
  if (test.outcome === 'fail') return [`${open}><failure message="${message}">${log}</failure></testcase>`]
  if (test.outcome === 'pass' && test.errors.length === 0) return [`${open}/>`]
  return [`${open}><error message="${message}">${log}</error></testcase>`]
}

function junitLogErrors(errors: readonly string[]): string[] {
  return [
    `  <testsuite name="log" tests="0" failures="0" errors="${errors.length}" skipped="0">`,
    `    <system-err>${xml(errors.join('\n'), true)}</system-err>`,
    '  </testsuite>',
  ]
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
