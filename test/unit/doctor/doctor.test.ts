// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { examine, isComplete, lacking, type Row } from '../../../tools/doctor/doctor.ts'
import { packagesFor } from '../../../tools/doctor/install.ts'
import { requirements } from '../../../tools/doctor/requirements.ts'
import { doctorTable } from '../../../tools/doctor/table.ts'
import { isAtLeast } from '../../../tools/doctor/version.ts'
import { which } from '../../../tools/lib/which.ts'

/** First lines of --version as the programs of Debian 12 print them. */
const VERSIONS: Readonly<Record<string, string>> = {
  gcc: 'gcc (Debian 12.2.0-14+deb12u1) 12.2.0',
  ld: 'GNU ld (GNU Binutils for Debian) 2.40',
  make: 'GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu',
  flex: 'flex 2.6.4',
  bison: 'bison (GNU Bison) 3.8.2',
  bc: 'bc 1.07.1',
  python3: 'Python 3.11.2',
  perl: 'This is perl 5, version 36, subversion 0 (v5.36.0) built for x86_64',
  git: 'git version 2.39.5',
  xz: 'xz (XZ Utils) 5.4.1',
  rsync: 'rsync  version 3.2.7  protocol version 31',
  'qemu-system-x86_64': 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)',
  fio: 'fio-3.33',
  ccache: 'ccache version 4.7.5',
  rdma: 'rdma utility, iproute2-6.1.0',
  ib_write_bw: 'Version: 6.06',
}

let bin: string
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'phyr-doctor-'))
})
afterEach(() => rmSync(bin, { recursive: true, force: true }))

/** Puts a program into the fake $PATH that prints `text`. */
function put(name: string, text: string, mode = 0o755): void {
  writeFileSync(join(bin, name), `#!/bin/sh\nprintf '%s\\n' '${text}'\n`)
  chmodSync(join(bin, name), mode)
}

async function rowOf(name: string): Promise<Row> {
  const row = (await examine({ path: bin })).find((r) => r.requirement.name === name)
  if (!row) throw new Error(`no requirement ${name}`)
  return row
}

test('an empty machine: everything is missing, and --install knows what to get', async () => {
  const rows = await examine({ path: bin, root: bin })
  expect(rows).toHaveLength(requirements.length)
  expect(rows.every((row) => row.state === 'missing' && row.found === undefined)).toBe(true)
  expect(isComplete(rows)).toBe(false)
  expect(lacking(rows).map((row) => row.requirement.name)).toContain('ccache')
  expect(lacking(rows).map((row) => row.requirement.name)).not.toContain('chromium')
})

test('what one suite needs is required where that suite runs', async () => {
  const rows = (await examine({ path: bin, root: bin })).map((row) =>
    row.requirement.need === 'required' ? { ...row, state: 'ok' as const } : row,
  )
  expect(isComplete(rows)).toBe(true)
  expect(isComplete(rows, ['kunit', 'gup'])).toBe(true)
  expect(isComplete(rows, ['kunit', 'rdma'])).toBe(false)
  expect(isComplete(rows, ['pyverbs'])).toBe(false)
  const wanted = lacking(rows).filter((row) => row.requirement.neededBy?.includes('rdma'))
  expect(packagesFor(wanted, 'debian')).toEqual([
    'ibverbs-providers',
    'ibverbs-utils',
    'iproute2',
    'libibverbs-dev',
    'librdmacm-dev',
    'perftest',
    'rdmacm-utils',
  ])
})

test('a command, a file and a static library are there or not', async () => {
  put('rping', 'usage')
  put('gcc', '/usr/lib/librdmacm.a')
  mkdirSync(join(bin, 'etc/libibverbs.d'), { recursive: true })
  writeFileSync(join(bin, 'etc/libibverbs.d/rxe.driver'), 'driver rxe\n')
  const rows = await examine({ path: bin, root: bin })
  const state = (name: string): string | undefined => rows.find((r) => r.requirement.name === name)?.state
  expect(['rping', 'librdmacm.a', 'rxe and siw for user space'].map(state)).toEqual(['ok', 'ok', 'ok'])
  // A compiler that does not have it says the bare name.
  put('gcc', 'librdmacm.a')
  expect(await rowOf('librdmacm.a')).toMatchObject({ state: 'missing' })
  expect(await rowOf('ibv_rc_pingpong')).toMatchObject({ state: 'missing' })
})

describe('versions', () => {
  test.each(Object.entries(VERSIONS))('%s is understood', async (name, text) => {
    put(name, text)
    const row = await rowOf(name)
    expect(row).toMatchObject({ state: 'ok', path: join(bin, name) })
    expect(text).toContain(row.found)
  })

  test('a program that is too old is told', async () => {
    put('qemu-system-x86_64', 'QEMU emulator version 6.2.0 (Debian 1:6.2+dfsg-2ubuntu6)')
    expect(await rowOf('qemu-system-x86_64')).toMatchObject({ state: 'old', found: '6.2.0' })
    expect(isComplete(await examine({ path: bin }))).toBe(false)
  })

  test('a program that does not say a version is not taken for the right one', async () => {
    put('fio', 'usage: something else')
    expect(await rowOf('fio')).toMatchObject({ state: 'old', found: 'no version' })
  })

  test('a file that may not be executed is not there', async () => {
    put('flex', 'flex 2.6.4', 0o644)
    expect(await rowOf('flex')).toMatchObject({ state: 'missing' })
  })

  test('busybox has to be a static program', async () => {
    put('busybox', 'BusyBox v1.35.0')
    expect(await rowOf('busybox')).toMatchObject({ state: 'old', found: '1.35.0, needs libraries' })
  })

  test.each([
    ['4.3', '4.0', true],
    ['2.5.35', '2.5.35', true],
    ['2.5.4', '2.5.35', false],
    ['1.07.1', '1.06.95', true],
    ['12', '8.1', true],
    ['7.2.22', '7.2', true],
    ['7', '7.0.1', false],
  ])('isAtLeast(%s, %s) is %s', (version, minimum, expected) => {
    expect(isAtLeast(version, minimum)).toBe(expected)
  })
})

test('headers are asked of the compiler', async () => {
  const gcc = which('gcc')
  if (gcc === undefined) throw new Error('this test needs gcc, as all of phyr does')
  symlinkSync(gcc, join(bin, 'gcc'))
  const rows = await examine({ path: `${bin}:${process.env['PATH']}` })
  expect(rows.find((r) => r.requirement.name === 'C library headers')).toMatchObject({
    state: 'ok',
    found: 'there',
  })
  // The same compiler that finds nothing: a header is then missing, not an error.
  rmSync(join(bin, 'gcc'))
  writeFileSync(join(bin, 'gcc'), '#!/bin/sh\nexit 1\n')
  chmodSync(join(bin, 'gcc'), 0o755)
  expect(await rowOf('C library headers')).toMatchObject({ state: 'missing' })
})

test('the table says what is missing and what for, without control characters', async () => {
  put('make', 'GNU Make 4.3')
  const rows = await examine({ path: bin })
  const lines = doctorTable(rows).split('\n')
  expect(lines).toHaveLength(rows.length + 1)
  expect(lines.find((l) => l.includes(' make '))).toMatch(/^ok +make +4\.3 +>= 4\.0 +build the kernel$/)
  expect(lines.find((l) => l.includes(' fio '))).toMatch(/^MISSING +fio +- +>= 3\.16 +load/)
  expect(lines.find((l) => l.includes(' chromium '))).toMatch(/^\(optional\)/)
  const hostile = rows.map((row) => ({ ...row, found: '1\u001b[2J' }))
  expect(doctorTable(hostile)).not.toContain('\u001b')
})

test('every requirement has a package for every distribution, and a purpose', () => {
  for (const { name, packages, purpose } of requirements) {
    expect(purpose, name).not.toBe('')
    for (const names of Object.values(packages)) expect(names, name).toMatch(/^[a-z0-9][a-z0-9+.-]+$/)
  }
  expect(new Set(requirements.map((r) => r.name)).size).toBe(requirements.length)
})
