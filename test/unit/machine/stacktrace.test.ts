// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LabError } from '../../../tools/lib/errors.ts'
import type { Splat } from '../../../tools/machine/boot.ts'
import { decode, type Decoded } from '../../../tools/machine/stacktrace.ts'

const splat: Splat = {
  kind: 'warning',
  title: 'WARNING: x',
  lines: ['WARNING: x', 'Call Trace:', " f+0x1/0x2 $(touch pwned) '; exit"],
}

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-trace-'))
  mkdirSync(join(dir, 'scripts'))
  writeFileSync(join(dir, 'vmlinux'), '')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function decodeWith(script: string, signal?: AbortSignal): Promise<Decoded> {
  writeFileSync(join(dir, 'scripts/decode_stacktrace.sh'), script)
  return decode({
    splat,
    vmlinux: join(dir, 'vmlinux'),
    treeDir: dir,
    ...(signal === undefined ? {} : { signal }),
  })
}

test('the tree’s script gets the report on stdin, and what it says is the answer', async () => {
  const decoded = await decodeWith(
    `sed 's|f+0x1/0x2|& (lib/phyr.c:12)|'; echo "$1 $2" > ${join(dir, 'args')}`,
  )
  expect(decoded).toEqual({
    lines: ['WARNING: x', 'Call Trace:', " f+0x1/0x2 (lib/phyr.c:12) $(touch pwned) '; exit"],
    reason: undefined,
  })
})

test.each([
  ['fails', 'echo "no addr2line" >&2; exit 3', /ended with 3: no addr2line/],
  ['loses lines', 'echo "f (lib/phyr.c:1)"', /lost lines/],
  ['finds nothing', 'cat', /no debug info/],
])('a script that %s leaves the lines as they were, with the reason', async (_what, script, reason) => {
  const decoded = await decodeWith(script)
  expect(decoded.lines).toEqual(splat.lines)
  expect(decoded.reason).toMatch(reason)
})

test('a tree without the script, or no vmlinux, is a reason too', async () => {
  const missing = await decode({ splat, vmlinux: join(dir, 'vmlinux'), treeDir: join(dir, 'no') })
  expect(missing).toMatchObject({
    lines: splat.lines,
    reason: expect.stringContaining('decode_stacktrace.sh'),
  })
  writeFileSync(join(dir, 'scripts/decode_stacktrace.sh'), 'cat')
  const bare = await decode({ splat, vmlinux: join(dir, 'no'), treeDir: dir })
  expect(bare.reason).toContain('is not there')
})

test('an interrupt goes through', async () => {
  const interrupt = new AbortController()
  const decoded = decodeWith('sleep 60', interrupt.signal)
  setTimeout(() => interrupt.abort(), 300)
  await expect(decoded).rejects.toThrow(LabError)
})
