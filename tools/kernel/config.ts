// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Finding, LabError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import { log } from '../lib/log.ts'
import { explain, unknownOption } from './explain.ts'
import { type Merged, parseDotConfig, SERIES_FRAGMENTS, type Setting, withoutOptions } from './fragments.ts'
import { type KconfigIndex, readKconfig } from './kconfig.ts'
import type { MakeCommand } from './make-args.ts'

/** A configuration that holds. */
export interface Configured {
  /** The .config in the O= directory. */
  readonly file: string
  readonly text: string
  /** What was asked for, without what a partly applied series does not define yet. */
  readonly merged: Merged
}

/**
 * Makes O=/.config: every option of `merged`, everything else off (allnoconfig), and checks that every option
 * holds in the end. kconfig drops an option with an unmet dependency in silence: here that is a finding.
 *
 * @param wholeSeries false when not all patches are applied: options of the series' fragment that the tree does
 *   not define are then left out instead of reported.
 * @throws Finding (stage config) blaming the fragment's line and naming the missing dependency; also for
 *   Kconfig files that kconfig itself refuses.
 */
export async function configure(options: {
  readonly make: MakeCommand
  readonly merged: Merged
  readonly wholeSeries: boolean
  readonly signal?: AbortSignal | undefined
}): Promise<Configured> {
  const { make } = options
  let index: KconfigIndex | undefined
  const kconfig = (): KconfigIndex => (index ??= readKconfig(make.source, 'x86'))
  const merged = options.wholeSeries ? options.merged : withoutUndefined(options.merged, kconfig())

  const seed = join(make.object, '.phyr-allconfig')
  writeFileSync(seed, merged.text)
  const result = await run('make', [...make.args, 'allnoconfig'], {
    cwd: make.object,
    env: { ...make.env, KCONFIG_ALLCONFIG: seed },
    ...(options.signal ? { signal: options.signal } : {}),
  })
  const file = join(make.object, '.config')
  if (result.code !== 0 || !existsSync(file))
    throw kconfigRefused(result.stderr || result.stdout, make.source)
  const text = readFileSync(file, 'utf8')
  verifyConfig(merged, text, kconfig)
  return { file, text, merged }
}

/**
 * Checks that every requested option holds.
 *
 * @param dotConfig the text of the final .config.
 * @param kconfig reads the tree's Kconfig files; called only when something is wrong or hidden.
 * @throws Finding for the first that does not; `detail` has them all, one a line.
 */
export function verifyConfig(merged: Merged, dotConfig: string, kconfig: () => KconfigIndex): void {
  const actual = parseDotConfig(dotConfig)
  const broken = [...merged.settings.values()].filter((s) => !sameValue(actual.get(s.option), s.value))
  // `# CONFIG_TYPO is not set` holds in every .config. What .config does not name is a typo or hidden by a
  // dependency: the Kconfig files tell which, and they are only read when there is such an option.
  const named = new Set([...dotConfig.matchAll(/^# CONFIG_(\w+) is not set$/gm)].map((m) => m[1]))
  const unknown = [...merged.settings.values()].filter(
    (s) =>
      s.value === 'n' &&
      !actual.has(s.option) &&
      !named.has(s.option) &&
      !kconfig().definitions.has(s.option),
  )
  const messages = [...broken, ...unknown].map((s) => ({
    place: placeOf(s),
    text: unknown.includes(s)
      ? unknownOption(s.option, kconfig())
      : explain(s, kconfig(), (option) => actual.get(option)),
  }))
  const first = messages[0]
  if (!first) return
  throw new Finding({
    stage: 'config',
    message: `${first.place}: ${first.text}`,
    blame: first.place,
    detail: messages.map((m) => `${m.place}: ${m.text}`),
  })
}

function placeOf(setting: Setting): string {
  return `${setting.file}:${setting.line}`
}

/** 0x10 and 0X10 are the same number; everything else is compared as text. */
function sameValue(actual: string | undefined, wanted: string): boolean {
  if (actual === undefined) return wanted === 'n'
  if (actual === wanted) return true
  return /^0x/i.test(wanted) && Number(actual) === Number(wanted)
}

function withoutUndefined(merged: Merged, index: KconfigIndex): Merged {
  const absent = [...merged.settings.values()]
    .filter((s) => SERIES_FRAGMENTS.includes(s.file) && !index.definitions.has(s.option))
    .map((s) => s.option)
  if (absent.length === 0) return merged
  log.detail(`config: not in this part of the series: ${absent.map((o) => `CONFIG_${o}`).join(' ')}`)
  return withoutOptions(merged, new Set(absent))
}

/** kconfig's own complaint: "block/Kconfig:12: syntax error". */
function kconfigRefused(output: string, source: string): Finding | LabError {
  const lines = output.replaceAll(`${source}/`, '').trim().split('\n')
  const complaint = lines.find((line) => /^[\w./-]*Kconfig[\w.-]*:\d+:/.test(line))
  if (complaint !== undefined) {
    return new Finding({ stage: 'config', message: complaint, detail: lines.slice(-20) })
  }
  return new LabError({
    what: 'make allnoconfig failed',
    why: lines.findLast((line) => line.trim() !== '') ?? 'it said nothing',
    fix: 'run ./phyr doctor --install: flex, bison and a compiler are needed',
    detail: lines.slice(-20),
  })
}
