// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PrivateApt } from '../../../tools/base/apt.ts'
import { debianMirrors, parseList, parseSources, sourceStanza } from '../../../tools/base/apt-sources.ts'
import { debianBase, parseVersion } from '../../../tools/base/debian.ts'
import { UsageError } from '../../../tools/lib/errors.ts'
import { scratch } from './repo-fixture.ts'

let dir: string
let remove: () => void
beforeEach(() => ({ dir, remove } = scratch()))
afterEach(() => remove())

const KEY = '/usr/share/keyrings/debian-archive-keyring.gpg'

test('both styles of apt sources are read, and only the Debian archive is taken', () => {
  mkdirSync(join(dir, 'sources.list.d'))
  writeFileSync(
    join(dir, 'sources.list'),
    'deb [arch=amd64 trusted=yes signed-by=/k.gpg] http://one.example/debian bookworm main contrib # note\n' +
      '#deb http://off.example/debian bookworm main\n' +
      'deb-src http://src.example/debian bookworm main\n' +
      'deb http://one.example/debian-security bookworm-security main\n' +
      'deb http://other.example/apt bookworm main\n',
  )
  writeFileSync(
    join(dir, 'sources.list.d/debian.sources'),
    `Types: deb deb-src\n# a note\nURIs: http://two.example/debian/\n  http://three.example/mirror/debian\nSuites: bookworm bookworm-updates\n` +
      `Components: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n\n` +
      `Types: deb\nURIs: http://four.example/debian\nSuites: sid\nComponents: main\nEnabled: no\n`,
  )
  writeFileSync(
    join(dir, 'sources.list.d/x.sources.disabled'),
    'Types: deb\nURIs: http://five.example/debian\n',
  )
  const mirrors = debianMirrors(dir)
  expect(mirrors.map((m) => m.uri)).toEqual([
    'http://one.example/debian',
    'http://two.example/debian/',
    'http://three.example/mirror/debian',
  ])
  expect(mirrors[0]).toMatchObject({ suites: ['bookworm'], signedBy: '/k.gpg' })
  const stanza = sourceStanza(mirrors[1] ?? mirrors[0]!, 'experimental')
  expect(stanza).toContain('Suites: experimental\n')
  expect(stanza).toContain('Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n')
  expect(mirrors.map((m) => sourceStanza(m, 'sid')).join('')).not.toMatch(/trusted|insecure/i)
})

test('what the parsers give is what apt reads back', () => {
  const [mirror] = parseList(`deb [signed-by=${KEY}] http://one.example/debian trixie main\n`)
  expect(mirror && parseSources(sourceStanza(mirror, 'trixie'))).toEqual([mirror])
})

test.each([
  ['7.3', '7.3.4-1~bpo13+1', true],
  ['7.3', '7.3-1', true],
  ['7.3', '7.3~rc7-1~exp1', false],
  ['7.3.4', '7.3.4-1~bpo13+1', true],
  ['7.3.4', '7.3.40-1', false],
  ['v7.3.4', '7.3.4-2', true],
  ['7.3-rc', '7.3~rc7-1~exp1', true],
  ['7.3-rc', '7.3.4-1', false],
  ['7.3-rc6', '7.3~rc7-1~exp1', false],
  ['7.3-rc7', '7.3~rc7-1~exp1', true],
])('%s asks for %s: %s', (request, packageVersion, expected) => {
  const wanted = parseVersion(request)
  expect(wanted.name).toBe('linux-source-7.3')
  expect(wanted.matches(packageVersion)).toBe(expected)
})

test.each(['', '7', 'latest', '7.3.4-rc1', '7.3; rm -rf /', '../7.3'])('"%s" is no version', (text) => {
  expect(() => parseVersion(text)).toThrow(UsageError)
})

test('the private apt never verifies less than the machine and never writes to it', () => {
  const [mirror] = parseList('deb [trusted=yes] http://one.example/debian trixie main\n')
  const apt = new PrivateApt(join(dir, 'apt'), 'sid', mirror ? [mirror] : [])
  expect(apt.suite).toBe('sid')
  const text = readFileSync(join(dir, 'apt/apt.conf'), 'utf8')
  expect(text).toMatch(/AllowUnauthenticated "false"/)
  expect(text).toMatch(/AllowInsecureRepositories "false"/)
  for (const key of ['Dir::State', 'Dir::Cache', 'Dir::Etc::sourceparts']) {
    expect(text).toContain(`${key} "${join(dir, 'apt')}/`)
  }
})

test('a machine without the Debian archive is told what to do', async () => {
  const error: unknown = await debianBase('7.3', { etc: dir }).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(UsageError)
  expect((error as UsageError).fix).toContain('--linux DIR')
})
