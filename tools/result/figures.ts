// SPDX-License-Identifier: GPL-2.0-only
import type { Figures } from './bench-record.ts'
import { plural } from './format.ts'
import { FEWEST, halfWidth, median, ratioInterval, smallestVisible, spread } from './statistics.ts'

/** Samples of the cost of one operation at two points, in the order they were measured. */
export interface Samples {
  /** 'instructions/IO', 'ns/IO', ... */
  readonly unit: string
  readonly base: readonly number[]
  readonly series: readonly number[]
}

/**
 * How far the repeats of one image may differ in deterministic mode before the case says nothing, and the smallest
 * change of a figure that is one though every repeat agrees to the instruction: 0.1 %.
 *
 * Repeats show what changes from boot to boot. What comes with an image they cannot show: another link order moves
 * functions and data, and with them alignment, hash chains, what shares a page, and every random number. A loop
 * device's requests cost 11502 instructions in all five boots of one image and 11507 in most of another's, by where
 * the search for a free tag had begun. It does not cover an image whose pages come to lie otherwise (the same kernel
 * booted another way: null_blk -0.3 %, pinning -2.6 %), so that the way of booting must be the same for both points.
 */
const AGREEMENT = 0.001

/** How far the times of one image may go apart before they say nothing. */
const NOISY = 0.25

/** Widest range about 1 of which one says 'no change' of a time: 3 % either way. */
const NO_CHANGE = 0.03

/**
 * What instruction counts come to.
 *
 * The two medians are compared. `low` and `high` are the most extreme ratios of any two samples, and never nearer to
 * the ratio than AGREEMENT; `smallest` is the larger spread of the two points, and no less than AGREEMENT. Not
 * resolvable when the repeats of either image differ by more than AGREEMENT, or when there is one only: nothing
 * then shows that they agree.
 */
export function deterministicFigures(samples: Samples): Figures {
  const start = measured(samples)
  if (start.base === null || start.series === null) return start
  const { base, series } = start.samples
  const ratio = start.series / start.base
  const why = disagreement(start)
  return {
    ...start,
    ratio,
    low: Math.min(Math.min(...series) / Math.max(...base), ratio / (1 + AGREEMENT)),
    high: Math.max(Math.max(...series) / Math.min(...base), ratio * (1 + AGREEMENT)),
    resolvable: why === undefined,
    smallest:
      start.repeats < 2 ? null : Math.max(start.spread.base ?? 0, start.spread.series ?? 0, AGREEMENT),
    ...(why === undefined ? {} : { why }),
  }
}

function disagreement(figures: Figures): string | undefined {
  if (figures.repeats < 2) return 'measured once: nothing shows that a repeat agrees'
  const { base, series } = figures.spread
  const worst = Math.max(base ?? 0, series ?? 0)
  if (worst <= AGREEMENT) return undefined
  const where = worst === base ? 'base' : 'series'
  return `the same image (${where}) measured twice differs by ${percent(worst)}, more than ${percent(AGREEMENT)}`
}

/**
 * What times come to: medians, and a 95 % interval of their ratio by bootstrap over rounds (statistics.ts).
 *
 * Sample i of the two points must come from the same round of A B B A; of a round that is not whole pass neither.
 * Repeats of one image that differ by more than a quarter say nothing, wherever the interval lies: with few of them
 * and many cases some interval would leave out 1 by chance. Resolvable is an interval that excludes 1 (a change) and one that lies within 3 % of 1 (no change that matters
 * here). Everything else says neither.
 *
 * @param samples.distrust why the times are not to be trusted whatever they say: a busy host.
 */
export function wallFigures(samples: Samples & { readonly distrust?: string | undefined }): Figures {
  const start = measured(samples)
  if (start.base === null || start.series === null) return start
  const interval = ratioInterval(start.samples.base, start.samples.series)
  const smallest = start.repeats < 2 ? null : smallestVisible(interval)
  const changed = interval.low > 1 || interval.high < 1
  const same = interval.low >= 1 / (1 + NO_CHANGE) && interval.high <= 1 + NO_CHANGE
  const why =
    start.repeats < FEWEST
      ? `${plural(start.repeats, 'repeat')}: a 95 % interval needs ${FEWEST}`
      : (samples.distrust ??
        tooNoisy(start) ??
        (changed || same
          ? undefined
          : `\u00b1${percent(Math.expm1(halfWidth(interval)))}, smallest visible change ${percent(smallest ?? 0)}`))
  return {
    ...start,
    ratio: start.series / start.base,
    ...interval,
    resolvable: why === undefined,
    smallest,
    ...(why === undefined ? {} : { why }),
  }
}

function tooNoisy(figures: Figures): string | undefined {
  const worst = Math.max(figures.spread.base ?? 0, figures.spread.series ?? 0)
  return worst > NOISY ? `repeats of the same image differ by ${percent(worst)}` : undefined
}

/** Whether the series costs less or more than the base, as far as the figures can say. */
export function changeOf(
  figures: Pick<Figures, 'resolvable' | 'low' | 'high'>,
): 'less' | 'more' | 'same' | 'unresolved' {
  if (!figures.resolvable || figures.low === null || figures.high === null) return 'unresolved'
  if (figures.low > 1) return 'more'
  return figures.high < 1 ? 'less' : 'same'
}

/** A share in per cent with two digits that matter: 0.34 %, 7.1 %, 12 %. */
function percent(share: number): string {
  const value = share * 100
  return `${value < 0.995 ? Number(value.toPrecision(2)) : value.toFixed(value < 9.95 ? 1 : 0)} %`
}

/** The samples with their medians and spreads, or, with a reason, without: then there is no ratio. */
function measured({ unit, base, series }: Samples): Figures {
  const good = { base: base.filter(isCost), series: series.filter(isCost) }
  const why = [...missing('base', base), ...missing('series', series)].join('; ')
  const is = why === ''
  return {
    unit,
    base: is ? median(good.base) : null,
    series: is ? median(good.series) : null,
    ratio: null,
    low: null,
    high: null,
    resolvable: false,
    repeats: Math.min(good.base.length, good.series.length),
    samples: good,
    spread: { base: is ? spread(good.base) : null, series: is ? spread(good.series) : null },
    smallest: null,
    ...(is ? {} : { why }),
  }
}

/** What is wrong with a point's samples. Nothing that is measured costs nothing: a 0 is a clock or a counter that failed. */
function missing(point: 'base' | 'series', samples: readonly number[]): string[] {
  if (samples.length === 0) return [`${point} was not measured`]
  const wrong = samples.findIndex((sample) => !isCost(sample) || sample === 0)
  return wrong < 0 ? [] : [`sample ${wrong + 1} of ${point} is no cost: ${samples[wrong]}`]
}

function isCost(sample: number): boolean {
  return Number.isFinite(sample) && sample >= 0
}
