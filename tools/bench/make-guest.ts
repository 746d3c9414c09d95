// SPDX-License-Identifier: GPL-2.0-only
import { buildInitramfs } from '../guest/initramfs.ts'
import { probeQemu } from '../machine/qemu-probe.ts'
import type { Case } from './case.ts'
import type { Guest } from './guest.ts'
import type { Point } from './points.ts'

/** The guest of a comparison: init is built from the first point's tree, and serves every point. */
export async function makeGuest(
  point: Pick<Point, 'treeDir' | 'treeId'>,
  cases: readonly Case[],
  signal: AbortSignal,
): Promise<Guest> {
  const qemu = await probeQemu({ signal })
  const initramfs = await buildInitramfs({
    arch: 'x86_64',
    treeDir: point.treeDir,
    treeId: point.treeId,
    programs: unique(cases.flatMap((one) => one.programs)),
    tools: unique(['mark', ...cases.flatMap((one) => one.tools)]),
    signal,
  })
  return { initramfs, qemu: { ...qemu.binary, version: qemu.version } }
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted()
}
