// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { artefact } from '../lib/cache.ts'
import { readProgram } from '../lib/elf.ts'
import { LabError } from '../lib/errors.ts'
import { runOk } from '../lib/exec.ts'
import { sha256, sha256File } from '../lib/hash.ts'
import { toolRoot } from '../lib/paths.ts'
import type { Arch } from '../kernel/kernel.ts'

const COMMON = ['-Os', '-std=gnu11', '-Wall', '-Wextra', '-s', '-static', '-Wl,--build-id=none']
/** No C library below it, and nothing that a distribution's compiler adds on its own. */
const FREESTANDING = [
  '-nostdlib',
  '-nostdinc',
  '-ffreestanding',
  '-fno-pic',
  '-no-pie',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-ident',
  '-fcf-protection=none',
  '-Wl,-z,noexecstack',
]

/**
 * Compiles qemu/guest/init.c for a guest, against the tree's nolibc and this machine's kernel headers (the
 * tree's own would need a `make headers` first; nolibc works with either). Returns the path of the program.
 *
 * `treeId` stands for the tree's content in the key: with an artefact there, `treeDir` is not looked at.
 *
 * @throws LabError when the compiler or the headers are missing, or the program does not compile.
 */
export async function compileInit(request: {
  readonly arch: Arch
  readonly treeDir: string
  readonly treeId: string
  readonly signal?: AbortSignal
}): Promise<string> {
  const source = join(toolRoot, 'qemu/guest/init.c')
  const machine = request.arch === 'i386' ? '-m32' : '-m64'
  const options = request.signal ? { signal: request.signal } : {}
  const compiler = await runOk('gcc', ['--version'], options)
  const made = await artefact(
    'guest-init',
    {
      arch: request.arch,
      tree: request.treeId,
      source: await sha256File(source),
      compiler,
      headers: headersVersion(),
      flags: [...COMMON, ...FREESTANDING],
    },
    async (dir) => {
      const nolibc = join(request.treeDir, 'tools/include/nolibc')
      const include = await runOk('gcc', ['-print-file-name=include'], options)
      // One directory of asm headers serves both word sizes on x86; without multiarch it is /usr/include itself.
      const multiarch = `/usr/include/${await runOk('gcc', ['-print-multiarch'], options)}`
      const dirs = [include, '/usr/include', ...(existsSync(join(multiarch, 'asm')) ? [multiarch] : [])]
      const where = ['-I', nolibc, ...dirs.flatMap((d) => ['-isystem', d])]
      const out = join(dir, 'init')
      await runOk('gcc', [machine, ...COMMON, ...FREESTANDING, ...where, '-o', out, source], options)
      requireStatic(out)
      return {}
    },
  )
  return join(made.dir, 'init')
}

/**
 * Compiles one C file of qemu/guest into a static program for the host's own architecture, C library included.
 * Returns its path.
 *
 * @param libraries static libraries beside the C library, as the linker names them.
 * @throws LabError when the compiler or a static library is missing, or the program does not compile.
 */
export async function compileStatic(
  source: string,
  libraries: readonly string[] = [],
  signal?: AbortSignal,
): Promise<string> {
  const options = signal ? { signal } : {}
  const compiler = await runOk('gcc', ['--version'], options)
  const files = await Promise.all(
    ['c', ...new Set(libraries)].map((name) => staticLibrary(name, source, signal)),
  )
  const inputs = {
    source: await sha256File(source),
    headers: await hashHeaders(dirname(source)),
    compiler,
    libraries: await Promise.all(files.map((file) => sha256File(file))),
    flags: [...COMMON, ...libraries],
  }
  const made = await artefact('guest-tool', { ...inputs, system: headersVersion() }, async (dir) => {
    const out = join(dir, 'tool')
    const linked = libraries.map((name) => `-l${name}`)
    await runOk('gcc', [...COMMON, '-pthread', '-o', out, source, ...linked], options)
    requireStatic(out)
    return {}
  })
  return join(made.dir, 'tool')
}

/** Where the compiler has lib<name>.a. */
async function staticLibrary(name: string, source: string, signal: AbortSignal | undefined): Promise<string> {
  const archive = `lib${name}.a`
  const file = await runOk('gcc', [`-print-file-name=${archive}`], signal ? { signal } : {})
  if (existsSync(file)) return file
  throw new LabError({
    what: `cannot build ${source}`,
    why: `there is no static library ${archive}`,
    fix: 'run ./phyr doctor --install',
  })
}

/** The headers that lie beside a source: it may include any of them. */
async function hashHeaders(dir: string): Promise<string[]> {
  const files = readdirSync(dir).filter((file) => file.endsWith('.h'))
  return Promise.all(files.toSorted().map((file) => sha256File(join(dir, file))))
}

function headersVersion(): string {
  const file = '/usr/include/linux/version.h'
  if (existsSync(file)) return sha256(readFileSync(file))
  throw new LabError({
    what: 'cannot build programs for the guest',
    why: `${file} is missing`,
    fix: 'run ./phyr doctor --install (Debian: linux-libc-dev)',
  })
}

function requireStatic(path: string): void {
  const elf = readProgram(path)
  if (elf.interpreter === undefined && elf.needed.length === 0) return
  throw new LabError({
    what: `cannot use ${path} in the guest`,
    why: 'the compiler made a dynamic program although -static was asked for',
    fix: 'use an unmodified gcc',
  })
}
