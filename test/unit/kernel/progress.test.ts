// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { estimateObjects } from '../../../tools/kernel/objects.ts'
import { BuildProgress, objectOf, workToDo } from '../../../tools/kernel/progress.ts'
import { changedOptions, staleObjects } from '../../../tools/kernel/stale.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-progress-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function put(name: string, text: string, seconds = 1000): void {
  const path = join(dir, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  utimesSync(path, seconds, seconds)
}

test.each([
  ['  CC      block/bio.o', 'block/bio.o'],
  ['  AS      arch/x86/entry/entry.o', 'arch/x86/entry/entry.o'],
  ['  CC [M]  drivers/x.o', 'drivers/x.o'],
  ['  CC      kernel/bounds.s', undefined],
  ['  HOSTCC  scripts/sorttable.o', undefined],
  ['  CC      /build/tools/objtool/check.o', undefined],
  ['  LD      vmlinux.o', undefined],
  ['block/bio.c:1:  CC      x.o', undefined],
])('objectOf(%j)', (line, object) => expect(objectOf(line)).toBe(object))

test('BuildProgress counts objects and never says more than everything', () => {
  const progress = new BuildProgress('kernel', { total: 2, estimated: true })
  progress.line('  CC      a.o')
  progress.line('  UPD     include/x.h')
  expect(progress.text('a.o')).toBe('kernel  1 of about 2 objects (50 %)  a.o')
  progress.line('  CC      b.o')
  progress.line('  CC      c.o')
  expect(progress.done).toBe(3)
  expect(progress.text('c.o')).toBe('kernel  3 of about 3 objects (100 %)  c.o')
})

describe('estimateObjects', () => {
  test('follows lists, directories, composites and conditionals', () => {
    put(
      'Kbuild',
      'obj-y += init/\nobj-y += arch/$(SRCARCH)/\nobj-$(CONFIG_BLOCK) += block/\nobj-$(CONFIG_NO) += no/\nobj-y += ../out/\n',
    )
    put('init/Makefile', 'obj-y := main.o version.o # initramfs.o\nobj-n := never.o\n')
    put('arch/x86/Kbuild', 'obj-y += kernel/\n')
    put('arch/x86/Makefile', 'libs-y += arch/x86/lib/\ndrivers-$(CONFIG_PCI) += arch/x86/pci/\n')
    put('arch/x86/kernel/Makefile', 'obj-y := head_$(BITS).o\nobj-$(CONFIG_X86_$(BITS)) += only.o\n')
    put('arch/x86/lib/Makefile', 'lib-y := memcpy.o\n')
    put('arch/x86/pci/Makefile', 'obj-y := pci.o\n')
    put(
      'block/Makefile',
      `obj-$(CONFIG_BLOCK) := bio.o \\
	blk.o
obj-$(CONFIG_NVME) += nvme.o
nvme-y := core.o
nvme-$(CONFIG_PCI) += pci.o
nvme-$(CONFIG_NO) += no.o
ifeq ($(CONFIG_PCI),y)
obj-y += yes.o
else ifdef CONFIG_BLOCK
obj-y += elif.o
else
obj-y += else.o
endif
ifneq ($(CONFIG_PCI),y)
ifdef CONFIG_BLOCK
obj-y += nested.o
endif
endif
CFLAGS_bio.o := -DX
`,
    )
    put('lib/Makefile', 'lib-y := sort.o\nobj-y += sort.o\n')
    const config = new Map(['BLOCK', 'NVME', 'PCI', '64BIT', 'X86_64'].map((name) => [name, 'y']))
    expect([...estimateObjects(dir, config, 'x86')].sort()).toEqual([
      'arch/x86/kernel/head_64.o',
      'arch/x86/kernel/only.o',
      'arch/x86/lib/memcpy.o',
      'arch/x86/pci/pci.o',
      'block/bio.o',
      'block/blk.o',
      'block/core.o',
      'block/pci.o',
      'block/yes.o',
      'init/main.o',
      'init/version.o',
      'lib/sort.o',
    ])
  })
})

describe('staleObjects', () => {
  const cmd = (object: string, ...deps: string[]): string =>
    `savedcmd_${object} := gcc -c x\n\nsource_${object} := x.c\n\ndeps_${object} := \\\n${deps.map((d) => `  ${d} \\\n`).join('')}\n${object}: $(deps_${object})\n`

  beforeEach(() => {
    put('src/x.c', '')
    put('src/new.h', '', 3000)
    put('out/block/a.o', '', 2000)
    put(
      'out/block/.a.o.cmd',
      cmd('block/a.o', `${dir}/src/x.c`, 'include/generated/g.h', '$(wildcard include/config/PCI)'),
    )
    put('out/include/generated/g.h', '')
    put('out/scripts/.h.o.cmd', cmd('scripts/h.o', `${dir}/src/new.h`))
  })

  test('an object whose dependencies are all older is not stale; host programs do not count', () => {
    expect(staleObjects(join(dir, 'out'), new Set(['NET']))).toEqual({
      present: new Set(['block/a.o']),
      stale: 0,
    })
  })

  test('a changed option, a newer file and a missing file make it stale', () => {
    const stale = (changed: string[] = []): number => staleObjects(join(dir, 'out'), new Set(changed)).stale
    expect(stale(['PCI'])).toBe(1)
    put('out/include/generated/g.h', '', 2500)
    expect(stale()).toBe(1)
    put('out/include/generated/g.h', '', 1500)
    expect(stale()).toBe(0)
    rmSync(join(dir, 'src/x.c'))
    expect(stale()).toBe(1)
  })

  test('workToDo counts the missing and the stale', () => {
    put('src/Kbuild', 'obj-y += block/\n')
    put('src/block/Makefile', 'obj-y := a.o b.o\n')
    const [source, object, config] = [join(dir, 'src'), join(dir, 'out'), new Map([['PCI', 'y']])]
    expect(workToDo({ source, object, before: undefined, config })).toEqual({ total: 2, estimated: true })
    expect(workToDo({ source, object, before: config, config })).toEqual({ total: 1, estimated: false })
    expect(workToDo({ source, object, before: new Map(), config })).toEqual({ total: 2, estimated: false })
  })

  test('changedOptions: on, off and another value', () => {
    const before = new Map([
      ['A', 'y'],
      ['B', 'y'],
      ['C', '1'],
    ])
    const after = new Map([
      ['A', 'y'],
      ['C', '2'],
      ['D', 'm'],
    ])
    expect([...changedOptions(before, after)].sort()).toEqual(['B', 'C', 'D'])
  })
})
