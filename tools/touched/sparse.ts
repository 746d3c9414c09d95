// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import { artefact } from '../lib/cache.ts'
import { run, runOk } from '../lib/exec.ts'
import { sha256 } from '../lib/hash.ts'
import { log } from '../lib/log.ts'
import { cacheRoot } from '../lib/paths.ts'
import { which } from '../lib/which.ts'
import { withTree } from '../series/checkout.ts'
import type { Applied, Tree } from '../series/series.ts'
import { classify, objectOf } from './classify.ts'
import { type CmdFile, optionsOf, readCmdFile, sourceOf } from './cmd-file.ts'
import { newMessages } from './diagnostics.ts'
import { findLabDir } from './lab-dir.ts'
import { objectDirName } from './object-dir.ts'
import { stepOf, textAt } from './point.ts'
import type { Place } from './preprocess.ts'
import { targets } from './target.ts'

/** Why sparse is not asked: documentation and selftests are nothing for it. */
export const NO_SOURCE = 'the patch touches no source of the kernel'

/** What a patch does to sparse's warnings of the sources that it touches; or why nobody looked. */
export type SparseDelta =
  | { readonly added: readonly string[]; readonly removed: readonly string[] }
  | { readonly skipped: string }

/**
 * kbuild's own call (CHECKFLAGS of the top Makefile and of arch/x86/Makefile), with one difference: sparse 0.6.4 does
 * not know __typeof_unqual__, breaks off in the first headers, and is therefore refused by the kernel's
 * scripts/checker-valid.sh. As __typeof__ it goes through; what is lost is that qualifiers stay, so that a copy of a
 * const value may be warned about that the kernel's headers mean to be plain. And sparse would stop at 100 messages;
 * which those are hangs on the order of headers.
 */
const FLAGS: readonly string[] = `
  -D__linux__ -Dlinux -D__STDC__ -Dunix -D__unix__ -Wbitwise -Wno-return-void -Wno-unknown-attribute
  -D__x86_64__ --arch=x86_64 -mlittle-endian -m64 -D__typeof_unqual__=__typeof__
  -fmax-errors=unlimited -fmax-warnings=unlimited
`
  .trim()
  .split(/\s+/)

/**
 * sparse's messages about one source, compiled the way it was the last time: one line each, with file and line, the
 * types that were expected and got joined to it. Undefined when sparse crashed, as it does on some sources that it
 * cannot parse: then silence says nothing.
 */
export async function sparseOf(cmd: CmdFile, place: Place): Promise<readonly string[] | undefined> {
  const args = [...FLAGS, ...optionsOf(cmd.argv, place), sourceOf(cmd.argv, place)]
  const result = await run('sparse', args, {
    cwd: place.object,
    ...(place.signal ? { signal: place.signal } : {}),
  })
  // It exits with 0 whatever it found.
  if (result.code !== 0) return undefined
  return sparseMessages(result.stderr + result.stdout, place.to)
}

/** The messages in sparse's output; notes on how a header was reached are left out. */
export function sparseMessages(output: string, tree: string): readonly string[] {
  const out: string[] = []
  for (const raw of output.split('\n')) {
    const line = raw.replaceAll(`${tree}/`, '')
    const more = /^\S+:\d+:\d+: {3,}(.*)$/.exec(line)
    if (more && out.length > 0) out.push(`${out.pop()}; ${more[1]?.replaceAll(/\s+/g, ' ').trim()}`)
    else if (/^\S+:\d+:\d+: (?:warning|error): /.test(line)) out.push(line)
  }
  return out
}

/**
 * Runs sparse on every source that a patch touches, at the patch before and at the patch, and compares. How a source
 * is compiled is read from the lab's O= directory, else from that of allmodconfig on x86_64 (so touchedBuilds() goes
 * first); a source that neither has is not looked at.
 *
 * @param labObject O= directory of the lab config; default the one that was used last for this base.
 */
export async function sparseDelta(options: {
  readonly applied: Applied
  readonly patchNumber: number
  readonly labObject?: string
  readonly signal?: AbortSignal
}): Promise<SparseDelta> {
  if (which('sparse') === undefined) return { skipped: 'sparse is not installed' }
  const { signal } = options
  const step = await stepOf(options.applied, options.patchNumber)
  const files = step.patch.paths.filter((path) => classify(path) === 'source' && path.endsWith('.c'))
  if (files.length === 0) return { skipped: NO_SOURCE }
  const lab = findLabDir(step.after, options.labObject)
  const version = await runOk('sparse', ['--version'], signal ? { signal } : {})
  const inputs = {
    version: 1,
    before: step.before.tree,
    after: step.after.tree,
    files,
    sparse: version,
    lab: lab && sha256(lab.config),
  }
  const slot = { slot: 'touched', ...(signal ? { signal } : {}) }
  const look = async (): Promise<SparseDelta> => {
    const crashed = new Set<string>()
    const pass = (point: Applied): Promise<ReadonlyMap<string, readonly string[]>> =>
      withTree(point, slot, async (tree) => {
        const messages = new Map<string, readonly string[]>()
        for (const file of files) {
          const found = commandFor(file, tree, lab)
          if (!found || (await textAt(point, file)) === undefined) continue
          const said = await sparseOf(found.cmd, { ...found.place, to: tree.dir, signal })
          if (said === undefined) crashed.add(file)
          else messages.set(file, said)
        }
        return messages
      })
    const before = await pass(step.before)
    const after = await pass(step.after)
    const looked = [...after.keys()].filter((file) => !crashed.has(file))
    if (crashed.size > 0) log.warn(`sparse  crashed on ${[...crashed].join(', ')}: not compared`)
    // Not kept: the next build may have them.
    if (looked.length === 0) throw new NothingLookedAt()
    const [was, is] = [before, after].map((said) => looked.flatMap((file) => said.get(file) ?? []))
    return { added: newMessages(was ?? [], is ?? []), removed: newMessages(is ?? [], was ?? []) }
  }
  try {
    return (await artefact('sparse', inputs, look)).manifest
  } catch (error) {
    if (!(error instanceof NothingLookedAt)) throw error
    return { skipped: `no build has ${files.join(', ')}, or sparse crashed on it` }
  }
}

class NothingLookedAt extends Error {}

function commandFor(
  file: string,
  tree: Tree,
  lab: { readonly object: string; readonly source: string } | undefined,
): { readonly cmd: CmdFile; readonly place: Pick<Place, 'object' | 'from'> } | undefined {
  const x86 = targets.find((target) => target.arch === 'x86_64')!
  const dirs = [
    ...(lab ? [{ object: lab.object, source: lab.source }] : []),
    { object: join(cacheRoot(), 'build', objectDirName(tree, x86)), source: tree.dir },
  ]
  for (const { object, source } of dirs) {
    const cmd = readCmdFile(object, objectOf(file), source)
    if (cmd) return { cmd, place: { object, from: source } }
  }
  return undefined
}
