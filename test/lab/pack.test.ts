// SPDX-License-Identifier: GPL-2.0-only
// phyr as a package: packed, installed elsewhere, run from there. Needs the npm registry, as npm ci did.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ownVersion, toolRoot } from '../../tools/lib/paths.ts'

test('npm pack, npm install elsewhere, phyr there', () => {
  const dir = mkdtempSync(join(tmpdir(), 'phyr-pack-'))
  const at = (cwd: string, file: string, ...args: string[]): string =>
    execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    at(toolRoot, 'npm', 'pack', '--silent', '--pack-destination', dir)
    const tarball = readdirSync(dir).find((name) => name.endsWith('.tgz'))!
    writeFileSync(join(dir, 'package.json'), '{"name":"elsewhere","version":"9.9.9","private":true}')
    at(dir, 'npm', 'install', '--silent', '--no-audit', '--no-fund', `./${tarball}`)
    const phyr = join(dir, 'node_modules/.bin/phyr')
    expect(at('/', phyr, '--version').trim()).toBe(ownVersion())
    // Every file that the tools name by its place: what a command reads only with an option is missed by no other test.
    const tools = join(toolRoot, 'tools')
    const named = readdirSync(tools, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [
        ...readFileSync(join(tools, file), 'utf8').matchAll(/join\(toolRoot, '([^']+)'\)/g),
      ])
      .map((match) => match[1]!)
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter((file) => !existsSync(join(dir, 'node_modules/phyr', file)))).toEqual([])
    // The series and all that goes with it came along.
    const applied = JSON.parse(at('/', phyr, 'apply', '--json', '-q')) as { commits: unknown[] }
    expect(applied.commits.length).toBeGreaterThan(0)
    // --again: a result that another clone stored would do for a plan with nothing in it.
    const plan = at('/', phyr, 'test', 'kunit', '--accel', 'tcg', '--again', '-n', '-q')
    expect(plan).toMatch(/^(make|\/.*qemu-system-x86_64) /m)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}, 300_000)
