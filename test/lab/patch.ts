// SPDX-License-Identifier: GPL-2.0-only

/**
 * A patch that replaces whole lines of a file, to plant a bug in a series.
 *
 * @throws Error when they are not there exactly once: then the test that plants it has to be looked at.
 */
export function patchOf(file: string, source: string, from: string, to: string): string {
  const [above, below, ...more] = source.split(from)
  if (above === undefined || below === undefined || more.length > 0)
    throw new Error(`${file} does not have these lines once: ${from}`)
  const linesOf = (text: string): string[] => text.split('\n').slice(0, -1)
  const at = linesOf(above).length
  const before = linesOf(above).slice(-3)
  const after = linesOf(below).slice(0, 3)
  const [old, planted] = [linesOf(from), linesOf(to)]
  const context = before.length + after.length
  const start = at - before.length + 1
  return [
    `From ${'0'.repeat(40)} Mon Sep 17 00:00:00 2001`,
    'From: phyr <phyr@localhost>',
    'Date: Wed, 1 Jan 2020 00:00:00 +0000',
    'Subject: [PATCH] plant a bug',
    '',
    'For a test of the tests.',
    '---',
    `diff --git a/${file} b/${file}`,
    `--- a/${file}`,
    `+++ b/${file}`,
    `@@ -${start},${context + old.length} +${start},${context + planted.length} @@`,
    ...before.map((line) => ` ${line}`),
    ...old.map((line) => `-${line}`),
    ...planted.map((line) => `+${line}`),
    ...after.map((line) => ` ${line}`),
    '-- ',
    '2.39',
    '',
  ].join('\n')
}
