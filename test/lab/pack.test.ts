// SPDX-License-Identifier: GPL-2.0-only
// phyr as a package: packed, installed elsewhere, run from there. Needs the npm registry, as npm ci did.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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
