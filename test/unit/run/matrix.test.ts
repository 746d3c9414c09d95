// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../../tools/lib/errors.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'
import { findProject } from '../../../tools/lib/project.ts'
import { matrixOf } from '../../../tools/run/matrix.ts'

const project = findProject(toolRoot)
const names = (
  machines: readonly string[] | undefined,
  suites: readonly string[] | undefined,
  arch: 'x86_64' | 'i386' = 'x86_64',
): string[] =>
  matrixOf(project, { machines, suites, arch }).map((cell) => `${cell.machine.name} ${cell.suite.name}`)

describe('the matrix', () => {
  test('without suites: all that fit the machine', () => {
    expect(names(['virtio'], undefined)).toEqual(['virtio fio', 'virtio kselftest', 'virtio kunit'])
    expect(names(['p2pdma'], undefined)).toContain('p2pdma p2p')
  })

  test('without machines: one for each suite, the plainest that fits', () => {
    expect(names(undefined, ['kunit', 'p2p'])).toEqual(['virtio kunit', 'p2pdma p2p'])
  })

  test('a name given twice runs once', () => {
    expect(names(['nvme', 'nvme'], ['kunit', 'kunit'])).toEqual(['nvme kunit'])
  })

  test('i386 has KUnit only', () => {
    expect(names(['virtio'], undefined, 'i386')).toEqual(['virtio kunit'])
  })

  test.each([
    [['virtio'], ['p2p'], 'x86_64', /does not run on virtio/],
    [undefined, ['fio'], 'i386', /does not run on/],
    [['virtoi'], undefined, 'x86_64', /virtio/],
    [undefined, ['knuit'], 'x86_64', /no suite/],
  ] as const)('%j %j %s is bad usage', (machines, suites, arch, message) => {
    expect(() => names(machines, suites, arch)).toThrow(UsageError)
    expect(() => names(machines, suites, arch)).toThrow(message)
  })
})
