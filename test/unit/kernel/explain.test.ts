// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyConfig } from '../../../tools/kernel/config.ts'
import { mergeFragments, parseFragment } from '../../../tools/kernel/fragments.ts'
import { type KconfigIndex, readKconfig } from '../../../tools/kernel/kconfig.ts'
import { Finding } from '../../../tools/lib/errors.ts'

const FILES: Readonly<Record<string, string>> = {
  Kconfig: `mainmenu "Test"
source "arch/$(SRCARCH)/Kconfig"
source "drivers/Kconfig"
source "../outside/Kconfig"
source "missing/Kconfig"
`,
  'arch/x86/Kconfig': `config X86
	def_bool y
	select ALWAYS
config ALWAYS
	bool
config 64BIT
	bool "64-bit kernel"
choice
	prompt "Timer frequency"
config HZ_100
	bool "100"
config HZ_250
	bool "250"
endchoice
`,
  'drivers/Kconfig': `menu "Drivers"
	depends on X86

config BUS
	bool "The bus"
	help
	  A bus.
	  config NOT_A_CONFIG
	  depends on NOTHING

	  if you are unsure
config HOTPLUG
	bool "Hot plug" \\
		if EXPERT
	depends on BUS
menuconfig DISK
	tristate "Disks"
	depends on HOTPLUG && 64BIT
	depends on !OLD || X86
if DISK
config DISK_FAST
	bool "Fast disks"
	depends on (FAST || FASTER)
endif
comment "A comment"
	depends on NEVER
config AFTER_COMMENT
	bool "After"
endmenu
config OUTSIDE_MENU
	bool "outside"
	depends on GONE
`,
}

let tree: string
let index: KconfigIndex
beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'phyr-kconfig-'))
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(tree, name)), { recursive: true })
    writeFileSync(join(tree, name), text)
  }
  index = readKconfig(tree, 'x86')
})
afterAll(() => rmSync(tree, { recursive: true, force: true }))

/** What verification says about a fragment when kconfig ended with this .config. */
function complaints(fragment: string, dotConfig: string): readonly string[] {
  try {
    verifyConfig(mergeFragments([parseFragment('lab.config', fragment)]), dotConfig, () => index)
  } catch (error) {
    if (!(error instanceof Finding)) throw error
    expect(error.stage).toBe('config')
    expect(error.blame).toMatch(/^lab\.config:\d+$/)
    expect(error.message).toBe(error.detail[0])
    return error.detail
  }
  return []
}

describe('readKconfig', () => {
  test('finds definitions with their place and all their conditions, and nothing in help texts', () => {
    expect(index.definitions.get('DISK_FAST')).toEqual([
      expect.objectContaining({
        file: 'drivers/Kconfig',
        line: 21,
        depends: ['X86', 'DISK', '(FAST || FASTER)'],
      }),
    ])
    expect(index.definitions.has('NOT_A_CONFIG')).toBe(false)
    expect(index.definitions.get('BUS')?.[0]?.depends).toEqual(['X86'])
    expect(index.definitions.get('AFTER_COMMENT')?.[0]?.depends).toEqual(['X86'])
    expect(index.definitions.get('OUTSIDE_MENU')?.[0]?.depends).toEqual(['GONE'])
    expect(index.definitions.get('HOTPLUG')?.[0]).toMatchObject({ prompt: 'Hot plug', promptIf: 'EXPERT' })
  })
})

describe('verifyConfig', () => {
  const base = 'CONFIG_X86=y\nCONFIG_64BIT=y\n'

  test('is silent when everything holds, and reads no Kconfig file then', () => {
    const merged = mergeFragments([
      parseFragment('a', 'CONFIG_64BIT=y\n# CONFIG_BUS is not set\nCONFIG_N=0x1F\n'),
    ])
    const never = (): never => {
      throw new Error('the Kconfig files were read')
    }
    expect(() => verifyConfig(merged, `${base}# CONFIG_BUS is not set\nCONFIG_N=0x1f\n`, never)).not.toThrow()
  })

  test('names the missing dependency down to its root', () => {
    expect(complaints('\nCONFIG_DISK=y\n', base)).toEqual([
      'lab.config:2: CONFIG_DISK is n, not y: needs HOTPLUG (which needs BUS) (drivers/Kconfig:16)',
    ])
  })

  test('names every term that is missing', () => {
    const text = complaints('CONFIG_DISK=y\n', 'CONFIG_X86=y\nCONFIG_BUS=y\nCONFIG_HOTPLUG=m\n')
    expect(text).toEqual(['lab.config:1: CONFIG_DISK is n, not y: needs 64BIT (drivers/Kconfig:16)'])
  })

  test('shows the values in an alternative', () => {
    const config = `${base}CONFIG_BUS=y\nCONFIG_HOTPLUG=y\nCONFIG_DISK=y\n`
    expect(complaints('CONFIG_DISK_FAST=y\n', config)).toEqual([
      'lab.config:1: CONFIG_DISK_FAST is n, not y: needs FAST || FASTER (FAST is n, FASTER is n) (drivers/Kconfig:21)',
    ])
  })

  test('says when an option is unknown, on or off, with names that are near', () => {
    expect(complaints('CONFIG_DISC=y\n# CONFIG_BUSS is not set\n', base)).toEqual([
      'lab.config:1: CONFIG_DISC: no such option in this base; did you mean CONFIG_DISK?',
      'lab.config:2: CONFIG_BUSS: no such option in this base; did you mean CONFIG_BUS?',
    ])
  })

  test('says when a dependency does not exist at all', () => {
    expect(complaints('CONFIG_OUTSIDE_MENU=y\n', base)[0]).toContain(
      'needs GONE (which this base does not have)',
    )
  })

  test('says when an option is hidden, has no prompt, is selected, or loses a choice', () => {
    const config = `${base}CONFIG_BUS=y\nCONFIG_ALWAYS=y\nCONFIG_HZ_100=y\n`
    expect(complaints('CONFIG_HOTPLUG=y\n', config)[0]).toContain(
      'it can only be set by hand with EXPERT (which this base does not have) (drivers/Kconfig:12)',
    )
    expect(complaints('# CONFIG_ALWAYS is not set\n', config)[0]).toContain(
      'is y, not n: it is selected by X86',
    )
    expect(complaints('CONFIG_ALWAYS=y\n', base)[0]).toContain('it has no prompt')
    expect(complaints('CONFIG_HZ_250=y\n', config)[0]).toContain('the choice at arch/x86/Kconfig:8 is HZ_100')
  })
})
