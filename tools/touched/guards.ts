// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { explain } from '../kernel/explain.ts'
import { type KconfigIndex, readKconfig } from '../kernel/kconfig.ts'
import { estimateObjects } from '../kernel/objects.ts'
import type { Target } from './target.ts'

/** What decides whether a configuration compiles an object. */
interface Guards {
  /** Options, without CONFIG_, that the Makefiles from the root down to the object hang it on. */
  readonly options: readonly string[]
  /** Some Makefile on the way does not name the object or its directory where it could be read. */
  readonly unnamed: string | undefined
}

/** Tells of objects whether a configuration compiles them. */
export class ObjectList {
  readonly #tree: string
  readonly #target: Pick<Target, 'arch' | 'srcarch'>
  readonly #config: ReadonlyMap<string, string>
  readonly #listed: ReadonlySet<string>
  #kconfig: KconfigIndex | undefined

  /** @param candidates the objects that will be asked about. */
  constructor(
    tree: string,
    target: Pick<Target, 'arch' | 'srcarch'>,
    config: ReadonlyMap<string, string>,
    candidates: readonly string[],
  ) {
    this.#tree = tree
    this.#target = target
    this.#config = config
    this.#listed = estimateObjects(tree, config, target.srcarch, new Set(candidates.flatMap(ancestors)))
  }

  /** Why the configuration does not compile an object; undefined when it does. */
  whyNot(object: string): string | undefined {
    const other = /^arch\/([^/]+)\//.exec(object)?.[1]
    if (other !== undefined && other !== this.#target.srcarch) return `only for ${other}`
    if (this.#listed.has(object)) return undefined
    const { options, unnamed } = guards(this.#tree, object)
    const off = options.filter((option) => (this.#config.get(option) ?? 'n') === 'n')
    if (off.length > 0) return this.#explain(off)
    // Every option on the way is on, and the list of objects is made by functions of make: kbuild will know.
    return unnamed
  }

  #explain(off: readonly string[]): string {
    this.#kconfig ??= readKconfig(this.#tree, this.#target.srcarch)
    const index = this.#kconfig
    const lookup = (option: string): string | undefined => this.#config.get(option)
    return off
      .map((option) => explain({ option, value: 'y', file: '', line: 0 }, index, lookup))
      .map((text) => text.replace(/ is n, not y/, ' is off'))
      .join('; ')
  }
}

function ancestors(object: string): string[] {
  const out = ['.']
  for (let dir = posix.dirname(object); dir !== '.'; dir = posix.dirname(dir)) out.push(dir)
  return out
}

function guards(tree: string, object: string): Guards {
  const options = new Set<string>()
  const dir = posix.dirname(object)
  const own = guardsIn(makefile(tree, dir), posix.basename(object))
  let unnamed = own === undefined ? `no Makefile names ${object}` : undefined
  for (const option of own ?? []) options.add(option)
  for (let at = dir; at !== '.' && posix.dirname(at) !== '.'; at = posix.dirname(at)) {
    const up = guardsIn(makefile(tree, posix.dirname(at)), `${posix.basename(at)}/`)
    // A directory may be named by a path of several parts, from higher up.
    for (const option of up ?? []) options.add(option)
  }
  return { options: [...options], unnamed }
}

/** The options that a Makefile hangs a word on; undefined when it does not name it. */
function guardsIn(text: string, word: string): readonly string[] | undefined {
  const options = new Set<string>()
  let named = false
  const seen = new Set<string>()
  const visit = (name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
      const assignment = /^([\w.-]+?)-(?:\$\(CONFIG_(\w+)\)|(?:y|m|objs))\s*[:+]?=\s*(.*)$/.exec(line.trim())
      if (!assignment || !(assignment[3] ?? '').split(/\s+/).includes(name)) continue
      named = true
      if (assignment[2] !== undefined) options.add(assignment[2])
      const list = assignment[1] ?? ''
      // A part of a composite module hangs on what its module hangs on.
      if (!['obj', 'lib', 'core', 'drivers', 'libs'].includes(list)) visit(`${list}.o`)
    }
  }
  visit(word)
  return named ? [...options] : undefined
}

function makefile(tree: string, dir: string): string {
  const file = [join(tree, dir, 'Kbuild'), join(tree, dir, 'Makefile')].find((path) => existsSync(path))
  return file === undefined ? '' : readFileSync(file, 'utf8')
}
