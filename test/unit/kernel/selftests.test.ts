// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { installSelftests, missingTargets, presentTargets } from '../../../tools/kernel/selftests.ts'
import { Finding, UsageError } from '../../../tools/lib/errors.ts'

let root = ''
let tests = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'phyr-selftests-'))
  tests = join(root, 'tree/tools/testing/selftests')
  for (const dir of ['mm', 'phyr', 'net/lib']) mkdirSync(join(tests, dir), { recursive: true })
  writeFileSync(join(tests, 'mm/Makefile'), 'TEST_GEN_FILES += gup_phyrs_stress\nTEST_GEN_FILES += other\n')
  for (const dir of ['phyr', 'net/lib']) writeFileSync(join(tests, dir, 'Makefile'), '')
  for (const name of ['gup_phyrs', 'gup_phyrs_stress']) writeFileSync(join(tests, 'mm', `${name}.c`), '')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe('what the tree has', () => {
  const present = (...targets: string[]): readonly string[] => presentTargets(join(root, 'tree'), targets)

  test('collections and programs, sorted, each once; what is not there is left out', () => {
    expect(present('phyr', 'mm:gup_phyrs_stress', 'net/lib', 'phyr', 'gone', 'mm:gone', 'gone:x')).toEqual([
      'mm:gup_phyrs_stress',
      'net/lib',
      'phyr',
    ])
  })

  test('a program that its Makefile forgets is a finding, though a longer name is in it', () => {
    expect(() => present('mm:gup_phyrs')).toThrow(Finding)
    expect(() => present('mm:gup_phyrs')).toThrow('gup_phyrs.c is there, and its Makefile does not name it')
  })

  test.each(['../mm', 'mm/..', '', 'mm:', ':x', 'mm:a:b', 'mm:../x', 'mm:a/b', '-C', 'mm:-x', 'mm:a b'])(
    '%j is no name',
    (target) => {
      expect(() => present(target)).toThrow(UsageError)
    },
  )
})

test('what is not installed is missing', () => {
  const installed = join(root, 'installed')
  mkdirSync(join(installed, 'mm'), { recursive: true })
  writeFileSync(join(installed, 'mm/gup_phyrs'), '')
  expect(missingTargets(installed, ['mm', 'mm:gup_phyrs'])).toEqual([])
  expect(missingTargets(installed, ['phyr', 'mm:gup_phyrs', 'mm:x'])).toEqual(['phyr', 'mm:x'])
  expect(missingTargets(undefined, ['phyr'])).toEqual(['phyr'])
  expect(missingTargets(undefined, [])).toEqual([])
})

describe('make', () => {
  /** Installs with a make that writes down its arguments, one call a line, and returns the lines. */
  async function install(targets: readonly string[], fails = 'nothing'): Promise<string[]> {
    const bin = join(root, 'bin')
    mkdirSync(bin, { recursive: true })
    mkdirSync(join(root, 'o/kselftest/mm'), { recursive: true })
    writeFileSync(join(root, 'o/kselftest/mm/gup_phyrs'), 'of another tree')
    writeFileSync(
      join(bin, 'make'),
      `#!/bin/sh\necho "$*" >> ${root}/calls\necho "said $#" >&2\ncase "$*" in *${fails}*) exit 2 ;; esac\n`,
    )
    chmodSync(join(bin, 'make'), 0o755)
    const result = await installSelftests({
      make: {
        source: join(root, 'tree'),
        object: join(root, 'o'),
        args: ['-C', 'SRC', 'O=OBJ', 'ARCH=x86_64', '-j2', 'CC=gcc', 'HOSTCC=gcc'],
        env: { PATH: `${bin}:${process.env['PATH']}` },
      },
      targets,
      destination: '/to',
      logFile: join(root, 'log'),
    })
    expect(result.code).toBe(fails === 'nothing' ? 0 : 2)
    const lines = readFileSync(join(root, 'calls'), 'utf8').trimEnd().split('\n')
    expect(result.stderr.match(/said/g)).toHaveLength(lines.length)
    return lines
  }

  test('whole collections in one call, against the tree’s headers', async () => {
    expect(await install(['net/lib', 'phyr'])).toEqual([
      '-C SRC O=OBJ ARCH=x86_64 -j2 CC=gcc HOSTCC=gcc headers',
      `TARGETS=net/lib phyr -C ${tests} O=OBJ -j2 CC=gcc KSFT_INSTALL_PATH=/to install`,
    ])
    expect(existsSync(join(root, 'o/kselftest/mm/gup_phyrs'))).toBe(true)
  })

  test('of a collection named by programs those alone, built anew, and before the whole ones', async () => {
    const [, parts, whole, ...more] = await install(['mm:gup_phyrs', 'mm:gup_phyrs_stress', 'phyr'])
    const programs = ['gup_phyrs', 'gup_phyrs_stress'].map((name) => join(root, 'o/kselftest/mm', name))
    expect(parts).toContain(
      `TARGETS=mm TEST_GEN_PROGS=${programs.join(' ')} TEST_GEN_FILES=${programs.join(' ')} TEST_`,
    )
    for (const list of ['TEST_PROGS', 'TEST_FILES', 'TEST_CUSTOM_PROGS', 'TEST_GEN_MODS_DIR'])
      expect(parts).toContain(` ${list}= `)
    expect(parts).toMatch(/ KSFT_INSTALL_PATH=\/to install$/)
    expect(whole).toMatch(/^TARGETS=phyr -C /)
    expect(more).toEqual([])
    expect(existsSync(join(root, 'o/kselftest/mm/gup_phyrs'))).toBe(false)
  })

  test('a program of a collection that is wanted whole is not built twice', async () => {
    expect(await install(['mm', 'mm:gup_phyrs'])).toEqual([
      expect.stringContaining('headers'),
      expect.stringMatching(/^TARGETS=mm -C /),
    ])
  })

  test('the first step that fails is the last', async () => {
    expect(await install(['mm:gup_phyrs', 'phyr'], 'TARGETS=mm')).toHaveLength(2)
  })
})
