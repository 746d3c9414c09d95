// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { proofGaps } from '../../../tools/mail/proof-gaps.ts'
import type { PatchProof, Proof } from '../../../tools/result/proof-record.ts'
import { NO_INCLUDER } from '../../../tools/touched/compile.ts'
import { NO_SOURCE } from '../../../tools/touched/sparse.ts'

const touched = (file: string, arch: string, why?: string): PatchProof['touched'][number] => ({
  file,
  config: 'allmodconfig',
  arch,
  outcome: why === undefined ? 'pass' : 'skip',
  ...(why === undefined ? {} : { why }),
})

function gaps(...patches: readonly Partial<PatchProof>[]): string[] {
  const full = patches.map((patch, i) => ({
    number: i + 1,
    touched: [],
    uncompiled: [],
    runs: [],
    sparse: { added: [], removed: [] },
    ...patch,
  }))
  // Only what is looked at is there.
  return proofGaps({ patches: full } as unknown as Proof)
}

test('nothing, when all was compiled and ran', () => {
  expect(gaps({ touched: [touched('mm/a.c', 's390')] }, { sparse: { skipped: NO_SOURCE } })).toEqual([])
})

test('lines by file, and a new header apart from them', () => {
  const line = (file: string, at: number): PatchProof['uncompiled'][number] => ({ file, line: at, text: 'x' })
  expect(
    gaps(
      { touched: [touched('include/x.h', 'arm64', NO_INCLUDER)], uncompiled: [line('include/x.h', 3)] },
      { uncompiled: [line('mm/a.c', 1), line('mm/a.c', 2), line('include/x.h', 9)] },
    ),
  ).toEqual([
    '3 changed lines that no config compiled: mm/a.c (2), include/x.h (1)',
    'headers that no source included yet: include/x.h at patch 1',
  ])
})

test('files by the architectures that leave them out, whatever the reasons are', () => {
  expect(
    gaps(
      {
        touched: [
          touched('b.c', 'i386', 'off'),
          touched('b.c', 'i386', 'needs 64BIT'),
          touched('b.c', 's390'),
        ],
      },
      {
        touched: [
          touched('a.c', 'i386', 'off'),
          touched('c.c', 's390', 'off'),
          touched('c.c', 'i386', 'off'),
        ],
      },
    ),
  ).toEqual(['not compiled for i386: a.c, b.c', 'not compiled for i386, s390: c.c'])
})

test('suites with the reasons, and sparse', () => {
  const run = {
    machine: 'virtio',
    suite: 'kunit',
    outcome: 'skip',
    passed: 0,
    failed: 0,
    skipped: 0,
  } as const
  const skip = (why: string): Partial<PatchProof> => ({ runs: [{ ...run, reused: false, reasons: [why] }] })
  expect(
    gaps(skip('none yet'), skip('none yet'), { sparse: { skipped: 'sparse is not installed' } }),
  ).toEqual(['sparse: sparse is not installed', 'kunit on virtio at 2 patches: none yet'])
})
