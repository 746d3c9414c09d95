// SPDX-License-Identifier: GPL-2.0-only
import { EXIT, UsageError } from '../lib/errors.ts'
import { findProject } from '../lib/project.ts'
import { changedSince } from '../prove/changed.ts'
import { prove } from '../prove/prove.ts'
import { proofTable } from '../result/proof-table.ts'
import { wantsColour } from '../result/table.ts'
import { selectPatches } from '../series/select.ts'
import { kernelChoiceOf } from './choice.ts'
import { defineVerb } from './define.ts'
import { guestOptions, kernelOptions, sourceOptions } from './options.ts'

export default defineVerb({
  positionals: {
    patch: {
      type: 'string',
      array: true,
      describe: 'numbers, ranges (3-5), "last" or files of patches; default: all of them',
    },
  },
  options: {
    linux: sourceOptions.linux,
    base: sourceOptions.base,
    ...kernelOptions,
    ...guestOptions,
    machine: {
      type: 'string',
      array: true,
      alias: 'm',
      describe: 'default: what a suite names, or the plainest',
    },
    suite: { type: 'string', array: true, alias: 's', describe: 'default: kunit, kselftest, p2p' },
    objects: {
      type: 'string',
      array: true,
      describe: 'compile touched files with W=1 for x86_64, i386, arm64, s390, or none; default: all',
    },
    group: {
      type: 'string',
      describe: 'only this group of patches/groups.yaml, on the base and the groups it stands on',
    },
    shard: { type: 'string', describe: 'I/N: the I-th of N parts of these patches, for several machines' },
    changed: {
      type: 'string',
      describe: 'only patches that differ from those of this commit of the project, and the last one',
    },
    'at-most': { type: 'number', describe: 'only the last so many of them; says what is left out' },
    'keep-going': {
      type: 'boolean',
      alias: 'k',
      default: false,
      describe: 'go on behind a patch that does not build, boot or pass',
    },
    again: { type: 'boolean', default: false, describe: 'look again, even where a stored proof would do' },
  },
  examples: [
    ['phyr prove', 'every patch: applies, builds without new warnings, boots, passes its suites'],
    ['phyr prove 7-9 last', 'some of them'],
    ['phyr prove --group dma', 'a group as it will be posted, before phyr mail --group dma'],
    ['phyr prove --shard 2/4', 'the second quarter, on one of four machines'],
    ['phyr prove --changed origin/main', 'what a branch changes'],
  ],
  async run(args, signal) {
    const project = findProject(args.C)
    const { changed } = args
    const only = changed === undefined ? undefined : await changedSince(project, changed, signal)
    const names = args.patch ?? []
    if (only && args.group !== undefined)
      throw new UsageError('--changed numbers the whole series, --group only a part', 'give one of them')
    if (only && names.length > 0) throw new UsageError('--changed chooses the patches by itself', 'name none')
    const atMost = args['at-most']
    if (atMost !== undefined && (!Number.isInteger(atMost) || atMost < 1))
      throw new UsageError(`--at-most takes a whole number from 1, not ${atMost}`)
    const proof = await prove(
      project,
      {
        ...kernelChoiceOf(args),
        group: args.group,
        patches: only ?? (names.length === 0 ? undefined : (series) => selectPatches(series, names)),
        shard: shardOf(args.shard),
        atMost,
        archs: args.objects?.filter((name) => name !== 'none'),
        machines: args.machine,
        suites: args.suite,
        again: args.again,
        keepGoing: args['keep-going'],
      },
      signal,
    )
    if (args.json) process.stdout.write(`${JSON.stringify(proof)}\n`)
    else process.stdout.write(`\n${proofTable(proof, { colour: wantsColour(process.stdout) })}\n`)
    return proof.outcome === 'error' ? EXIT.lab : EXIT[proof.outcome]
  },
})

function shardOf(text: string | undefined): { i: number; n: number } | undefined {
  if (text === undefined) return undefined
  const [, i, n] = /^(\d{1,3})\/(\d{1,3})$/.exec(text) ?? []
  if (i === undefined || n === undefined)
    throw new UsageError(`--shard takes I/N, not ${JSON.stringify(text)}`, 'for example --shard 1/4')
  return { i: Number(i), n: Number(n) }
}
