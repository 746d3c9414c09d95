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
 * Makes `dir` a project whose series is this one with a bug at its end, or several in different files, each a patch of
 * its own, for `phyr -C dir`.
 *
 * @throws Error when the lines are not in the tree exactly once.
 */
export async function plantedSeries(dir: string, ...plants: readonly Plant[]): Promise<void> {
  const series = readSeries(join(toolRoot, 'patches'))
  const tree = await labTree()
  const patches = join(dir, 'patches')
  mkdirSync(patches, { recursive: true })
  for (const patch of series.patches) writeFileSync(join(patches, patch.file), patch.text)
  const planted = plants.map(({ file, from, to }, i) => {
    const name = `900${i}-planted.patch`
    writeFileSync(join(patches, name), patchOf(file, readFileSync(join(tree, file), 'utf8'), from, to))
    return name
  })
  writeFileSync(
    join(patches, 'series'),
    [...series.patches.map((patch) => patch.file), ...planted].map((file) => `${file}\n`).join(''),
  )
  // Under a name of its own: its record lies in the same history as those of the series.
  const meta = JSON.parse(readFileSync(join(toolRoot, 'patches/series.json'), 'utf8')) as object
  writeFileSync(join(patches, 'series.json'), JSON.stringify({ ...meta, name: 'planted' }))
}
