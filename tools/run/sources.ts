// SPDX-License-Identifier: GPL-2.0-only
import type { Base } from '../base/base.ts'
import { provideBase } from '../base/provide.ts'
import { log } from '../lib/log.ts'
import type { Project } from '../lib/project.ts'
import { applySeries } from '../series/apply.ts'
import { readSeries } from '../series/read.ts'
import type { Applied, Series } from '../series/series.ts'

/** Which base, and which part of the series. */
export interface SourceChoice {
  readonly linux?: string | undefined
  readonly baseVersion?: string | undefined
  /** Number of patches from the front; undefined: all. */
  readonly upTo?: number | undefined
  /** Names of patch files to leave out. */
  readonly without?: readonly string[] | undefined
}

/** Reads the series and gets its base. */
export async function getBase(
  project: Project,
  choice: SourceChoice,
  signal: AbortSignal,
): Promise<{ base: Base; series: Series }> {
  const series = readSeries(project.patches)
  const base = await provideBase({ linux: choice.linux, version: choice.baseVersion }, series, { signal })
  const from = base.identity.package
    ? `${base.identity.package.name} ${base.identity.package.version}`
    : base.identity.provider
  log.info(`base    Linux ${base.identity.version} (${from})${base.cached ? '  cached' : ''}`)
  return { base, series }
}

/** Reads the series, gets its base and makes one commit a patch. */
export async function getApplied(
  project: Project,
  choice: SourceChoice,
  signal: AbortSignal,
): Promise<Applied> {
  const { base, series } = await getBase(project, choice, signal)
  return applyTo(base, series, choice, signal)
}

/** Makes one commit a patch on a base that is there. */
export async function applyTo(
  base: Base,
  series: Series,
  choice: SourceChoice,
  signal: AbortSignal,
): Promise<Applied> {
  const applied = await applySeries(base, series, {
    ...(choice.upTo === undefined ? {} : { upTo: choice.upTo }),
    ...(choice.without === undefined ? {} : { without: choice.without }),
    signal,
  })
  const some = applied.commits.length === series.patches.length ? '' : ` of ${series.patches.length}`
  log.info(`apply   ${applied.commits.length}${some} patches${applied.cached ? '  cached' : ''}`)
  return applied
}
