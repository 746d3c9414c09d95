// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LabError } from '../../../tools/lib/errors.ts'
import { makeDiskImages } from '../../../tools/machine/disks.ts'
import { loadMachine } from '../../../tools/machine/machine.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-disks-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('the images of file-backed disks are sparse, and go away', () => {
  const machine = loadMachine('p2pdma')
  const images = makeDiskImages(machine, dir)
  expect(Object.keys(images.files).sort()).toEqual(['phyr-cmb', 'phyr-data', 'phyr-peer'])
  for (const disk of machine.disks.filter((entry) => entry.backend === 'file')) {
    const { size, blocks } = statSync(images.files[disk.serial]!)
    expect(size).toBe(disk.size)
    expect(blocks).toBeLessThan(16)
  }
  images.remove()
  images.remove()
  expect(readdirSync(dir)).toEqual([])
})

test('disks that the host has no room for are refused, before any is made', () => {
  const machine = loadMachine('virtio')
  const huge = { ...machine, disks: machine.disks.map((disk) => ({ ...disk, size: 2 ** 60 })) }
  expect(() => makeDiskImages(huge, dir)).toThrow(LabError)
  expect(() => makeDiskImages(huge, dir)).toThrow(/no room for the disks of machine virtio/)
  expect(readdirSync(dir)).toEqual([])
})

test('a directory that is not there is an error, not an empty set', () => {
  expect(() => makeDiskImages(loadMachine('virtio'), join(dir, 'nowhere'))).toThrow('ENOENT')
})
