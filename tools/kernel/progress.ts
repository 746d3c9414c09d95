// SPDX-License-Identifier: GPL-2.0-only
import { log } from '../lib/log.ts'
import { estimateObjects } from './objects.ts'
import { changedOptions, staleObjects } from './stale.ts'

/** How many objects a build has to make, and whether that is counted or an estimate. */
export interface Work {
  readonly total: number
  readonly estimated: boolean
}

/**
 * What there is to do before a build: objects of the Makefiles' lists that are not there, and objects that are
 * there and stale. Costs about 0.1 s for an empty O= directory and 1 s for a full one.
 *
 * @param before the .config of the last build in this directory; undefined for the first.
 */
export function workToDo(options: {
  readonly source: string
  readonly object: string
  readonly before: ReadonlyMap<string, string> | undefined
  readonly config: ReadonlyMap<string, string>
}): Work {
  const wanted = estimateObjects(options.source, options.config, 'x86')
  if (options.before === undefined) return { total: wanted.size, estimated: true }
  const { present, stale } = staleObjects(options.object, changedOptions(options.before, options.config))
  const missing = [...wanted].filter((object) => !present.has(object)).length
  return { total: stale + missing, estimated: false }
}

/** Counts what make reports and draws it. */
export class BuildProgress {
  readonly #work: Work
  readonly #title: string
  #done = 0

  constructor(title: string, work: Work) {
    this.#title = title
    this.#work = work
  }

  get done(): number {
    return this.#done
  }

  /** Feeds one line of make's output; draws when it is about an object. */
  line(text: string): void {
    const object = objectOf(text)
    if (object === undefined) return
    this.#done++
    log.progress(this.text(object))
  }

  /** "kernel  1200 of about 2100 objects (57 %)  block/bio.o" */
  text(object: string): string {
    // An estimate that was too low grows with the work, and never says more than everything.
    const total = Math.max(this.#work.total, this.#done)
    const about = this.#work.estimated ? 'about ' : ''
    const percent = Math.floor((100 * this.#done) / Math.max(1, total))
    return `${this.#title}  ${this.#done} of ${about}${total} objects (${percent} %)  ${object}`
  }
}

/**
 * The object that a line of make's output is about: "  CC      block/bio.o", "  AS [M]  x.o". Objects of the build's own tools
 * (objtool) have absolute paths and do not count.
 */
export function objectOf(line: string): string | undefined {
  return /^ {2}(?:CC|AS)(?: \[[A-Z]\])? +([^\s/]\S*\.o)$/.exec(line)?.[1]
}
