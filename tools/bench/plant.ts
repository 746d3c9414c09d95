// SPDX-License-Identifier: GPL-2.0-only
import { LabError } from '../lib/errors.ts'
import { keyOf, sha256 } from '../lib/hash.ts'
import { parsePatch } from '../series/patch.ts'
import type { Series } from '../series/series.ts'

/** Where costs are planted: every bio that is submitted goes through here. */
export const PLANTED = { file: 'block/blk-core.c', function: 'submit_bio_noacct' } as const

/**
 * A series of two patches for the bench's self-test: the first adds a function that nobody calls, so that all code
 * behind it moves and nothing costs more; the second puts `nops` instructions into the submit path.
 *
 * @param source the text of PLANTED.file in the base.
 * @throws LabError when the base has no such function in the form that is looked for.
 */
export function plantedSeries(source: string, nops: number, like: Series): Series {
  const lines = source.split('\n')
  const at = lines.findIndex((line) => line.startsWith(`void ${PLANTED.function}(`))
  const brace = lines.indexOf('{', at)
  if (at < 0 || brace < 0 || brace > at + 3) {
    throw new LabError({
      what: "cannot plant the self-test's cost",
      why: `${PLANTED.file} of this base has no function ${PLANTED.function}() in the form that is looked for`,
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
  const patches = [
    patch(1, 'add a function that nobody calls', insertion(lines, above, idle)),
    patch(
      2,
      `make submitting a bio cost ${nops} instructions more`,
      insertion(moved, brace + idle.length + 1, cost),
    ),
  ].map(({ file, text }, i) => parsePatch(file, text, i + 1))
  return {
    ...like,
    name: 'self-test',
    patches,
    hash: keyOf(patches.map((one) => [one.file, sha256(one.text)])),
  }
}

function patch(number: number, subject: string, diff: readonly string[]): { file: string; text: string } {
  return {
    file: `000${number}-self-test.patch`,
    text: [
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
    ].join('\n'),
  }
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
