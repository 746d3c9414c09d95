// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { findProject } from '../../tools/lib/project.ts'
import { cacheRoot, toolRoot } from '../../tools/lib/paths.ts'
import { getKernel, type BuiltKernel } from '../../tools/run/kernel.ts'
import { matrixOf } from '../../tools/run/matrix.ts'
import { getApplied } from '../../tools/run/sources.ts'
import { checkoutTree } from '../../tools/series/checkout.ts'

/** What `./phyr ARGS` printed and exited with, run as a user would: through the launcher. */
export async function phyr(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stdout: string; stderr: string; seconds: number }> {
  const start = Date.now()
  const child = spawn(join(toolRoot, 'phyr'), args, {
    cwd: toolRoot,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr, seconds: (Date.now() - start) / 1000 }
}

/** A source tree of the base with the series applied. */
export async function labTree(): Promise<string> {
  const applied = await getApplied(findProject(toolRoot), {}, new AbortController().signal)
  return (await checkoutTree(applied, { slot: 'build' })).dir
}

/** The lab kernel of the whole series, with its selftests; built by the first that asks. */
export async function labKernel(config = 'lab'): Promise<BuiltKernel> {
  const project = findProject(toolRoot)
  const signal = new AbortController().signal
  const choice = { arch: 'x86_64' as const, config, jobs: undefined }
  const cells = matrixOf(project, { ...choice, machines: ['virtio'], suites: ['kselftest'] })
  return getKernel(project, await getApplied(project, {}, signal), choice, cells, signal)
}

/** Keys of the kernels in the cache. */
export function cachedKernels(): string[] {
  const dir = join(cacheRoot(), 'kernel')
  return existsSync(dir) ? readdirSync(dir).filter((name) => !name.startsWith('.')) : []
}
