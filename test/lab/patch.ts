// SPDX-License-Identifier: GPL-2.0-only

/**
 * A patch that replaces one line of a file, to plant a bug in a series.
 *
 * @throws Error when the line is not there exactly once: then the test that plants it has to be looked at.
 */
export function patchOf(file: string, source: string, from: string, to: string): string {
  const lines = source.split('\n')
  const at = lines.indexOf(from)
  if (at < 0 || lines.lastIndexOf(from) !== at)
    throw new Error(`${file} does not have this line once: ${from}`)
  const before = lines.slice(Math.max(0, at - 3), at)
  const after = lines.slice(at + 1, at + 4)
  const kept = before.length + after.length + 1
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
    `@@ -${start},${kept} +${start},${kept} @@`,
    ...before.map((line) => ` ${line}`),
    `-${from}`,
    `+${to}`,
    ...after.map((line) => ` ${line}`),
    '-- ',
    '2.39',
    '',
  ].join('\n')
}
