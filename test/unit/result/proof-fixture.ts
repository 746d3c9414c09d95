// SPDX-License-Identifier: GPL-2.0-only
import type { PatchProof } from '../../../tools/result/proof-record.ts'

/** The proof of a patch about which there is nothing to say, after a run of kunit that passed. */
export function patchProof(number: number, over: Partial<PatchProof> = {}): PatchProof {
  return {
    number,
    file: `000${number}-step.patch`,
    subject: `subject ${number}`,
    outcome: 'pass',
    stage: 'done',
    reasons: [],
    cached: false,
    seconds: 2,
    warnings: 0,
    newWarnings: [],
    goneWarnings: [],
    sparse: { skipped: 'not installed' },
    objects: 1,
    touched: [],
    uncompiled: [],
    nfc: { claimed: false, intended: false, changed: [] },
    layout: [],
    bytes: { text: 12, data: 0, bss: 0 },
    instructions: null,
    runs: [
      {
        machine: 'virtio',
        suite: 'kunit',
        outcome: 'pass',
        passed: 9,
        failed: 0,
        skipped: 0,
        reused: false,
        reasons: [],
      },
    ],
    ...over,
  }
}
