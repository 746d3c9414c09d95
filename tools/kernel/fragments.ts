// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { UsageError } from '../lib/errors.ts'
import { sha256 } from '../lib/hash.ts'
import type { Arch } from './kernel.ts'

/** One option as a fragment asks for it. */
export interface Setting {
  /** Without the CONFIG_ prefix. */
  readonly option: string
  /** `y`, `n`, `m`, a number, or a string with its quotes: as .config writes it. */
  readonly value: string
  /** File name of the fragment, and the line in it. */
  readonly file: string
  readonly line: number
}

/** A checked merge of fragments. */
export interface Merged {
  /** Keyed by option, in the order of their first appearance; a later fragment wins. */
  readonly settings: ReadonlyMap<string, Setting>
  /** What kconfig reads (KCONFIG_ALLCONFIG). */
  readonly text: string
  readonly hash: string
}

/** A config: which architecture it is for, and which fragments in which order. */
export interface ConfigDefinition {
  readonly arch: Arch
  readonly fragments: readonly string[]
}

/** The fragments that belong to the series, its own tests: their options come and go with the patches. */
export const SERIES_FRAGMENTS: readonly string[] = ['phyr.config', 'phyr-lab.config']

/** The configs that there are. */
export const configs: Readonly<Record<string, ConfigDefinition>> = {
  lab: { arch: 'x86_64', fragments: ['base.config', 'lab.config', ...SERIES_FRAGMENTS] },
  debug: { arch: 'x86_64', fragments: ['base.config', 'lab.config', ...SERIES_FRAGMENTS, 'debug.config'] },
  i386: { arch: 'i386', fragments: ['base.config', 'i386.config', 'phyr.config'] },
  'i386-pae': { arch: 'i386', fragments: ['base.config', 'i386-pae.config', 'phyr.config'] },
}

/**
 * Reads the fragments of a config from `dir` and merges them.
 *
 * @param options.tests false: without the series' own fragments.
 * @throws UsageError for an unknown config, a malformed fragment, and a missing one that is not the series' own.
 */
export function readConfig(
  name: string,
  dir: string,
  options: { readonly tests?: boolean | undefined } = {},
): Merged {
  const definition = Object.hasOwn(configs, name) ? configs[name] : undefined
  if (!definition) {
    throw new UsageError(`there is no config "${name}"`, `one of ${Object.keys(configs).join(', ')}`)
  }
  const wanted = definition.fragments.filter((file) => {
    if (!SERIES_FRAGMENTS.includes(file)) return true
    // A series need not bring options.
    return options.tests !== false && existsSync(join(dir, file))
  })
  return mergeFragments(
    wanted.map((file) => {
      const path = join(dir, file)
      if (!existsSync(path)) throw new UsageError(`${path}: no such fragment`, `config ${name} needs it`)
      return parseFragment(basename(path), readFileSync(path, 'utf8'))
    }),
  )
}

/**
 * Reads one fragment: `CONFIG_X=value`, `# CONFIG_X is not set`, comments and empty lines.
 *
 * @throws UsageError with file:line for any other line, and for an option that is named twice.
 */
export function parseFragment(file: string, text: string): readonly Setting[] {
  const seen = new Map<string, number>()
  const settings: Setting[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1
    const parsed = parseLine(raw.trim())
    if (parsed === 'nothing') continue
    if (parsed === 'malformed') {
      throw new UsageError(
        `${file}:${line}: not an option: ${raw.trim()}`,
        'write CONFIG_NAME=y, CONFIG_NAME="text", CONFIG_NAME=123, or "# CONFIG_NAME is not set"',
      )
    }
    const before = seen.get(parsed.option)
    if (before !== undefined) {
      throw new UsageError(`${file}:${line}: CONFIG_${parsed.option} is already set in line ${before}`)
    }
    seen.set(parsed.option, line)
    settings.push({ ...parsed, file, line })
  }
  return settings
}

/** Merges fragments; the later one wins. */
export function mergeFragments(fragments: readonly (readonly Setting[])[]): Merged {
  const settings = new Map<string, Setting>()
  for (const setting of fragments.flat()) settings.set(setting.option, setting)
  return asMerged(settings)
}

/** The same merge without some options. */
export function withoutOptions(merged: Merged, options: ReadonlySet<string>): Merged {
  return asMerged(new Map([...merged.settings].filter(([option]) => !options.has(option))))
}

function asMerged(settings: ReadonlyMap<string, Setting>): Merged {
  const text = [...settings.values()].map((s) => `${configLine(s.option, s.value)}\n`).join('')
  return { settings, text, hash: sha256(text) }
}

/** A line of .config. */
export function configLine(option: string, value: string): string {
  return value === 'n' ? `# CONFIG_${option} is not set` : `CONFIG_${option}=${value}`
}

/** The options of a .config; what it does not name, or names as "not set", is absent. */
export function parseDotConfig(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const match of text.matchAll(/^CONFIG_(\w+)=(.*)$/gm)) {
    if (match[2] !== 'n') values.set(match[1] as string, match[2] as string)
  }
  return values
}

const VALUE = /^(?:[ymn]|-?\d+|0[xX][\da-fA-F]+|"(?:[^"\\]|\\.)*")$/

function parseLine(line: string): { option: string; value: string } | 'nothing' | 'malformed' {
  if (line === '') return 'nothing'
  const unset = /^#\s*CONFIG_(\w+) is not set$/.exec(line)
  if (unset) return { option: unset[1] as string, value: 'n' }
  // A misspelt "is not set" would be taken for a comment in silence.
  if (line.startsWith('#')) return /^#\s*CONFIG_\w+\s+is\b/.test(line) ? 'malformed' : 'nothing'
  const set = /^CONFIG_(\w+)=(.*)$/.exec(line)
  if (!set || !VALUE.test(set[2] as string)) return 'malformed'
  return { option: set[1] as string, value: set[2] as string }
}
