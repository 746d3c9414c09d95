// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseDataFile } from '../lib/data-file.ts'
import { UsageError } from '../lib/errors.ts'
import { toolRoot } from '../lib/paths.ts'
import type { BenchCase, BenchOutput, Figures, FunctionCost, GateVerdict } from './bench-record.ts'
import { changeOf } from './figures.ts'
import { outcomeOf } from './record.ts'
import type { Outcome } from './result.ts'

/** series / base that is allowed: at least 1 (below it a series that changes nothing would fail), at most twice. */
const limit = z.number().min(1).max(2)
const pattern = z.string().regex(/^[a-z0-9*][a-z0-9._/+*-]*$/, "a case's name; * is anything but a slash")

const schema = z.strictObject({
  default: z.strictObject({ deterministic: limit, 'wall-clock': limit }),
  cases: z.array(
    z
      .strictObject({
        case: pattern,
        deterministic: limit.optional(),
        'wall-clock': limit.optional(),
        /** For people: what allows this case more than others. */
        why: z.string().min(1).optional(),
      })
      .refine((own) => own.deterministic !== undefined || own['wall-clock'] !== undefined, {
        message: 'neither deterministic nor wall-clock is given',
      }),
  ),
})

/** Limits of `phyr bench --gate`: ci/bench-limits.yaml. */
export type Limits = z.infer<typeof schema>

/**
 * Reads a file of limits; left out: the project's own, ci/bench-limits.yaml.
 *
 * @throws UsageError for a file that is not there or not one, with each problem's line and column.
 */
export function loadLimits(path: string = join(toolRoot, 'ci/bench-limits.yaml')): Limits {
  if (!existsSync(path)) throw new UsageError(`no limits at ${path}`, 'name a file like ci/bench-limits.yaml')
  return parseDataFile(readFileSync(path, 'utf8'), path, schema)
}

/**
 * Judges every figure of a record, and in mode both every case by the clock as well (its `why` has the unit).
 *
 * Fails only what is known to cost more (changeOf) and costs more than its limit. What cannot be resolved is a skip,
 * and so is a limit whose case the record has not.
 */
export function judgeGate(output: BenchOutput, limits: Limits): GateVerdict[] {
  const verdicts = output.cases.flatMap((one) => [
    judge(
      output,
      one,
      one,
      limitOf(limits, one.name, output.mode === 'wall-clock' ? 'wall-clock' : 'deterministic'),
    ),
    ...(one.wall ? [judge(output, one, one.wall, limitOf(limits, one.name, 'wall-clock'))] : []),
  ])
  const absent = limits.cases.filter((own) => !output.cases.some((one) => matches(own.case, one.name)))
  return [
    ...verdicts,
    ...absent.map((own): GateVerdict => ({
      case: own.case,
      limit: own.deterministic ?? own['wall-clock'] ?? limits.default.deterministic,
      ratio: null,
      outcome: 'skip',
      why: 'there is a limit for it, and no such case in this record',
    })),
  ]
}

/**
 * What a record comes to that was held against limits; undefined of another one. One failure fails, and so does a
 * missed target; nothing that passed is a skip.
 */
export function benchOutcome({ gate, targets }: Pick<BenchOutput, 'gate' | 'targets'>): Outcome | undefined {
  if (gate === undefined) return undefined
  return targets?.some((target) => target.outcome === 'missed') ? 'fail' : outcomeOf(gate)
}

function judge(output: BenchOutput, one: BenchCase, figures: Figures, most: number): GateVerdict {
  const verdict = { case: one.name, limit: most, ratio: figures.ratio }
  const change = changeOf(figures)
  if (change === 'unresolved' || figures.ratio === null) {
    return {
      ...verdict,
      outcome: 'skip',
      why: `${figures.unit}: not resolvable: ${figures.why ?? 'not measured'}`,
    }
  }
  const said = `${figures.unit}: ${inWords(change, figures.ratio)}; allowed ${signed(most - 1)}`
  if (change !== 'more' || figures.ratio <= most) return { ...verdict, outcome: 'pass', why: said }
  const patch = costliest(output, one, figures)
  const grown = mostGrown(one.functions ?? []) ?? mostGrown(patch?.functions ?? [])
  return {
    ...verdict,
    outcome: 'fail',
    why: said,
    ...(patch === undefined ? {} : { patch: patch.file }),
    ...(grown === undefined ? {} : { function: grown }),
  }
}

function inWords(change: 'less' | 'more' | 'same', ratio: number): string {
  return change === 'same' ? `no change (${signed(ratio - 1)})` : signed(ratio - 1)
}

/** +0.63 %: as many decimals as a limit may need. */
function signed(share: number): string {
  const text = (share * 100).toFixed(2)
  return `${share < 0 || text.startsWith('-') ? '' : '+'}${text} %`
}

/** The patch that costs most, where a walk of this very figure was made. */
function costliest(output: BenchOutput, one: BenchCase, figures: Figures) {
  if (output.walk?.case !== one.name || output.walk.unit !== figures.unit) return undefined
  return output.walk.costly.filter((c) => c.ratio > 1).toSorted((x, y) => y.ratio - x.ratio)[0]
}

function mostGrown(functions: readonly FunctionCost[]): string | undefined {
  const grown = functions.filter((f) => f.series > f.base)
  return grown.toSorted((x, y) => y.series - y.base - (x.series - x.base))[0]?.name
}

function limitOf(limits: Limits, name: string, mode: 'deterministic' | 'wall-clock'): number {
  const own = limits.cases.findLast((one) => one[mode] !== undefined && matches(one.case, name))
  return own?.[mode] ?? limits.default[mode]
}

/** A name is at most a few dozen characters, and a star's expansion ends at a slash: no pattern takes long. */
function matches(glob: string, name: string): boolean {
  const source = glob.split('*').map((part) => part.replaceAll(/[.+]/g, String.raw`\$&`))
  return new RegExp(`^${source.join('[^/]*')}$`).test(name)
}
