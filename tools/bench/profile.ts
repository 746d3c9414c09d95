// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { artefact, writeAtomic } from '../lib/cache.ts'
import { keyOf } from '../lib/hash.ts'
import { log } from '../lib/log.ts'
import { loadMachine } from '../machine/machine.ts'
import type { Case } from './case.ts'
import type { Counting } from './count-points.ts'
import { foldedDifference, foldedText, parseStacks, stackProfile, type StackProfile } from './folded.ts'
import { bootGuest } from './guest.ts'
import { parseGuestLines } from './lines.ts'
import { compilePlugin, type Plugin } from './plugin.ts'
import type { Point } from './points.ts'
import { countingPlan } from './script.ts'

/**
 * Counts by call path at two points, one boot a machine each, and writes for every case `PLACE.NAME.LABEL.folded`
 * of both points (for flamegraph.pl and its kin) and `PLACE.NAME.diff.folded` (as difffolded.pl makes it).
 *
 * @returns the files.
 */
export async function writeFolded(
  points: readonly [Point, Point],
  counting: Counting,
  dir: string,
): Promise<string[]> {
  const plugin = await compilePlugin('stacks', counting.guest.qemu.version, counting.signal)
  const [base, series] = [
    await profilesOf(points[0], counting, plugin),
    await profilesOf(points[1], counting, plugin),
  ]
  mkdirSync(resolve(dir), { recursive: true })
  const files: string[] = []
  const write = (name: string, text: string): void => {
    const file = join(resolve(dir), name)
    writeAtomic(file, text)
    files.push(file)
  }
  for (const { name } of counting.cases) {
    const [before, after] = [base.get(name), series.get(name)]
    if (!before || !after) continue
    const stem = name.replaceAll('/', '.')
    write(`${stem}.base.folded`, foldedText(before))
    write(`${stem}.series.folded`, foldedText(after))
    write(`${stem}.diff.folded`, foldedDifference(before, after))
  }
  return files
}

async function profilesOf(
  point: Point,
  counting: Counting,
  plugin: Plugin,
): Promise<Map<string, StackProfile>> {
  const { cases, guest, signal } = counting
  const profiles = new Map<string, StackProfile>()
  for (const name of new Set(cases.map((one) => one.place.machine))) {
    const machine = loadMachine(name, counting.machinesDir)
    const own = cases.filter((one) => one.place.machine === name && !one.boot)
    if (own.length === 0) continue
    log.progress(`stacks  ${point.label} on ${name}`)
    const plan = countingPlan(own, counting.benchDir)
    const inputs = {
      image: point.kernel.record.allocatedHash,
      machine,
      script: plan.script,
      files: plan.files,
      initramfs: guest.initramfs.key,
      plugin: plugin.key,
      qemu: guest.qemu,
    }
    const made = await artefact('stacks', inputs, async (dir) => {
      const boot = await bootGuest(guest, {
        kernel: point.kernel,
        machine,
        accel: { used: 'tcg', reason: 'instructions are counted by a TCG plugin' },
        plan,
        plugin: {
          library: plugin.library,
          arguments: [`out=${join(dir, 'stacks.txt')}`, `syms=${point.kernel.systemMap}`],
        },
        name: `stacks-${keyOf(inputs).slice(0, 8)}`,
        signal,
      })
      return parseGuestLines(boot.results).regions
    })
    const regions = parseStacks(readFileSync(join(made.dir, 'stacks.txt'), 'utf8')).filter(
      (r) => r.number > 0,
    )
    for (const one of own) {
      const lengths = made.manifest.flatMap(({ case: of, operations }, i) =>
        of === one.name && regions[i] ? [{ region: regions[i], operations }] : [],
      )
      const profile = profileOf(one, lengths)
      if (profile) profiles.set(one.name, profile)
    }
  }
  log.progressDone()
  return profiles
}

/** As costOf() takes it: the last region alone where steps are counted, else the difference of the last two. */
function profileOf(
  one: Case,
  lengths: readonly { readonly region: Parameters<typeof stackProfile>[0]; readonly operations: number }[],
): StackProfile | undefined {
  const long = lengths.at(-1)
  if (!long) return undefined
  const short = one.steps ? undefined : lengths.at(-2)
  return stackProfile(long.region, long.operations, short)
}
