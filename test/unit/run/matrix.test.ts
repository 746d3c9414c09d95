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
    expect(names(['nvme'], undefined)).toEqual(['nvme fio', 'nvme kselftest', 'nvme kunit'])
    expect(names(['virtio'], undefined)).toContain('virtio gup')
    expect(names(['virtio'], undefined)).toContain('virtio rdma')
    expect(names(['p2pdma'], undefined)).toContain('p2pdma p2p')
  })

  test('without machines: those that a suite names, and the plainest for one that fits all', () => {
    expect(names(undefined, ['kunit', 'p2p'])).toEqual(['virtio kunit', 'p2pdma p2p'])
    expect(names(undefined, ['gup', 'kunit'])).toEqual([
      'virtio gup',
      'virtio kunit',
      'hugepages gup',
      'movable gup',
    ])
  })

  test('variables reach the suites that have them', () => {
    const cells = matrixOf(project, {
      machines: ['virtio'],
      suites: ['gup', 'kunit'],
      arch: 'x86_64',
      settings: { length: 'long', set: new Map([['seed', 7]]) },
    })
    expect(cells.map((cell) => cell.suite.variables)).toEqual([{ cases: 10_000, seed: 7, stress: 600 }, {}])
  })

  test.each([
    [['gup'], 'usual', [['sede', 1]], 'variables: cases, seed, stress'],
    [['kunit', 'fio'], 'usual', [['seed', 1]], 'these suites have none'],
    [['kunit'], 'long', [], 'have no variables'],
  ] as const)('%j with %s %j is bad usage', (suites, length, set, fix) => {
    const choice = {
      machines: undefined,
      suites,
      arch: 'x86_64',
      settings: { length, set: new Map(set) },
    } as const
    expect(() => matrixOf(project, choice)).toThrow(
      expect.objectContaining({ fix: expect.stringContaining(fix) }),
    )
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
