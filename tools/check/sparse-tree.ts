// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Base } from '../base/base.ts'
import { gitEnv, gitOk } from '../base/repo.ts'
import { runOk } from '../lib/exec.ts'
import { withLock } from '../lib/lock.ts'
import { cacheRoot } from '../lib/paths.ts'
import { makeWorkTree } from '../series/worktree.ts'

/**
 * What the checking scripts read of a tree, beside the patch: themselves, MAINTAINERS, the headers (CamelCase names
 * that are there already), kernel-doc's library. 70 MB in a second, where the whole tree is 1.8 GB in a minute.
 * checkpatch looks further for one thing only, absolute paths in comments (USE_RELATIVE_PATH).
 */
const PATTERNS = [
  '/*',
  '!/*/',
  '/include/',
  '/scripts/',
  '!/scripts/dtc/',
  '/tools/docs/',
  '/tools/lib/python/',
  '/LICENSES/',
  '/Documentation/process/',
  '/Documentation/devicetree/bindings/vendor-prefixes.yaml',
  '/arch/*/include/asm/',
]

/**
 * Holds a work tree of the base with only the files that checks read, at `commit`, while `use` runs. Every directory
 * of the base is there, empty or not: get_maintainer.pl asks for them to tell a file's pattern from a directory's.
 */
export async function withSparseTree<T>(
  base: Base,
  commit: string,
  use: (dir: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const baseTree = await gitOk(base.repo, ['rev-parse', `${base.commit}^{tree}`])
  const name = `${baseTree.slice(0, 20)}-check`
  const dir = join(cacheRoot(), 'trees', name)
  return withLock(join(cacheRoot(), 'locks', `trees-${name}`), async () => {
    const patterns = `${PATTERNS.join('\n')}\n`
    const file = join(dir, '.git/info/sparse-checkout')
    const isNew = !existsSync(file)
    if (isNew) {
      mkdirSync(dir, { recursive: true })
      const env = { env: gitEnv() }
      await runOk('git', ['init', '--quiet', '--template=', '--initial-branch=phyr', dir], env)
      await gitOk(join(dir, '.git'), ['config', 'core.sparseCheckout', 'true'])
      mkdirSync(join(dir, '.git/info'), { recursive: true })
    }
    const changed = !isNew && readFileSync(file, 'utf8') !== patterns
    writeFileSync(file, patterns)
    await makeWorkTree(dir, [base.repo], commit, signal ? { signal } : {})
    if (changed) await runOk('git', ['sparse-checkout', 'reapply'], { cwd: dir, env: gitEnv() })
    const dirs = await gitOk(base.repo, ['ls-tree', '-r', '-d', '-z', '--name-only', commit])
    for (const path of dirs.split('\0')) mkdirSync(join(dir, path), { recursive: true })
    return use(dir)
  })
}
