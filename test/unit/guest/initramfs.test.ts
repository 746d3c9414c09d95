// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { packInitramfs, withToken } from '../../../tools/guest/initramfs.ts'
import { toolNames, toolSource } from '../../../tools/guest/tools.ts'
import { UsageError } from '../../../tools/lib/errors.ts'

let dir: string
let init: string
/** A static busybox with four applets: the tests need none to be installed. */
const BUSYBOX =
  '#include <stdio.h>\nint main(void) { return puts("bin/busybox\\nbin/sh\\nbin/ls\\nusr/bin/env") < 0; }\n'

function ourEnvironment(): void {
  vi.stubEnv('PHYR_CACHE', join(dir, 'cache'))
  vi.stubEnv('PATH', `${join(dir, 'static')}:${realPath}`)
}

const realPath = process.env['PATH']
beforeAll(() => {
  dir = mkdtempSync(join(realpathSync(tmpdir()), 'phyr-initramfs-'))
  init = join(dir, 'init')
  writeFileSync(init, 'stands for init')
  mkdirSync(join(dir, 'static'))
  writeFileSync(join(dir, 'busybox.c'), BUSYBOX)
  execFileSync('gcc', ['-static', '-o', join(dir, 'static/busybox'), join(dir, 'busybox.c')])
  ourEnvironment()
})
afterEach(ourEnvironment)
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true, force: true })
})

const minimal = (more = {}): Parameters<typeof packInitramfs>[0] => ({
  arch: 'x86_64',
  init,
  programs: [],
  ...more,
})

/** Names, modes and link targets in an archive, read by our own few lines: cpio may not be installed. */
function listing(file: string): Map<string, { mode: number; data: string }> {
  const bytes = readFileSync(file)
  const found = new Map<string, { mode: number; data: string }>()
  const field = (at: number, n: number): number =>
    Number.parseInt(bytes.toString('latin1', at + 6 + 8 * n, at + 14 + 8 * n), 16)
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] === 0) {
      at += 4
      continue
    }
    expect(bytes.toString('latin1', at, at + 6)).toBe('070701')
    const nameEnd = at + 110 + field(at, 11)
    const name = bytes.toString('utf8', at + 110, nameEnd - 1)
    const dataAt = Math.ceil(nameEnd / 4) * 4
    if (name !== 'TRAILER!!!') {
      found.set(name, { mode: field(at, 1), data: bytes.toString('latin1', dataAt, dataAt + field(at, 6)) })
    }
    at = Math.ceil((dataAt + field(at, 6)) / 4) * 4
  }
  return found
}

/** Follows links inside an archive, as the guest would. */
function lookUp(files: Map<string, { mode: number; data: string }>, path: string): string | undefined {
  let parts = path.split('/').filter(Boolean)
  for (let hops = 0; hops < 20; hops++) {
    const at = parts.findIndex(
      (_, i) => ((files.get(parts.slice(0, i + 1).join('/'))?.mode ?? 0) & 0o170000) === 0o120000,
    )
    if (at < 0) return files.has(parts.join('/')) ? parts.join('/') : undefined
    const target = files.get(parts.slice(0, at + 1).join('/'))!.data
    const base = target.startsWith('/') ? '' : parts.slice(0, at).join('/')
    parts = join('/', base, target, ...parts.slice(at + 1))
      .split('/')
      .filter(Boolean)
  }
  return undefined
}

const file = (path: string) => ({ path, mode: 0o644, data: 'x' })

describe('packInitramfs', () => {
  it('has init, busybox with its applets, and programs whose loader finds everything', async () => {
    const files = listing((await packInitramfs(minimal({ programs: ['ls'] }))).file)
    expect(files.get('init')).toEqual({ mode: 0o100755, data: 'stands for init' })
    expect(lookUp(files, '/bin/sh')).toBe(lookUp(files, '/bin/busybox'))
    expect(files.get('dev/console')?.mode).toBe(0o020600)
    expect(lookUp(files, '/bin/ls')).not.toBe(lookUp(files, '/bin/busybox'))
    const wanted = execFileSync('ldd', ['/bin/ls'], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)
    const missing = [...wanted].map((m) => m[1]!).filter((path) => lookUp(files, path) === undefined)
    expect(missing).toEqual([])
    expect(lookUp(files, '/lib64/ld-linux-x86-64.so.2')).toBeDefined()
  })

  it('makes the same bytes again, and not at all when they are there', async () => {
    const request = minimal({ programs: ['ls'], files: [{ path: '/etc/x', mode: 0o644, data: 'x' }] })
    const one = await packInitramfs(request)
    expect(await packInitramfs(request)).toEqual({ ...one, cached: true })
    vi.stubEnv('PHYR_CACHE', join(dir, 'cache2'))
    const other = await packInitramfs(request)
    expect(other).toMatchObject({ cached: false, key: one.key })
    expect(readFileSync(other.file).equals(readFileSync(one.file))).toBe(true)
  })

  it('has another key when a host file, a mode or a link changes', async () => {
    const source = join(dir, 'changing')
    writeFileSync(source, 'one')
    const key = async (mode = 0o644, path = '/etc/f'): Promise<string> =>
      (await packInitramfs(minimal({ files: [{ path, mode, source }] }))).key
    const keys = [await key(), await key(0o755), await key(0o644, '/etc/g')]
    writeFileSync(source, 'two')
    keys.push(await key())
    expect(new Set(keys).size).toBe(4)
    writeFileSync(source, 'one')
    expect(await key()).toBe(keys[0])
  })

  it('copies a directory with its links, the libraries of its programs, and tells what cannot work', async () => {
    const source = join(dir, 'selftests')
    mkdirSync(join(source, 'mm'), { recursive: true })
    writeFileSync(join(source, 'main.c'), 'int main(void) { return 0; }\n')
    const lib = ['-shared', '-Wl,-soname,libown.so.1', '-o', join(source, 'mm/libown.so.1')]
    execFileSync('gcc', [...lib, '-x', 'c', '/dev/null'])
    const own = ['-Wl,--no-as-needed', join(source, 'mm/libown.so.1'), '-Wl,-rpath,$ORIGIN']
    execFileSync('gcc', ['-o', join(source, 'mm/test'), join(source, 'main.c'), ...own])
    writeFileSync(join(source, 'run.sh'), '#!/bin/sh\n', { mode: 0o700 })
    writeFileSync(join(source, 'odd'), '#!/usr/bin/env no-such-interpreter\n', { mode: 0o755 })
    symlinkSync('mm/test', join(source, 'test'))
    const made = await packInitramfs(minimal({ directories: [{ path: '/kselftest', source }] }))
    expect(made.warnings).toEqual([
      '/kselftest/odd is a script for no-such-interpreter, which the guest does not have',
    ])
    const files = listing(made.file)
    expect(lookUp(files, '/kselftest/test')).toBe('kselftest/mm/test')
    expect(files.get('kselftest/run.sh')?.mode).toBe(0o100755)
    expect(lookUp(files, '/kselftest/mm/libown.so.1')).toBeDefined()
    expect([...files.keys()].some((name) => name.endsWith('/libc.so.6'))).toBe(true)
  })

  it('carries what programs open by name, with its libraries', async () => {
    const setting = join(dir, 'own.driver')
    writeFileSync(setting, 'driver own\n')
    const files = listing((await packInitramfs(minimal({ carry: [setting, 'libc.so.*'] }))).file)
    expect(files.get(setting.slice(1))?.data).toBe('driver own\n')
    expect([...files.keys()].some((name) => name.endsWith('/libc.so.6'))).toBe(true)
    expect(lookUp(files, '/lib64/ld-linux-x86-64.so.2')).toBeDefined()
    const modules = join(dir, 'modules')
    mkdirSync(join(modules, 'own/__pycache__'), { recursive: true })
    writeFileSync(join(modules, 'own/a.py'), 'a\n')
    writeFileSync(join(modules, 'own/__pycache__/a.pyc'), 'a\n')
    const more = listing((await packInitramfs(minimal({ carry: [modules] }))).file)
    const found = [...more.keys()].filter((name) => name.startsWith(`${modules.slice(1)}/`))
    expect(found).toEqual([`${modules.slice(1)}/own`, `${modules.slice(1)}/own/a.py`])
    await expect(packInitramfs(minimal({ carry: ['libibverbs/libno-such-*.so'] }))).rejects.toThrow(
      /libno-such-\*\.so into the guest: there is no such file/,
    )
    await expect(packInitramfs(minimal({ arch: 'i386', carry: ['/etc/passwd'] }))).rejects.toThrow(
      /i386 guest/,
    )
  })

  it('refuses a script without its interpreter, and takes one that has it', async () => {
    const script = join(dir, 'script')
    writeFileSync(script, '#!/no/such/interpreter -x\n', { mode: 0o755 })
    await expect(packInitramfs(minimal({ programs: [script] }))).rejects.toThrow(
      /script for \/no\/such\/interpreter/,
    )
    writeFileSync(script, '#!/bin/sh\n')
    expect(lookUp(listing((await packInitramfs(minimal({ programs: [script] }))).file), script)).toBeDefined()
  })

  it('names a program that is not installed, and a busybox that is not static', async () => {
    await expect(packInitramfs(minimal({ programs: ['no-such-program-xyz'] }))).rejects.toThrow(
      /"no-such-program-xyz" into the guest: there is no such program/,
    )
    await expect(packInitramfs(minimal({ programs: ['../bin/ls'] }))).rejects.toThrow(/no such program/)
    mkdirSync(join(dir, 'bin'))
    symlinkSync(realpathSync('/bin/ls'), join(dir, 'bin/busybox'))
    vi.stubEnv('PATH', `${join(dir, 'bin')}:${realPath}`)
    await expect(packInitramfs(minimal())).rejects.toThrow(/not a static program/)
  })

  it('refuses hostile names and two files in one place', async () => {
    for (const path of ['/../etc/passwd', 'etc/passwd', '/a//b', '/a/./b', '/a\nb']) {
      await expect(packInitramfs(minimal({ files: [file(path)] }))).rejects.toThrow(/cannot put/)
    }
    await expect(packInitramfs(minimal({ files: [file('/init')] }))).rejects.toThrow(/two different things/)
    await expect(packInitramfs(minimal({ files: [file('/bin/busybox/x')] }))).rejects.toThrow(
      /not a directory/,
    )
    await expect(packInitramfs(minimal({ files: [file('/sbin/../../x')] }))).rejects.toThrow(/cannot put/)
  })

  it('is init and nothing else for i386', async () => {
    const made = await packInitramfs(minimal({ arch: 'i386' }))
    expect(made.shell).toBe(false)
    const files = listing(made.file)
    expect(files.has('init')).toBe(true)
    expect(lookUp(files, '/bin/sh')).toBeUndefined()
    await expect(packInitramfs(minimal({ arch: 'i386', programs: ['ls'] }))).rejects.toThrow(/i386 guest/)
    await expect(withToken(made, 'exit 0', join(dir, 'w386'))).rejects.toThrow(/no shell/)
  })
})

describe('withToken', () => {
  it('adds a new token each time, to the copy and never to the cached part', async () => {
    const base = await packInitramfs(minimal())
    const before = readFileSync(base.file)
    const runs = [
      await withToken(base, 'exit 3\n', join(dir, 'w1')),
      await withToken(base, 'exit 3\n', join(dir, 'w2')),
    ]
    expect(runs[0]!.token).toMatch(/^[0-9a-f]{32}$/)
    expect(runs[0]!.token).not.toBe(runs[1]!.token)
    expect(readFileSync(base.file).equals(before)).toBe(true)
    for (const { initramfs, token } of runs) {
      expect(before.includes(token)).toBe(false)
      expect(statSync(initramfs).mode & 0o777).toBe(0o600)
      const files = listing(initramfs)
      expect(files.get('phyr/token')).toEqual({ mode: 0o100400, data: token })
      expect(files.get('phyr/run')?.data).toBe('exit 3\n')
      expect(files.get('phyr/lib.sh')?.data).toContain('disk()')
      expect(files.has('init')).toBe(true)
      expect(readFileSync(initramfs, 'latin1').split(token)).toHaveLength(2)
    }
  })
})

describe('guest tools', () => {
  it('are built static, and an unknown one is refused', async () => {
    expect(toolNames).toContain('mapio')
    expect(() => toolSource('constructor')).toThrow(UsageError)
    const files = listing((await packInitramfs(minimal({ tools: ['mapio'] }))).file)
    expect(files.get('phyr/bin/mapio')?.mode).toBe(0o100755)
  })

  it('mapio sees every byte move, and says so when one does not', async () => {
    const tool = join(dir, 'mapio')
    const data = listing((await packInitramfs(minimal({ tools: ['mapio'] }))).file).get(
      'phyr/bin/mapio',
    )!.data
    writeFileSync(tool, data, 'latin1')
    chmodSync(tool, 0o755)
    const usage = (args: string[]): unknown => execFileSync(tool, args, { stdio: 'pipe' })
    expect(() => usage([])).toThrow(/usage/)
    expect(() => usage(['anon', '-1', '4096', '/dev/null'])).toThrow(/usage/)
    expect(() => usage(['--expect', 'ENONSENSE', 'anon', '0', '4096', '/dev/null'])).toThrow(/usage/)
    // /dev/null takes every byte and gives none back: nothing moved, so each test must fail.
    const failed = (() => {
      try {
        execFileSync(tool, ['anon', '0', '4096', '/dev/null'], { stdio: 'pipe' })
      } catch (error) {
        return error as { status: number; stdout: Buffer }
      }
      return undefined
    })()
    expect(failed?.status).toBe(1)
    const text = failed?.stdout.toString() ?? ''
    expect(text.startsWith('KTAP version 1\n')).toBe(true)
    expect(text).not.toMatch(/^ok/m)
  })
})
