// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseDataFile } from '../lib/data-file.ts'
import type { BenchCase, BenchOutput, TargetVerdict } from './bench-record.ts'
import { changeOf } from './figures.ts'

/** Fewest repeats of each point whose extremes say something. */
const FEWEST = 2

const target = z
  .strictObject({
    /** What the figure is of, for people. */
    what: z.string().min(1),
    case: z.string().regex(/^[a-z0-9][a-z0-9._/+-]*$/, 'the whole name of a case'),
    /** What the case counts ("entries"); left out: instructions of its operation. */
    count: z
      .string()
      .regex(/^[a-z][a-z0-9-]*$/, 'a name as in "phyr: count CASE NAME VALUE"')
      .optional(),
    /** Of a count: the most that it may be at the series point. */
    atMost: z.int().min(0).optional(),
    /** Of instructions: series / base at most. */
    ratio: z.number().min(0).max(2).optional(),
    /** Of instructions: base / series at least; 1 is any number fewer. */
    fewer: z.number().min(1).max(1e9).optional(),
  })
  .superRefine((value, context) => {
    const bounds = [value.ratio, value.fewer].filter((bound) => bound !== undefined)
    const fine =
      value.count === undefined
        ? bounds.length === 1 && value.atMost === undefined
        : bounds.length === 0 && value.atMost !== undefined
    if (!fine) {
      const message = 'a count has atMost, instructions have one of ratio and fewer'
      context.addIssue({ code: 'custom', path: ['case'], message })
    }
  })
type Target = z.output<typeof target>

const fileShape = z.strictObject({
  /** Heading of the table. */
  title: z.string().min(1),
  targets: z.array(target).min(1),
})

/** What a series promises of some cases: a file of qemu/bench/targets. */
export interface TargetTable extends Readonly<z.output<typeof fileShape>> {
  /** The file's name without its ending: `phyr bench NAME` measures all of its cases. */
  readonly name: string
  readonly file: string
}

/**
 * Reads every table of targets of a directory, which need not exist.
 *
 * @throws UsageError for faults in a file, as file:line:col.
 */
export function loadTargets(dir: string): TargetTable[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir)
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .map((name) => {
      const file = join(dir, name)
      return {
        ...parseDataFile(readFileSync(file, 'utf8'), file, fileShape),
        name: name.slice(0, -'.yaml'.length),
        file,
      }
    })
}

/**
 * Holds a record against the targets of the cases that it has. They are of the whole series against its base: of
 * another pair of points, and of times, nothing is said.
 */
export function judgeTargets(output: BenchOutput, tables: readonly TargetTable[]): TargetVerdict[] {
  const { base, series } = output.points
  const whole = base.patches === 0 && series.patches === output.seriesOf.patches && series.patches > 0
  if (!whole || output.mode === 'wall-clock') return []
  return tables.flatMap(({ title, targets }) =>
    targets.flatMap((one) => {
      const figures = output.cases.find((c) => c.name === one.case)
      if (!figures) return []
      const verdict = one.count === undefined ? judgeCost(figures, one) : judgeCount(figures, one, one.count)
      return [{ table: title, what: one.what, case: one.case, ...verdict }]
    }),
  )
}

type Verdict = Omit<TargetVerdict, 'table' | 'what' | 'case'>

function judgeCount({ counts, why }: BenchCase, { atMost = 0 }: Target, name: string): Verdict {
  const { base, series } = counts?.[name] ?? { base: null, series: null }
  const common = { figure: name, base, series, bound: { atMost } }
  const ratio = base === null || series === null || base === 0 ? null : series / base
  if (series === null)
    return {
      ...common,
      ratio,
      outcome: 'open',
      why: why ?? `the case counted no ${name} at the series point`,
    }
  return { ...common, ratio, outcome: series <= atMost ? 'met' : 'missed' }
}

/**
 * Figures that are resolvable are judged by their ratio. Others by the most extreme pairs of repeats, and these have to
 * be as far behind the bound as the repeats of one image are apart: a thousand times fewer is that even if those differ
 * by a per cent, but two repeats are both above two others once in six times if nothing has changed at all.
 */
function judgeCost(figures: BenchCase, { ratio: most, fewer = 1 }: Target): Verdict {
  const { base, series, ratio, low, high, repeats, smallest } = figures
  const bound = most === undefined ? { fewer } : { ratio: most }
  const common = { figure: figures.unit, base, series, ratio: figures.resolvable ? ratio : null, bound }
  const below = (value: number): boolean =>
    most === undefined ? (fewer === 1 ? value < 1 : value * fewer <= 1) : value <= most
  if (figures.resolvable && ratio !== null) {
    const change = changeOf(figures)
    const met = change === 'same' ? most !== undefined && most >= 1 : below(ratio)
    return { ...common, outcome: met ? 'met' : 'missed' }
  }
  const why = figures.why ?? 'not measured'
  if (low === null || high === null || smallest === null || repeats < FEWEST)
    return { ...common, outcome: 'open', why }
  if (below(high * (1 + smallest))) return { ...common, outcome: 'met', why: `${why}; all repeats meet it` }
  if (!below(low / (1 + smallest)))
    return { ...common, outcome: 'missed', why: `${why}; all repeats miss it` }
  return { ...common, outcome: 'open', why }
}
