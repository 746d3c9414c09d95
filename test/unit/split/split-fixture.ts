// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import type { Base } from '../../../tools/base/base.ts'
import { applySeries } from '../../../tools/series/apply.ts'
import { editTree } from '../../../tools/series/edit.ts'
import { readSeries } from '../../../tools/series/read.ts'
import { refreshSeries } from '../../../tools/series/refresh.ts'
import type { Applied } from '../../../tools/series/series.ts'
import { baseOf, gitIn, makeCheckout, writeFiles } from '../base/repo-fixture.ts'
import { emptySeries } from '../series/series-fixture.ts'

/** One patch: its subject and the files as they are after it. */
export interface Step {
  readonly subject: string
  readonly body?: string
  readonly files: Readonly<Record<string, string>>
}

/** A base with these files, and a series of these patches on it, in `dir`/linux and `dir`/patches. */
export async function seriesOf(
  dir: string,
  files: Readonly<Record<string, string>>,
  steps: readonly Step[],
): Promise<{ base: Base; applied: Applied; patches: string }> {
  const base = await baseOf(await makeCheckout(join(dir, 'linux'), files))
  const patches = join(dir, 'patches')
  const empty = emptySeries(patches)
  const tree = await editTree(await applySeries(base, empty), join(dir, 'edit'))
  for (const { subject, body, files: changed } of steps) {
    writeFiles(tree, changed)
    await gitIn(tree, 'add', '-A')
    await gitIn(tree, 'commit', '-q', '-m', body === undefined ? subject : `${subject}\n\n${body}`)
  }
  await refreshSeries(tree, empty)
  return { base, applied: await applySeries(base, readSeries(patches)), patches }
}

/** Numbered lines, some of them replaced. */
export function lines(count: number, changes: Readonly<Record<number, string>> = {}): string {
  return Array.from({ length: count }, (_, i) => `${changes[i + 1] ?? `line ${i + 1}`}\n`).join('')
}
