// SPDX-License-Identifier: GPL-2.0-only
import type { Kernel } from '../kernel/kernel.ts'
import { compareWarnings, readWarnings } from '../kernel/warnings.ts'
import { LabError } from '../lib/errors.ts'
import type { PatchProof } from '../result/proof-record.ts'

/** What the kernels before and after a patch differ in, without booting either. */
export type Delta = Pick<PatchProof, 'newWarnings' | 'goneWarnings' | 'bytes'>

/** @throws LabError when a kernel in the cache has no warnings beside it. */
export function deltaOf(before: Kernel, after: Kernel): Delta {
  const [old, now] = [before, after].map((kernel) => {
    const warnings = readWarnings(kernel)
    if (warnings) return warnings
    throw new LabError({
      what: `the kernel ${kernel.key} has no list of its warnings`,
      why: 'the file is gone, or damaged',
      fix: `remove ${kernel.dir}: it is built again`,
    })
  })
  const { added, removed } = compareWarnings(old!, now!)
  const [was, is] = [before.record.bytes, after.record.bytes]
  return {
    newWarnings: added,
    goneWarnings: removed,
    bytes: { text: is.text - was.text, data: is.data - was.data, bss: is.bss - was.bss },
  }
}
