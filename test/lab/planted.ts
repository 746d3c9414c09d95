// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toolRoot } from '../../tools/lib/paths.ts'
import { readSeries } from '../../tools/series/read.ts'
import { labTree } from './lab.ts'
import { patchOf } from './patch.ts'

/** Lines of a file of the patched tree, and what a bug makes of them. */
export interface Plant {
  readonly file: string
  readonly from: string
  readonly to: string
}

/**
 * Makes `dir` a project whose series is this one with a bug at its end, for `phyr -C dir`.
 *
 * @throws Error when the lines are not in the tree exactly once.
 */
export async function plantedSeries(dir: string, plant: Plant): Promise<void> {
  const series = readSeries(join(toolRoot, 'patches'))
  const source = readFileSync(join(await labTree(), plant.file), 'utf8')
  const planted = '9999-planted.patch'
  const patches = join(dir, 'patches')
  mkdirSync(patches)
  for (const patch of series.patches) writeFileSync(join(patches, patch.file), patch.text)
  writeFileSync(join(patches, planted), patchOf(plant.file, source, plant.from, plant.to))
  writeFileSync(
    join(patches, 'series'),
    [...series.patches.map((patch) => patch.file), planted].map((file) => `${file}\n`).join(''),
  )
  // Under a name of its own: its record lies in the same history as those of the series.
  const meta = JSON.parse(readFileSync(join(toolRoot, 'patches/series.json'), 'utf8')) as object
  writeFileSync(join(patches, 'series.json'), JSON.stringify({ ...meta, name: 'planted' }))
}
