// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { classify } from '../../../tools/touched/classify.ts'
import { ObjectList } from '../../../tools/touched/guards.ts'

let tree: string
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'phyr-guards-'))
  put('Kbuild', 'obj-y += drivers/\n')
  put('Kconfig', 'source "drivers/Kconfig"\n')
  put('drivers/Kconfig', 'config NIC\n\ttristate "nic"\n\tdepends on 64BIT\n\nconfig NIC_ODP\n\tbool "odp"\n')
  put('drivers/Makefile', 'obj-$(CONFIG_NIC) += nic/\nobj-$(if $(CONFIG_NIC),m) += odd.o\n')
  put(
    'drivers/nic/Makefile',
    'obj-$(CONFIG_NIC) += nic.o\nnic-y := main.o \\\n\tmr.o\nnic-$(CONFIG_NIC_ODP) += odp.o\n',
  )
})
afterEach(() => rmSync(tree, { recursive: true, force: true }))

function put(file: string, text: string): void {
  mkdirSync(dirname(join(tree, file)), { recursive: true })
  writeFileSync(join(tree, file), text)
}

const OBJECTS = ['drivers/nic/mr.o', 'drivers/nic/odp.o', 'drivers/nic/part.o', 'arch/s390/mm/x.o']

function list(config: Record<string, string>): ObjectList {
  const entries = new Map(Object.entries(config))
  return new ObjectList(tree, { arch: 'x86_64', srcarch: 'x86' }, entries, OBJECTS)
}

test('parts of a composite module hang on its options, and on their own', () => {
  const on = list({ NIC: 'm', '64BIT': 'y' })
  expect(on.whyNot('drivers/nic/mr.o')).toBeUndefined()
  expect(on.whyNot('drivers/nic/odp.o')).toContain('CONFIG_NIC_ODP is off')
  expect(list({ NIC: 'm', NIC_ODP: 'y' }).whyNot('drivers/nic/odp.o')).toBeUndefined()
})

test('an option that is off is named with what it needs', () => {
  expect(list({}).whyNot('drivers/nic/mr.o')).toMatch(/^CONFIG_NIC is off: needs 64BIT/)
})

test('a source without an object of its own, and one of another architecture', () => {
  expect(list({ NIC: 'm' }).whyNot('drivers/nic/part.o')).toBe('no Makefile names drivers/nic/part.o')
  expect(list({ NIC: 'm' }).whyNot('arch/s390/mm/x.o')).toBe('only for s390')
})

test('classes of files', () => {
  const classes = {
    'mm/gup.c': 'source',
    'include/linux/phyr.h': 'header',
    'tools/testing/selftests/mm/x.c': 'selftests',
    'tools/testing/scatterlist/main.c': 'tools',
    'mm/Kconfig': 'kconfig',
    'mm/Makefile': 'makefile',
    'Documentation/core-api/phyr.rst': 'documentation',
    MAINTAINERS: 'other',
  }
  for (const [file, kind] of Object.entries(classes)) expect(classify(file)).toBe(kind)
})
