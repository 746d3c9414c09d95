// SPDX-License-Identifier: GPL-2.0-only
import type { Kernel } from '../kernel/kernel.ts'
import { readLayout } from '../kernel/layout.ts'
import { nfcOf } from '../kernel/nfc.ts'
import { compareSymbols, type SymbolComparison } from '../kernel/symbol-compare.ts'
import { readSymbols } from '../kernel/symbol-state.ts'
import { compareWarnings, readWarnings } from '../kernel/warnings.ts'
import { LabError } from '../lib/errors.ts'
import { compareLayouts } from '../result/layout-compare.ts'
import type { PatchProof } from '../result/proof-record.ts'
import type { Patch } from '../series/series.ts'

/** What the kernels before and after a patch differ in, without booting either. */
export type Delta = Pick<PatchProof, 'newWarnings' | 'goneWarnings' | 'bytes' | 'objects' | 'nfc' | 'layout'>

/** @throws LabError when a kernel in the cache lacks what was kept beside it. */
export function deltaOf(patch: Patch, before: Kernel, after: Kernel): Delta {
  const { added, removed } = compareWarnings(
    kept(before, 'warnings', readWarnings),
    kept(after, 'warnings', readWarnings),
  )
  const symbols = compareSymbols(kept(before, 'symbols', readSymbols), kept(after, 'symbols', readSymbols))
  const [was, is] = [before.record.bytes, after.record.bytes]
  return {
    newWarnings: added,
    goneWarnings: removed,
    bytes: { text: is.text - was.text, data: is.data - was.data, bss: is.bss - was.bss },
    objects: objectsIn(symbols),
    nfc: nfcOf(messageOf(patch), symbols),
    layout: layoutLines(before, after),
  }
}

function kept<T>(kernel: Kernel, what: string, read: (kernel: Kernel) => T | undefined): T {
  const found = read(kernel)
  if (found !== undefined) return found
  throw new LabError({
    what: `the kernel ${kernel.key} has no list of its ${what}`,
    why: 'the file is gone, or damaged',
    fix: `remove ${kernel.dir}: it is built again`,
  })
}

function objectsIn({ added, removed, changed }: SymbolComparison): number {
  return new Set([...added, ...removed, ...changed].map(({ object }) => object)).size
}

/** Subject and changelog, without what follows them. */
function messageOf(patch: Patch): string {
  const body = patch.text.slice(patch.text.indexOf('\n\n') + 2)
  const end = body.search(/^---$|^diff --git /m)
  return `${patch.subject}\n\n${end < 0 ? body : body.slice(0, end)}`
}

/** "struct bio: 104 bytes (-8)", "struct x: new"; of the structures that kernels are asked for. */
function layoutLines(before: Kernel, after: Kernel): string[] {
  const { added, removed, changed } = compareLayouts(readLayout(before), readLayout(after))
  const signed = (value: number): string => (value > 0 ? `+${value}` : String(value))
  return [
    ...changed.map(({ name, bytes, bytesDelta }) =>
      bytesDelta === 0
        ? `${name}: ${bytes} bytes as before, other members`
        : `${name}: ${bytes} bytes (${signed(bytesDelta)})`,
    ),
    ...added.map((name) => `${name}: new`),
    ...removed.map((name) => `${name}: gone`),
  ]
}
