// SPDX-License-Identifier: GPL-2.0-only
import { LabError } from '../lib/errors.ts'
import { keyOf, sha256 } from '../lib/hash.ts'
import { parsePatch } from '../series/patch.ts'
import type { Series } from '../series/series.ts'

/** Where costs are planted: every bio that is submitted goes through here. */
export const PLANTED = { file: 'block/blk-core.c', function: 'submit_bio_noacct' } as const

/**
 * A series with two more patches, for the bench's self-test: the first adds a function that nobody calls, so that all
 * code behind it moves and nothing costs more; the second puts `nops` instructions into the submit path.
 *
 * @param source the text of PLANTED.file with `after` patches of the series applied; those behind are dropped.
 * @throws LabError when that has no such function in the form that is looked for.
 */
export function plantedSeries(series: Series, after: number, source: string, nops: number): Series {
  const lines = source.split('\n')
  const at = lines.findIndex((line) => line.startsWith(`void ${PLANTED.function}(`) && !line.endsWith(';'))
  const brace = lines.indexOf('{', at)
  if (at < 0 || brace < 0 || brace > at + 3) {
    throw new LabError({
      what: "cannot plant the self-test's cost",
      why: `${PLANTED.file} has no function ${PLANTED.function}() in the form that is looked for`,
      fix: 'run the self-test on the base that patches/series.json names',
    })
  }
  // Above the function's kernel-doc, or that would become the new function's.
  const above = lines.lastIndexOf('', at) + 1
  const idle = [
    'static void __used noinline phyr_not_called(void)',
    '{',
    '\tasm volatile(".rept 67; nop; .endr");',
    '}',
    '',
  ]
  const moved = lines.toSpliced(above, 0, ...idle)
  // As a declaration, so that it may stand before the function's own.
  const cost = [`\tint phyr_planted __maybe_unused = ({ asm volatile(".rept ${nops}; nop; .endr"); 0; });`]
  const diffs = [
    { subject: 'add a function that nobody calls', diff: insertion(lines, above, idle) },
    {
      subject: `make submitting a bio cost ${nops} instructions more`,
      diff: insertion(moved, brace + idle.length + 1, cost),
    },
  ]
  const planted = diffs.map(({ subject, diff }, i) => {
    const number = after + i + 1
    return parsePatch(`${String(number).padStart(4, '0')}-self-test.patch`, patchText(subject, diff), number)
  })
  const patches = [...series.patches.slice(0, after), ...planted]
  const hash = keyOf(patches.map((one) => [one.file, sha256(one.text)]))
  return { ...series, name: `${series.name}-self-test`, patches, hash }
}

function patchText(subject: string, diff: readonly string[]): string {
  return [
    `From ${'0'.repeat(40)} Mon Sep 17 00:00:00 2001`,
    'From: phyr <phyr@localhost>',
    'Date: Wed, 1 Jan 2020 00:00:00 +0000',
    `Subject: [PATCH] ${subject}`,
    '',
    "For the bench's self-test.",
    '---',
    ...diff,
    '-- ',
    '2.39',
    '',
  ].join('\n')
}

/** A unified diff that puts lines in before line `at` (from 0), with three lines of context. */
function insertion(lines: readonly string[], at: number, added: readonly string[]): string[] {
  const before = lines.slice(Math.max(0, at - 3), at)
  const after = lines.slice(at, at + 3)
  const start = at - before.length + 1
  const kept = before.length + after.length
  return [
    `diff --git a/${PLANTED.file} b/${PLANTED.file}`,
    `--- a/${PLANTED.file}`,
    `+++ b/${PLANTED.file}`,
    `@@ -${start},${kept} +${start},${kept + added.length} @@`,
    ...before.map((line) => ` ${line}`),
    ...added.map((line) => `+${line}`),
    ...after.map((line) => ` ${line}`),
  ]
}
