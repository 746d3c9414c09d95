// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto'
import { collect } from '../bundle/collect.ts'
import { packBundle } from '../bundle/pack.ts'
import { rerun, type ProveOne } from '../bundle/rerun.ts'
import { verifyBundle } from '../bundle/verify.ts'
import { checkSeries } from '../check/check.ts'
import { EXIT, UsageError } from '../lib/errors.ts'
import { log, printable } from '../lib/log.ts'
import { findProject } from '../lib/project.ts'
import { prove } from '../prove/prove.ts'
import { SCHEMA } from '../result/result.ts'
import { getApplied } from '../run/sources.ts'
import { defineVerb } from './define.ts'
import { guestOptions, sourceOptions } from './options.ts'

export default defineVerb({
  positionals: {
    action: { choices: ['verify'], describe: 'verify: check a bundle instead of packing one' },
    file: { type: 'string', describe: 'the bundle to verify' },
  },
  options: {
    output: { type: 'string', alias: 'o', describe: 'the bundle to write: FILE.tar.zst or FILE.tar.xz' },
    mail: { type: 'string', describe: 'pack this thread, too: a directory that phyr mail -o wrote' },
    rerun: {
      type: 'boolean',
      default: false,
      describe: 'verify: prove one patch of it again, chosen at random',
    },
    seed: { type: 'string', describe: 'verify --rerun: chooses the patch; default: random, and told' },
    linux: sourceOptions.linux,
    base: sourceOptions.base,
    ...guestOptions,
  },
  examples: [
    ['phyr bundle -o evidence.tar.zst', 'patches, configs, records, results and logs, with their hashes'],
    ['phyr bundle verify evidence.tar.zst --rerun', 'is it whole, and does one of its patches prove again?'],
  ],
  async run(args, signal) {
    if (args.action !== 'verify') {
      if (args.output === undefined) throw new UsageError('phyr bundle where to?', 'give -o FILE.tar.zst')
      const project = findProject(args.C)
      const applied = await getApplied(project, { linux: args.linux, baseVersion: args.base }, signal)
      const check = await checkSeries(applied, { signal })
      const collected = collect(project, applied, { mail: args.mail, check })
      const { files, gaps } = collected
      if (args['dry-run']) {
        for (const name of [...files.keys()].toSorted()) process.stdout.write(`${name}\n`)
        return EXIT.pass
      }
      const { sha256 } = await packBundle(args.output, applied, collected, signal)
      const answer = { schema: SCHEMA, bundle: args.output, files: files.size, sha256, gaps }
      process.stdout.write(
        args.json
          ? `${JSON.stringify(answer)}\n`
          : `${args.output}: ${files.size} files, manifest ${sha256}\n`,
      )
      for (const gap of gaps) log.warn(`lacks: ${gap}`)
      return gaps.length > 0 ? EXIT.fail : EXIT.pass
    }
    if (args.file === undefined) throw new UsageError('phyr bundle verify what?', 'name the bundle')
    const verified = await verifyBundle(args.file, undefined, signal)
    const { manifest, sha256, files, gaps } = verified
    const problems = [...verified.problems]
    // Nothing of a bundle that was tampered with is built or booted.
    const again =
      args.rerun && problems.length === 0
        ? await rerun(verified, args.seed ?? randomBytes(8).toString('hex'), proveOne)
        : null
    problems.push(...(again?.problems ?? []))
    const outcome = problems.length + gaps.length > 0 ? 'fail' : 'pass'
    if (args.json) {
      const series = manifest?.series ?? null
      process.stdout.write(
        `${JSON.stringify({ schema: SCHEMA, outcome, series, sha256: sha256 ?? null, files, problems, gaps, rerun: again })}\n`,
      )
    } else {
      const name = manifest ? `${manifest.series.name} v${manifest.series.version}, ` : ''
      process.stdout.write(
        printable(`${args.file}: ${name}${files} files, manifest ${sha256 ?? 'missing'}\n`),
      )
      if (again) {
        process.stdout.write(
          `patch ${again.number} was proved again (--seed ${again.seed}): ${again.outcome}\n`,
        )
        for (const note of again.notes) process.stdout.write(printable(`  ${note}\n`))
      }
    }
    for (const problem of problems) log.warn(`not sound: ${problem}`)
    for (const gap of gaps) log.warn(`lacks: ${gap}`)
    return EXIT[outcome]

    async function proveOne(...[project, wanted]: Parameters<ProveOne>): ReturnType<ProveOne> {
      const i386 = wanted.config.startsWith('i386')
      return prove(
        project,
        {
          linux: args.linux,
          baseVersion: args.base,
          arch: i386 ? 'i386' : 'x86_64',
          config: wanted.config,
          jobs: undefined,
          accel: args.accel,
          suites: wanted.suites,
          patches: (series) => series.patches.filter((patch) => patch.number === wanted.number),
          again: true,
          keepGoing: false,
        },
        signal,
      )
    }
  },
})
