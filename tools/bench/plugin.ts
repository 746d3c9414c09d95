// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import { artefact } from '../lib/cache.ts'
import { LabError } from '../lib/errors.ts'
import { run, runOk } from '../lib/exec.ts'
import { sha256File } from '../lib/hash.ts'
import { toolRoot } from '../lib/paths.ts'

/** Our plugins are of version 1 of QEMU's interface; 9 and later take version 2 and up. */
const LAST_QEMU = 8

const FLAGS = ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-shared', '-fPIC', '-fvisibility=hidden', '-s']

/** A TCG plugin, ready for QEMU. */
export interface Plugin {
  readonly key: string
  readonly library: string
}

/**
 * Compiles a plugin of qemu/plugin: "count" or "stacks".
 *
 * @param qemu QEMU's version, "7.2.22".
 * @throws LabError when that QEMU takes no such plugins, or the plugin does not compile.
 */
export async function compilePlugin(
  name: 'count' | 'stacks',
  qemu: string,
  signal?: AbortSignal,
): Promise<Plugin> {
  const major = Number(/^\d+/.exec(qemu)?.[0] ?? Number.NaN)
  if (!(major <= LAST_QEMU)) {
    throw new LabError({
      what: 'cannot count instructions',
      why: `QEMU ${qemu} takes TCG plugins of version 2 and later, and phyr's are of version 1`,
      fix: `use QEMU 6 to ${LAST_QEMU} (Debian 12 has 7.2), or --mode wall-clock`,
    })
  }
  const options = signal ? { signal } : {}
  const sources = ['count.c', 'stacks.c', 'shadow.h', 'paths.h', 'api.h'].map((file) =>
    join(toolRoot, 'qemu/plugin', file),
  )
  const compiler = await runOk('gcc', ['--version'], options)
  const hashes = await Promise.all(sources.map((file) => sha256File(file)))
  const made = await artefact('plugin', { name, hashes, compiler, flags: FLAGS }, async (dir) => {
    const out = join(dir, 'plugin.so')
    const source = join(toolRoot, 'qemu/plugin', `${name}.c`)
    const result = await run('gcc', [...FLAGS, '-o', out, source], options)
    if (result.code !== 0) {
      throw new LabError({
        what: `cannot compile ${source}`,
        why: result.stderr.split('\n').find((line) => /error:/.test(line)) ?? `gcc ended with ${result.code}`,
        fix: 'run ./phyr doctor --install (gcc and libc6-dev)',
      })
    }
    return {}
  })
  return { key: made.key, library: join(made.dir, 'plugin.so') }
}
