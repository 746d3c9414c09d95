// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { git, gitOk } from '../base/repo.ts'
import { artefact } from '../lib/cache.ts'
import { LabError } from '../lib/errors.ts'
import { run } from '../lib/exec.ts'
import { log } from '../lib/log.ts'
import { staysInside } from '../lib/paths.ts'
import type { Applied, Patch } from '../series/series.ts'
import { changedLines } from './diff-lines.ts'

/** Through which tree a patch goes in. */
export interface PatchTree {
  /** As MAINTAINERS has it, without the kind: "git://git.kernel.org/.../akpm/mm"; undefined when no file has one. */
  readonly tree: string | undefined
  /** Trees of other files that the patch changes. */
  readonly others: readonly string[]
}

const SCRIPT = 'scripts/get_maintainer.pl'
const VERSION = 1

const Answer = z.object({ scm: z.array(z.string()).optional() })
const Stored = z.record(z.string(), z.array(z.string()))

/** The tree that takes what nobody else does; its entry matches every file. */
const MAINLINE = /\/torvalds\/linux\.git$/

/**
 * Asks the base's get_maintainer.pl for the trees (`T:`) of every file that the series changes, most specific entry
 * first. MAINTAINERS is the one that the series leaves, since patches add entries for their own files. Empty when the
 * base has no such script.
 *
 * @throws LabError when the script cannot be run.
 */
export async function treesOfFiles(
  applied: Applied,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { repo, commit: base } = applied.base
  const script = await blobOf(repo, base, SCRIPT)
  const maintainers = await blobOf(repo, applied.commit, 'MAINTAINERS')
  if (script === undefined || maintainers === undefined) return new Map()
  const paths = [...new Set(applied.series.patches.flatMap((patch) => patch.paths))]
    .filter(staysInside)
    .toSorted()
  const inputs = { version: VERSION, script, maintainers, paths }
  const { manifest } = await artefact('scm', inputs, async (dir) => {
    const tree = join(dir, 'tree')
    for (const [path, blob] of [
      [SCRIPT, script],
      ['MAINTAINERS', maintainers],
    ] as const) {
      mkdirSync(dirname(join(tree, path)), { recursive: true })
      writeFileSync(join(tree, path), await gitOk(repo, ['cat-file', 'blob', blob], { signal }))
    }
    const found: Record<string, readonly string[]> = {}
    const open = [...paths]
    const work = async (): Promise<void> => {
      for (let path = open.pop(); path !== undefined; path = open.pop()) {
        log.progress(`which tree takes ${path}`)
        found[path] = await ask(tree, path, signal)
      }
    }
    await Promise.all(Array.from({ length: availableParallelism() }, work))
    log.progressDone()
    return found
  })
  return new Map(Object.entries(Stored.parse(manifest)))
}

async function blobOf(repo: string, commit: string, path: string): Promise<string | undefined> {
  const { code, stdout } = await git(repo, ['rev-parse', '--verify', '--quiet', `${commit}:${path}`])
  return code === 0 ? stdout.trim() : undefined
}

async function ask(tree: string, path: string, signal: AbortSignal): Promise<string[]> {
  // The script wants to see the file; what is in it does not matter to it.
  const file = join(tree, path)
  mkdirSync(dirname(file), { recursive: true })
  if (path !== 'MAINTAINERS' && path !== SCRIPT) writeFileSync(file, '')
  const args = ['--scm', '--json', '--no-tree', '--nogit', '--nogit-fallback', '--nofixes', '--nokeywords']
  const said = await run('perl', [SCRIPT, ...args, '-f', path], {
    cwd: tree,
    env: { HOME: tree, PERL5OPT: undefined, PERL5LIB: undefined },
    timeoutMs: 60_000,
    signal,
  })
  const parsed = said.code === 0 ? Answer.safeParse(jsonOf(said.stdout)) : undefined
  if (!parsed?.success) {
    throw new LabError({
      what: `${SCRIPT} gave no answer for ${path}`,
      why: said.stderr.trim().split('\n').at(-1) || 'what it printed is not its JSON',
      fix: 'is perl there with JSON::PP? ./phyr doctor',
    })
  }
  return (parsed.data.scm ?? []).map((line) => line.replace(/^\S+ /, ''))
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The tree of a patch: that of most of the lines it changes in code; documentation, MAINTAINERS and tests go along with
 * the code, and count where there is no code.
 */
export function treeOfPatch(patch: Patch, files: ReadonlyMap<string, readonly string[]>): PatchTree {
  const changed = changedLines(patch.text).map(({ path, added, removed }) => ({
    tree: (files.get(path) ?? []).find((one) => !MAINLINE.test(one)),
    lines: added.length + removed.length,
    along: /^(?:Documentation|tools|samples)\/|^MAINTAINERS$|\/tests?\//.test(path),
  }))
  const code = changed.filter(({ along }) => !along)
  const weights = new Map<string, number>()
  for (const { tree, lines } of code.length > 0 ? code : changed)
    if (tree !== undefined) weights.set(tree, (weights.get(tree) ?? 0) + lines)
  const seen = new Set(changed.flatMap(({ tree }) => (tree === undefined ? [] : [tree])))
  const [tree] = [...weights].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([name]) => name)
  return { tree, others: [...seen].filter((one) => one !== tree).toSorted() }
}

/** A tree's name as people say it: "akpm/mm", "rdma/rdma". */
export function shortTree(tree: string): string {
  return tree
    .replace(/^\w+:\/\/[^/]+\//, '')
    .replace(/\.git(?: .*)?$/, '')
    .split('/')
    .slice(-2)
    .join('/')
}
