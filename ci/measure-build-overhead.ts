// SPDX-License-Identifier: GPL-2.0-only
/**
 * Measures what phyr's build costs over plain make: both build the same tree with the same configuration from
 * nothing, without ccache, alternately.
 *
 *   npx tsx ci/measure-build-overhead.ts [--rounds N] [--config NAME] [--linux DIR] [--limit PERCENT]
 *
 * The default config, i386, takes a minute or two a build; `--config lab` is what `phyr run` builds. Plain make is
 * `make allnoconfig` with the same fragments and `make -jN` of the same target. phyr's time is all of it: plan,
 * configuration, verification, progress, copies and hashes. Exits with 1 when the median of the ratios is above the
 * limit (default 3 %). Run it on an idle machine: every other job on it is noise of more than 3 %.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { $ } from 'zx'
import { buildKernel } from '../tools/kernel/build.ts'
import { configs, readConfig } from '../tools/kernel/fragments.ts'
import { cacheRoot } from '../tools/lib/paths.ts'
import { findProject } from '../tools/lib/project.ts'
import { getApplied } from '../tools/run/sources.ts'
import { withTree } from '../tools/series/checkout.ts'
import type { Tree } from '../tools/series/series.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    config: { type: 'string', default: 'i386' },
    linux: { type: 'string' },
    limit: { type: 'string', default: '3' },
  },
})
const { config } = values
const arch = configs[config]?.arch ?? 'x86_64'
const project = findProject(undefined)
const signal = new AbortController().signal

const applied = await getApplied(project, { linux: values.linux }, signal)
mkdirSync(cacheRoot(), { recursive: true })
const scratch = mkdtempSync(join(cacheRoot(), 'measure-'))
try {
  await withTree(applied, { slot: 'measure', signal }, measure)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function measure(tree: Tree): Promise<void> {
  // Reads every source once, so that the first build does not pay for the disk.
  await plainMake(tree, 'prepare')
  const ratios: number[] = []
  for (let round = 1; round <= Number(values.rounds); round++) {
    // Who goes first changes, so that a machine that slows down while it gets warm favours neither.
    const phyrFirst = round % 2 === 0
    const early = phyrFirst ? await phyrBuild(tree) : await plainMake(tree)
    const late = phyrFirst ? await plainMake(tree) : await phyrBuild(tree)
    const [plain, phyr] = phyrFirst ? [late, early] : [early, late]
    ratios.push(phyr / plain)
    console.log(
      `round ${round}: make ${plain.toFixed(1)} s, phyr ${phyr.toFixed(1)} s, ${percent(phyr / plain)}`,
    )
  }
  const sorted = ratios.toSorted((a, b) => a - b)
  const median = ((sorted[(sorted.length - 1) >> 1] ?? 1) + (sorted[sorted.length >> 1] ?? 1)) / 2
  console.log(
    `${config}, ${availableParallelism()} jobs: median ${percent(median)}, from ${percent(sorted[0] ?? 1)} to ${percent(sorted.at(-1) ?? 1)}`,
  )
  if (median > 1 + Number(values.limit) / 100) process.exitCode = 1
}

/** Seconds of a plain build in a fresh O= directory. */
async function plainMake(tree: Tree, target = arch === 'x86_64' ? 'vmlinux' : 'bzImage'): Promise<number> {
  const object = join(scratch, 'plain')
  rmSync(object, { recursive: true, force: true })
  mkdirSync(object)
  const seed = join(object, '.seed')
  writeFileSync(seed, readConfig(config, project.kernelConfig).text)
  const start = performance.now()
  const common = ['-C', tree.dir, `O=${object}`, `ARCH=${arch}`, 'LOCALVERSION=']
  await $({ quiet: true, env: { ...process.env, KCONFIG_ALLCONFIG: seed } })`make ${common} allnoconfig`
  await $({ quiet: true })`make ${common} ${`-j${availableParallelism()}`} ${target}`
  const seconds = (performance.now() - start) / 1000
  rmSync(object, { recursive: true, force: true })
  return seconds
}

/** Seconds of phyr's build, in a cache of its own that holds nothing. */
async function phyrBuild(tree: Tree): Promise<number> {
  const cache = join(scratch, 'cache')
  rmSync(cache, { recursive: true, force: true })
  const before = process.env['PHYR_CACHE']
  process.env['PHYR_CACHE'] = cache
  try {
    const start = performance.now()
    await buildKernel({ tree, config, fragments: project.kernelConfig, selftests: [], ccache: false, signal })
    return (performance.now() - start) / 1000
  } finally {
    if (before === undefined) delete process.env['PHYR_CACHE']
    else process.env['PHYR_CACHE'] = before
    rmSync(cache, { recursive: true, force: true })
  }
}

function percent(ratio: number): string {
  return `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(2)} %`
}
