// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { UsageError } from './errors.ts'
import { toolRoot } from './paths.ts'

/** Where a project keeps its data: the series, the fragments, the machines and what the guests run. */
export interface Project {
  readonly root: string
  readonly patches: string
  readonly kernelConfig: string
  readonly machines: string
  readonly suites: string
  readonly fio: string
  readonly bench: string
  readonly guest: string
}

/**
 * The project that a verb works on: `-C DIR`, else the current directory when it holds a series, else phyr's own.
 * Data that the project does not have (machines, suites, fragments) comes from phyr itself, so a project that
 * only carries patches/ works.
 *
 * @throws UsageError when `-C` names no project.
 */
export function findProject(dir: string | undefined): Project {
  const isProject = (d: string): boolean => existsSync(join(d, 'patches', 'series'))
  if (dir !== undefined && !isProject(resolve(dir))) {
    throw new UsageError(
      `${resolve(dir)} is no project: it has no patches/series`,
      'give -C a directory that has one',
    )
  }
  const root = dir !== undefined ? resolve(dir) : isProject(process.cwd()) ? process.cwd() : toolRoot
  const own = (...path: string[]): string => {
    const here = join(root, ...path)
    return existsSync(here) ? here : join(toolRoot, ...path)
  }
  return {
    root,
    patches: join(root, 'patches'),
    kernelConfig: own('kernel-config'),
    machines: own('qemu', 'machines'),
    suites: own('qemu', 'suites'),
    fio: own('qemu', 'fio'),
    bench: own('qemu', 'bench'),
    guest: own('qemu', 'guest'),
  }
}
