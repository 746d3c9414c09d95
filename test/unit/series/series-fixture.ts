// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import type { Base } from '../../../tools/base/base.ts'
import { git } from '../../../tools/base/repo.ts'
import { editTree } from '../../../tools/series/edit.ts'
import { applySeries } from '../../../tools/series/apply.ts'
import { readSeries } from '../../../tools/series/read.ts'
import { refreshSeries } from '../../../tools/series/refresh.ts'
import type { Series } from '../../../tools/series/series.ts'
import { baseOf, gitIn, LINES, makeCheckout, writeFiles } from '../base/repo-fixture.ts'

export const META = {
  name: 'phyr',
  version: 1,
  changeId: '20260101-phyr-0123456789ab',
  base: { provider: 'debian', package: 'linux-source-7.3', version: '7.3.4' },
}

/** LINES with one line replaced. */
export function edited(line: number, text: string, from = LINES): string {
  return from
    .split('\n')
    .map((old, i) => (i + 1 === line ? text : old))
    .join('\n')
}

/** An empty series directory. */
export function emptySeries(dir: string): Series {
  writeFiles(dir, { series: '', 'series.json': `${JSON.stringify(META)}\n` })
  return readSeries(dir)
}

/**
 * A base and a series of three patches on it, written by phyr's own edit and refresh: two to mm/gup.c that build on
 * each other, one with a new file and an author whose name is not ASCII.
 */
export async function makeSeries(dir: string): Promise<{ base: Base; series: Series; patches: string }> {
  const checkout = await makeCheckout(join(dir, 'linux'))
  const base = await baseOf(checkout)
  const patches = join(dir, 'patches')
  const series = emptySeries(patches)
  const tree = await editTree(await applySeries(base, series), join(dir, 'first-edit'))
  await commitFile(tree, 'mm/gup.c', edited(3, 'line three'), 'mm: spell out three')
  await commitFile(tree, 'mm/gup.c', edited(4, 'line four', edited(3, 'line three')), 'mm: spell out four')
  writeFiles(tree, { 'lib/phyr.c': 'int phyr;\n' })
  await gitIn(tree, 'add', '-A')
  await gitIn(
    tree,
    'commit',
    '-q',
    '--author=Jörg Ä <j@example.com>',
    '-m',
    'lib: für phyr\n\nWhy.\n\nLink: x',
  )
  await refreshSeries(tree, series)
  return { base, series: readSeries(patches), patches }
}

export async function commitFile(tree: string, path: string, text: string, subject: string): Promise<void> {
  writeFiles(tree, { [path]: text })
  await gitIn(tree, 'add', '-A')
  await gitIn(tree, 'commit', '-q', '-m', subject)
}

/** A file of a commit. */
export async function show(repo: string, commit: string, path: string): Promise<string> {
  return (await git(repo, ['cat-file', 'blob', `${commit}:${path}`])).stdout
}
