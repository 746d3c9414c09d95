// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  configs,
  mergeFragments,
  parseDotConfig,
  parseFragment,
  readConfig,
  withoutOptions,
} from '../../../tools/kernel/fragments.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'

describe('parseFragment', () => {
  test('reads every kind of line, and where it stands', () => {
    const text =
      '# why\n\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="a b"\nCONFIG_D=0x10\n  CONFIG_E=-3\nCONFIG_F=n\n'
    expect(parseFragment('x.config', text)).toEqual([
      { option: 'A', value: 'y', file: 'x.config', line: 3 },
      { option: 'B', value: 'n', file: 'x.config', line: 4 },
      { option: 'C', value: '"a b"', file: 'x.config', line: 5 },
      { option: 'D', value: '0x10', file: 'x.config', line: 6 },
      { option: 'E', value: '-3', file: 'x.config', line: 7 },
      { option: 'F', value: 'n', file: 'x.config', line: 8 },
    ])
  })

  test.each([
    ['CONFIG_A', 1],
    ['\nA=y', 2],
    ['CONFIG_A=yes', 1],
    ['CONFIG_A=y # why', 1],
    ['CONFIG_A="open', 1],
    ['CONFIG_A = y', 1],
    ['CONFIG_A=y CONFIG_B=y', 1],
    ['# CONFIG_A is no set', 1],
    ['include other.config', 1],
    ['CONFIG_A=$(shell id)', 1],
  ])('refuses %j with its line', (text, line) => {
    expect(() => parseFragment('x.config', text)).toThrow(`x.config:${line}: not an option`)
  })

  test('refuses an option that is named twice, on or off', () => {
    expect(() => parseFragment('x.config', 'CONFIG_A=y\nCONFIG_B=y\n# CONFIG_A is not set\n')).toThrow(
      'x.config:3: CONFIG_A is already set in line 1',
    )
  })
})

test('a later fragment wins, and is the one to blame', () => {
  const merged = mergeFragments([
    parseFragment('a.config', 'CONFIG_X=y\nCONFIG_Y=1\n'),
    parseFragment('b.config', '\n# CONFIG_X is not set\nCONFIG_Z=m\n'),
  ])
  expect(merged.text).toBe('# CONFIG_X is not set\nCONFIG_Y=1\nCONFIG_Z=m\n')
  expect(merged.settings.get('X')).toMatchObject({ file: 'b.config', line: 2 })
  expect(merged.hash).not.toBe(withoutOptions(merged, new Set(['Z'])).hash)
  expect(withoutOptions(merged, new Set(['Z'])).text).toBe('# CONFIG_X is not set\nCONFIG_Y=1\n')
})

test('parseDotConfig: what is off is absent', () => {
  const config = parseDotConfig(
    '#\n# Linux\n#\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="x=y"\nCONFIG_D=n\n',
  )
  expect([...config]).toEqual([
    ['A', 'y'],
    ['C', '"x=y"'],
  ])
})

test.each(Object.keys(configs))('the toolkit’s own fragments of %s are well-formed', (name) => {
  const dir = join(toolRoot, 'kernel-config')
  expect(readConfig(name, dir).settings.get('KUNIT')?.value).toBe('y')
})

test.each(Object.keys(configs))('%s without tests has everything but the series’ fragment', (name) => {
  const dir = join(toolRoot, 'kernel-config')
  const all = [...readConfig(name, dir).settings.values()]
  const without = [...readConfig(name, dir, { tests: false }).settings.values()]
  expect(without).toEqual(all.filter((setting) => !setting.file.startsWith('phyr')))
  expect(without.length).toBeLessThan(all.length)
})

test('an unknown config and a missing fragment are usage errors', () => {
  expect(() => readConfig('lap', 'kernel-config')).toThrow('there is no config "lap"')
  expect(() => readConfig('constructor', 'kernel-config')).toThrow('there is no config')
  expect(() => readConfig('lab', '/nonexistent')).toThrow('/nonexistent/base.config: no such fragment')
})
