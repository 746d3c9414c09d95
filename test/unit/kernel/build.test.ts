// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { buildKernel, type BuildRequest, cachedKernel } from '../../../tools/kernel/build.ts'
import { Finding, LabError } from '../../../tools/lib/errors.ts'
import { readLayout } from '../../../tools/kernel/layout.ts'
import { canProbe } from '../../../tools/kernel/layout-probe.ts'
import { readWarnings } from '../../../tools/kernel/warnings.ts'
import type { Patch, Tree } from '../../../tools/series/series.ts'

/**
 * A `make` that does what kbuild does as far as buildKernel can see: it writes .config from KCONFIG_ALLCONFIG, and
 * vmlinux by compiling main.c. What it is called with goes to calls.log.
 */
const FAKE_MAKE = `#!/bin/sh
[ "$1" = --version ] && { echo "GNU Make 4.3"; exit; }
for arg; do case $arg in O=*) out=\${arg#O=} ;; esac; last=$arg; done
echo "$last\${W:+ W=$W}" >> "$FAKE_DIR/calls.log"
src=$2
case $last in
allnoconfig)
	grep -v DROPPED "$KCONFIG_ALLCONFIG" > "$out/.config" ;;
vmlinux)
	[ "$out/main.o" -nt "$src/main.c" ] && exit
	echo "  CC      main.o"
	[ -e "$FAKE_DIR/kill" ] && { echo half > "$out/main.o"; kill -9 $$; }
	[ -e "$FAKE_DIR/full" ] && { echo "main.c:1:1: fatal error: error writing to /tmp/x: No space left on device" >&2; exit 2; }
	gcc -Wall -nostdlib -static -o "$out/vmlinux" "$src/main.c" || { echo "make: *** [main.o] Error 1" >&2; exit 2; }
	cp "$out/vmlinux" "$out/main.o"
	echo "0000 T _start" > "$out/System.map"
	mkdir -p "$out/init"; echo "savedcmd_init/main.o := gcc -I$src/include -c main.c" > "$out/init/.main.o.cmd"
	mkdir -p "$out/include/config"; echo 7.3.4 > "$out/include/config/kernel.release" ;;
headers) ;;
install)
	for arg; do case $arg in KSFT_INSTALL_PATH=*) to=\${arg#*=} ;; esac; done
	mkdir -p "$to"; echo test > "$to/run_kselftest.sh" ;;
esac
`

let root: string
let request: BuildRequest
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'phyr-build-'))
  mkdirSync(join(root, 'bin'))
  writeFileSync(join(root, 'bin/make'), FAKE_MAKE)
  chmodSync(join(root, 'bin/make'), 0o755)
  mkdirSync(join(root, 'fragments'))
  for (const file of ['base', 'lab', 'phyr']) writeFileSync(join(root, 'fragments', `${file}.config`), '')
  writeFileSync(join(root, 'fragments/base.config'), 'CONFIG_A=y\n')
  vi.stubEnv('PATH', `${join(root, 'bin')}:${process.env['PATH']}`)
  vi.stubEnv('PHYR_CACHE', join(root, 'cache'))
  vi.stubEnv('FAKE_DIR', root)
  vi.stubEnv('W', '1')
  request = {
    tree: treeOf('void _start(void) {}\n'),
    config: 'lab',
    fragments: join(root, 'fragments'),
    selftests: [],
  }
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true, force: true })
})

const git = (...args: string[]): string =>
  execFileSync(
    'git',
    ['-C', join(root, 'tree'), '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  ).trim()

/** A git tree with a base commit, and a patch that writes main.c. */
function treeOf(main: string): Tree {
  const dir = join(root, 'tree')
  mkdirSync(join(dir, 'tools/testing/selftests/mm'), { recursive: true })
  writeFileSync(
    join(dir, 'Kconfig'),
    'config A\n\tbool "A"\nconfig DROPPED\n\tbool "D"\n\tdepends on MISSING\n',
  )
  writeFileSync(join(dir, 'tools/testing/selftests/mm/Makefile'), '')
  if (!existsSync(join(dir, '.git'))) git('init', '-q')
  git('add', '-A')
  git('commit', '-q', '--allow-empty', '-m', 'base')
  const base = git('rev-parse', 'HEAD')
  writeFileSync(join(dir, 'main.c'), main)
  git('add', '-A')
  git('commit', '-q', '--allow-empty', '-m', 'patch')
  const patch: Patch = { number: 1, file: '0001-main.patch', subject: 'main', text: '', paths: ['main.c'] }
  const commit = git('rev-parse', 'HEAD')
  const identity = {
    provider: 'git',
    version: '7.3.4',
    tree: git('rev-parse', `${base}^{tree}`),
    commit: base,
  } as const
  return {
    dir,
    applied: {
      base: { repo: join(dir, '.git'), commit: base, identity, cached: true },
      series: {
        dir: root,
        name: 'phyr',
        version: 1,
        changeId: 'x',
        base: { provider: 'debian', package: 'linux-source-7.3', version: '7.3' },
        patches: [patch],
        hash: 'h',
      },
      commit,
      tree: git('rev-parse', 'HEAD^{tree}'),
      commits: [{ patch, commit }],
      cached: false,
    },
  }
}

const calls = (): string[] => readFileSync(join(root, 'calls.log'), 'utf8').trim().split('\n')

test('builds once; the second time comes from the cache without make', async () => {
  expect(await cachedKernel(request)).toBeUndefined()
  const first = await buildKernel(request)
  expect(first).toMatchObject({
    cached: false,
    release: '7.3.4',
    arch: 'x86_64',
    config: 'lab',
    selftests: undefined,
  })
  expect(first.record.bytes.text).toBeGreaterThan(0)
  expect(first.record.compiler).toContain('gcc')
  for (const file of [first.image, first.vmlinux, first.systemMap, first.configFile])
    expect(existsSync(file)).toBe(true)
  // W=1 of the user's shell must not reach kbuild.
  expect(calls()).toEqual(['allnoconfig', 'vmlinux'])

  const second = await buildKernel(request)
  expect(second).toEqual({ ...first, cached: true })
  expect(await cachedKernel(request)).toEqual(second)
  expect(calls()).toHaveLength(2)
})

test('another config text, tree or selftest is another kernel; the same code has the same hash', async () => {
  const first = await buildKernel(request)
  writeFileSync(join(root, 'fragments/lab.config'), 'CONFIG_B=y\n')
  writeFileSync(join(root, 'tree/Kconfig'), 'config A\n\tbool "A"\n')
  const config = await buildKernel(request)
  const tree = await buildKernel({ ...request, tree: treeOf('void _start(void) { for (;;); }\n') })
  const tests = await buildKernel({ ...request, selftests: ['mm', 'notthere', 'mm'] })
  expect(new Set([first.key, config.key, tree.key, tests.key]).size).toBe(4)
  expect(config.record.allocatedHash).toBe(first.record.allocatedHash)
  expect(tree.record.allocatedHash).not.toBe(first.record.allocatedHash)
  expect(existsSync(join(tests.selftests ?? '', 'run_kselftest.sh'))).toBe(true)
})

test('a compile error names the line and the patch that wrote it, and is not cached', async () => {
  const broken = { ...request, tree: treeOf('void _start(void)\n{\n\tmissing();\n\treturn x;\n}\n') }
  const error = await buildKernel(broken).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(Finding)
  expect(error).toMatchObject({ stage: 'build', blame: '0001-main.patch' })
  expect((error as Finding).message).toMatch(/^main\.c:4:\d+: error: .*x.* undeclared/)
  expect(await cachedKernel(broken)).toBeUndefined()
  const fixed = await buildKernel({ ...request, tree: treeOf('void _start(void) {}\n') })
  expect(fixed.cached).toBe(false)
})

test('warnings are kept beside the kernel, of objects that were not made again as well', async () => {
  const tree = treeOf('void _start(void) { int unused; }\n')
  const kernel = await buildKernel({ ...request, tree })
  expect(kernel.record.warnings).toBe(1)
  const [object, ...others] = Object.entries(readWarnings(kernel) ?? {})
  expect(others).toEqual([])
  expect(object).toEqual(['main.o', [expect.stringMatching(/^main\.c:1:\d+: warning: unused variable/)]])
  writeFileSync(join(root, 'fragments/lab.config'), 'CONFIG_B=y\n')
  const again = await buildKernel({ ...request, tree })
  expect(again.cached).toBe(false)
  expect(readWarnings(again)).toEqual(readWarnings(kernel))
})

test('an option that kconfig drops is a finding that names the dependency; nothing is compiled', async () => {
  writeFileSync(join(root, 'fragments/lab.config'), '# D\nCONFIG_DROPPED=y\n')
  const error = await buildKernel(request).catch((e: unknown) => e)
  expect(error).toMatchObject({ stage: 'config', blame: 'lab.config:2' })
  expect((error as Finding).message).toContain('needs MISSING (which this base does not have)')
  expect(calls()).toEqual(['allnoconfig'])
})

test('options of the series’ fragment may be undefined while not all patches are applied', async () => {
  writeFileSync(join(root, 'fragments/phyr.config'), 'CONFIG_PHYR=y\n')
  const { applied } = request.tree
  const none = { ...request, tree: { ...request.tree, applied: { ...applied, commits: [] } } }
  const kernel = await buildKernel(none)
  expect(readFileSync(kernel.configFile, 'utf8')).toBe('CONFIG_A=y\n')
})

test.skipIf(!canProbe())('the layout of its structures is part of a kernel', async () => {
  mkdirSync(join(root, 'tree/include/linux'), { recursive: true })
  writeFileSync(join(root, 'tree/include/linux/phyr.h'), 'struct phyr { long addr; long len; };\n')
  const kernel = await buildKernel({ ...request, tree: treeOf('void _start(void) {}\n') })
  expect(readLayout(kernel)?.structs['struct phyr']).toMatchObject({ bytes: 16, holes: 0 })
  expect(readLayout(await buildKernel(request))?.absent).toBeUndefined()
  expect(existsSync(join(kernel.dir, '.probe'))).toBe(false)
})

test('a kernel is built without pahole all the same, and is another one than with it', async () => {
  const bin = join(root, 'bin')
  for (const program of ['gcc', 'as', 'ld', 'strip', 'git', 'sh', 'cat', 'grep', 'echo', 'mkdir']) {
    const path = execFileSync('sh', ['-c', 'command -v "$0"', program], { encoding: 'utf8' }).trim()
    if (path.startsWith('/')) symlinkSync(path, join(bin, program))
  }
  const withIt = canProbe() ? (await buildKernel(request)).key : ''
  vi.stubEnv('PATH', bin)
  const kernel = await buildKernel(request)
  expect(readLayout(kernel)).toMatchObject({ absent: 'pahole is not installed', structs: {} })
  expect(kernel.key).not.toBe(withIt)
})

test('without the series’ tests, base and series have the same options and another key', async () => {
  writeFileSync(join(root, 'tree/Kconfig'), 'config A\n\tbool "A"\nconfig PHYR\n\tbool "P"\n')
  writeFileSync(join(root, 'fragments/phyr.config'), 'CONFIG_PHYR=y\n')
  const { applied } = request.tree
  const base = { ...request.tree, applied: { ...applied, commits: [] } }
  const tested = await buildKernel(request)
  const series = await buildKernel({ ...request, tests: false })
  const bare = await buildKernel({ ...request, tests: false, tree: base })
  expect(readFileSync(tested.configFile, 'utf8')).toBe('CONFIG_A=y\nCONFIG_PHYR=y\n')
  expect(readFileSync(series.configFile, 'utf8')).toBe('CONFIG_A=y\n')
  expect(series.key).not.toBe(tested.key)
  expect(bare.record.configHash).toBe(series.record.configHash)
  expect((await buildKernel({ ...request, tests: true })).key).toBe(tested.key)
})

test('a full disk and a killed make are the lab’s fault; the next build removes what was half written', async () => {
  writeFileSync(join(root, 'full'), '')
  const full = await buildKernel(request).catch((e: unknown) => e)
  expect(full).toBeInstanceOf(LabError)
  expect(full).toMatchObject({ why: 'the disk is full' })
  rmSync(join(root, 'full'))

  writeFileSync(join(root, 'kill'), '')
  const killed = await buildKernel(request).catch((e: unknown) => e)
  expect(killed).toBeInstanceOf(LabError)
  rmSync(join(root, 'kill'))
  const object = join(root, 'cache/build')
  const half = execFileSync('find', [object, '-name', 'main.o'], { encoding: 'utf8' }).trim()
  expect(half).not.toBe('')
  const kernel = await buildKernel(request)
  expect(kernel.cached).toBe(false)
  expect(readFileSync(half, 'utf8')).not.toBe('half\n')
})

test('two builds of the same kernel at once: one makes it, the other gets it', async () => {
  const both = await Promise.all([buildKernel(request), buildKernel(request)])
  expect(both.map((k) => k.cached).sort()).toEqual([false, true])
  expect(calls().filter((c) => c === 'vmlinux')).toHaveLength(1)
})
