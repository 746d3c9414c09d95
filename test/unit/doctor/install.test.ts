// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Row } from '../../../tools/doctor/doctor.ts'
import { familyOf, install, lineFor, packagesFor } from '../../../tools/doctor/install.ts'
import { requirements } from '../../../tools/doctor/requirements.ts'
import { LabError } from '../../../tools/lib/errors.ts'

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'

let bin: string
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'phyr-install-'))
  vi.stubEnv('PATH', `${bin}:${process.env['PATH']}`)
  vi.stubEnv('FAKE_DIR', bin)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(bin, { recursive: true, force: true })
})

function put(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin, name), 0o755)
}

/** Rows in which only these are missing. */
function missing(...names: string[]): Row[] {
  return requirements.map((requirement) => {
    const state = names.includes(requirement.name) ? 'missing' : 'ok'
    return { requirement, found: undefined, path: undefined, state }
  })
}

const calls = (): string[] => {
  const file = join(bin, 'calls.log')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

const RECORD = 'echo "$DEBIAN_FRONTEND $*" >> "$FAKE_DIR/calls.log"'

test('as root: updates the lists, then installs only what is missing', async () => {
  put('apt-get', RECORD)
  const done = await install(missing('fio', 'ccache', 'chromium'), { osRelease: DEBIAN, uid: 0 })
  expect(done).toEqual({ how: 'installed', packages: ['ccache', 'fio'] })
  expect(calls()).toEqual([
    'noninteractive update -q',
    'noninteractive install -q -y --no-install-recommends -- ccache fio',
  ])
})

test('nothing missing: apt-get is not even started', async () => {
  put('apt-get', RECORD)
  expect(await install(missing('chromium'), { osRelease: DEBIAN, uid: 0 })).toEqual({ how: 'nothing-to-do' })
  expect(calls()).toEqual([])
})

test('as a user whom sudo trusts: through sudo -n', async () => {
  put('apt-get', RECORD)
  put('sudo', '[ "$1" = -n ] || exit 9; shift; exec "$@"')
  expect(await install(missing('fio'), { osRelease: DEBIAN, uid: 1000 })).toMatchObject({ how: 'installed' })
  expect(calls()).toHaveLength(2)
})

test('as a user whom sudo would ask: the one line to run, and nothing is done', async () => {
  put('apt-get', RECORD)
  put('sudo', 'echo "sudo: a password is required" >&2; exit 1')
  expect(await install(missing('fio', 'xz'), { osRelease: DEBIAN, uid: 1000 })).toEqual({
    how: 'ask',
    packages: ['fio', 'xz-utils'],
    line: "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends fio xz-utils'",
  })
  expect(calls()).toEqual([])
})

test('another distribution gets its own names', async () => {
  put('apt-get', RECORD)
  expect(await install(missing('xz', 'libelf headers'), { osRelease: 'ID=fedora\n', uid: 0 })).toEqual({
    how: 'ask',
    packages: ['elfutils-libelf-devel', 'xz'],
    line: 'sudo dnf install elfutils-libelf-devel xz',
  })
  expect(calls()).toEqual([])
})

test('apt-get that fails is a broken lab, with its own words', async () => {
  put('apt-get', 'echo "E: Unable to locate package fio" >&2; exit 100')
  const error = await install(missing('fio'), { osRelease: DEBIAN, uid: 0 }).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(LabError)
  expect((error as LabError).detail.join('\n')).toContain('Unable to locate package fio')
})

test.each([
  ['ID=debian', 'debian'],
  ['ID=ubuntu\nID_LIKE=debian', 'debian'],
  ['ID=linuxmint\nID_LIKE="ubuntu debian"', 'debian'],
  ["ID='fedora'", 'fedora'],
  ['ID="rocky"\nID_LIKE="rhel centos fedora"', 'fedora'],
  ['ID=arch', 'arch'],
  ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"', 'opensuse'],
  ['ID=nixos', undefined],
  ['VARIANT_ID=debian\nID=void', undefined],
  ['', undefined],
])('familyOf(%j) is %s', (text, family) => expect(familyOf(text)).toBe(family))

test('an unknown distribution is told Debian’s names', () => {
  expect(lineFor(undefined, ['fio'])).toContain('fio')
  expect(packagesFor(missing('fio', 'C library headers'), 'arch')).toEqual(['fio', 'glibc'])
})
