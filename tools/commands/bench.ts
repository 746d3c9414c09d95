// SPDX-License-Identifier: GPL-2.0-only
import { compare, countingOf, openBench, pointAt, type BenchChoice } from '../bench/execute.ts'
import { loadCases, loadCaseTargets, selectCases } from '../bench/case.ts'
import { writeFolded } from '../bench/profile.ts'
import { pointOf } from '../bench/points.ts'
import { selfTest, type SelfTestCase } from '../bench/self-test.ts'
import { judged } from '../bench/judged.ts'
import { walkSeries } from '../bench/walk.ts'
import { EXIT, UsageError } from '../lib/errors.ts'
import { log } from '../lib/log.ts'
import { findProject } from '../lib/project.ts'
import { saveBench } from '../result/bench-store.ts'
import { benchTable } from '../result/bench-table.ts'
import { benchOutcome } from '../result/gate.ts'
import { SCHEMA } from '../result/result.ts'
import { wantsColour } from '../result/table.ts'
import { defineVerb } from './define.ts'
import { guestOptions, kernelOptions, sourceOptions } from './options.ts'

/** The case that the self-test plants its cost in, when none is named. */
const SELF_TEST_CASE = 'nullblk/randread-4k-psync'

export default defineVerb({
  positionals: {
    case: {
      type: 'string',
      array: true,
      describe: 'cases, places (nvme), tables of targets (gup) or patterns (*-psync); default: all',
    },
  },
  options: {
    linux: sourceOptions.linux,
    base: sourceOptions.base,
    config: kernelOptions.config,
    jobs: kernelOptions.jobs,
    ...guestOptions,
    mode: {
      choices: ['deterministic', 'wall-clock', 'both'],
      default: 'both',
      describe: 'count instructions, measure time, or both',
    },
    repeats: { type: 'number', default: 5, describe: 'boots of each kernel and mode' },
    from: {
      type: 'string',
      default: 'base',
      describe: 'what is compared with: base, N patches, a patch file',
    },
    to: { type: 'string', default: 'series', describe: 'what is compared: series, N patches, a patch file' },
    'per-patch': { type: 'string', describe: 'walk the series and count this case at every patch' },
    gate: {
      type: 'boolean',
      default: false,
      describe: 'exit 1 on a regression above ci/bench-limits.yaml and on a missed target',
    },
    limits: { type: 'string', describe: 'limits for --gate in another file' },
    folded: {
      type: 'string',
      describe: 'write call paths of every case into this directory, for flame graphs',
    },
    'self-test': {
      type: 'boolean',
      default: false,
      describe: 'find a planted cost of 1 %, and none where none is',
    },
    list: { type: 'boolean', default: false, describe: 'list the cases and end' },
  },
  examples: [
    ['phyr bench', 'base against series, every case'],
    ['phyr bench nvme gup --mode deterministic', 'instructions only, of two groups'],
    ['phyr bench --per-patch nvme/randread-4k-psync', 'which patch costs'],
    ['phyr bench --from 3 --to 5 nullblk', 'any two points of the series'],
  ],
  async run(args, signal) {
    const project = findProject(args.C)
    const choice = choiceOf(args)
    if (args.list) return list(project.bench, choice.cases, args.json)
    if (args['self-test']) return selfTested(args, choice)
    const bench = await openBench(project, choice, signal)
    const walked = args['per-patch']
    const walk =
      walked === undefined
        ? undefined
        : await walkSeries(bench, oneCase(project.bench, walked), [
            pointOf(bench.series, choice.from),
            pointOf(bench.series, choice.to),
          ])
    const compared = await compare(
      walked === undefined ? bench : { ...bench, cases: [oneCase(project.bench, walked)] },
    )
    const output = { ...compared, ...(walk ? { walk } : {}) }
    const whole = args.gate ? await judged(bench, output, args.limits) : output
    if (args.folded !== undefined) {
      const points = [
        await pointAt(bench, pointOf(bench.series, choice.from)),
        await pointAt(bench, pointOf(bench.series, choice.to)),
      ] as const
      const files = await writeFolded(points, await countingOf(bench, points[0]), args.folded)
      log.info(`folded  ${files.length} files in ${args.folded}`)
    }
    saveBench(whole)
    if (args.json) process.stdout.write(`${JSON.stringify(whole)}\n`)
    else process.stdout.write(`\n${benchTable(whole, { colour: wantsColour(process.stdout) })}\n`)
    return EXIT[benchOutcome(whole) ?? 'pass']

    async function selfTested({ json }: { readonly json: boolean }, plain: BenchChoice): Promise<number> {
      const cases = plain.cases.length > 0 ? plain.cases : [SELF_TEST_CASE]
      const results = await selfTest(await openBench(project, { ...plain, cases }, signal))
      const outcome = results.every((result) => result.faults.length === 0) ? 'pass' : 'fail'
      if (json) process.stdout.write(`${JSON.stringify({ schema: SCHEMA, outcome, cases: results })}\n`)
      else process.stdout.write(`\n${results.map(selfTestText).join('\n')}\n`)
      return EXIT[outcome]
    }
  },
})

function choiceOf(args: {
  readonly case?: readonly string[] | undefined
  readonly linux?: string | undefined
  readonly base?: string | undefined
  readonly mode: BenchChoice['mode']
  readonly repeats: number
  readonly from: string
  readonly to: string
  readonly config?: string | undefined
  readonly jobs?: number | undefined
  readonly accel?: 'kvm' | 'tcg' | undefined
}): BenchChoice {
  if (!Number.isInteger(args.repeats) || args.repeats < 2 || args.repeats > 100) {
    throw new UsageError(
      `--repeats takes a whole number from 2 to 100, not ${args.repeats}`,
      'a figure that was measured once says nothing about its spread',
    )
  }
  return {
    cases: args.case ?? [],
    mode: args.mode,
    repeats: args.repeats,
    from: args.from,
    to: args.to,
    linux: args.linux,
    baseVersion: args.base,
    config: args.config,
    jobs: args.jobs,
    accel: args.accel,
  }
}

function oneCase(dir: string, name: string): ReturnType<typeof loadCases>[number] {
  const [one, ...more] = selectCases(loadCases(dir), [name])
  if (one && more.length === 0) return one
  throw new UsageError(
    `--per-patch walks one case, and ${name} names ${more.length + 1}`,
    'give a whole name',
  )
}

function list(dir: string, names: readonly string[], json: boolean): number {
  const all = loadCases(dir)
  const cases = selectCases(all, names, loadCaseTargets(dir, all))
  const lines = cases.map((one) => `${one.name.padEnd(36)} ${one.what}`)
  const rows = cases.map(({ name, what, operation }) => ({ name, what, operation }))
  process.stdout.write(
    json ? `${JSON.stringify({ schema: SCHEMA, cases: rows })}\n` : `${lines.join('\n')}\n`,
  )
  return EXIT.pass
}

function selfTestText(result: SelfTestCase): string {
  const ratio = (value: number | null): string => value?.toFixed(4) ?? 'none'
  const lines = [
    `self-test of ${result.name}`,
    `  a patch that only moves code: ${ratio(result.idle.ratio)}`,
    `  ${result.planted} instructions planted: ${ratio(result.costly.ratio)}, put down to ${result.named ?? 'nothing'}`,
    ...result.faults.map((fault) => `  FAULT: ${fault}`),
    result.faults.length === 0
      ? '  found what is there, and nothing where nothing is'
      : '  these figures are not to be trusted',
  ]
  return lines.join('\n')
}
