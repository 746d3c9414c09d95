// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UsageError } from '../../../tools/lib/errors.ts'
import { run } from '../../../tools/lib/exec.ts'
import { listSuites, loadSuite, parseSuite } from '../../../tools/suite/suite.ts'

/** Those that run something in the guest. */
const scripted = listSuites().filter((name) => name !== 'kunit')

describe("the project's suites", () => {
  test('there are these, and all of them load', () => {
    expect(listSuites()).toEqual(['dma', 'fio', 'gup', 'kselftest', 'kunit', 'p2p', 'pyverbs', 'rdma'])
    for (const name of listSuites()) expect(loadSuite(name).name).toBe(name)
  })

  test('KUnit is on, with a filter, for kunit alone', () => {
    expect(loadSuite('kunit').cmdline).toEqual([
      'kunit.enable=1',
      'kunit.autorun=1',
      'kunit.filter_glob=phyr*',
    ])
    for (const name of scripted) expect(loadSuite(name).cmdline).toContain('kunit.enable=0')
  })

  test('an i386 guest has no shell: what runs there has no script', () => {
    expect(loadSuite('kunit').archs).toContain('i386')
    expect(loadSuite('kunit').script).toBe('')
    for (const name of scripted) {
      expect(loadSuite(name).archs).toEqual(['x86_64'])
      expect(loadSuite(name).script).toMatch(/^#!\/bin\/sh\n\. \/phyr\/lib\.sh\n/)
    }
  })

  test.each(scripted)('the script of %s is sh', async (name) => {
    const result = await run('sh', ['-n'], { input: loadSuite(name).script })
    expect([result.code, result.stderr]).toEqual([0, ''])
  })

  test('fio: the jobs that the issue asks for, and where they run', () => {
    const { files, script } = loadSuite('fio')
    const jobs = files.flatMap((f) => f.jobs.map((j) => `${f.disk} ${j}`))
    for (const rw of ['randread', 'randwrite']) {
      for (const engine of ['psync', 'io_uring']) {
        for (const depth of [1, 32]) expect(jobs).toContain(`phyr-null ${rw}-4k-${engine}-${depth}`)
      }
    }
    expect(jobs.filter((j) => j.startsWith('phyr-null') && j.includes('-1m-'))).toHaveLength(2)
    expect(jobs.filter((j) => j.startsWith('phyr-data verify'))).toHaveLength(2)
    expect(script).toContain("FIO_JOBS='verify.fio:phyr-data rand-4k.fio:phyr-null seq-1m.fio:phyr-null'")
  })

  test('gup: CI’s lengths and the lab’s, and a deadline that follows', () => {
    const of = (length: 'short' | 'usual' | 'long', set: readonly (readonly [string, number])[] = []) =>
      loadSuite('gup', undefined, undefined, { length, set: new Map(set) })
    expect(of('usual')).toEqual(loadSuite('gup'))
    expect(of('usual').variables).toMatchObject({ cases: 1000, stress: 60 })
    expect(of('long').variables).toMatchObject({ cases: 10_000, stress: 600 })
    expect(of('short').clockSeconds).toBe(10)
    const one = of('long', [['cases', 0]])
    expect(one.variables).toEqual({ cases: 0, seed: 1, stress: 600 })
    expect(one.clockSeconds).toBe(600)
    expect(of('long').seconds - one.seconds).toBeGreaterThanOrEqual(60)
    expect(one.script).toMatch(/^cases=0\nseed=1\nstress=600$/m)
  })

  test('an unknown name is told with the known ones', () => {
    expect(() => loadSuite('nothing')).toThrow(UsageError)
    expect(() => loadSuite('../suites/fio')).toThrow('there is no suite')
  })
})

describe('faults in a suite file, with their place', () => {
  const fine = [
    'name: x',
    'kind: script',
    'description: d',
    'machines: [virtio]',
    'archs: [x86_64]',
    'seconds: 5',
    'script: echo',
  ]

  function withLine(n: number, line: string): string {
    return fine.with(n, line).join('\n')
  }

  test('without a fault', () => {
    expect(parseSuite(fine.join('\n'), 'x.yaml')).toMatchObject({ name: 'x', tools: [], cmdline: [] })
  })

  test.each([
    [withLine(1, 'kind: magic'), 'x.yaml:2:7: kind:'],
    [withLine(3, 'machines: [virtio, "a b"]'), 'x.yaml:4:20: machines.1:'],
    [withLine(4, 'archs: [x86_64, arm]'), 'x.yaml:5:17: archs.1:'],
    [withLine(4, 'archs: [i386]'), 'x.yaml:5:8: archs: an i386 guest has no shell'],
    [withLine(5, 'seconds: 0'), 'x.yaml:6:10: seconds:'],
    [withLine(5, 'seconds: [5'), 'x.yaml:'],
    [withLine(6, 'scrip: echo'), 'scrip: Unrecognized key'],
    [withLine(6, 'script: ""'), 'x.yaml:7:9: script: a script suite needs a script'],
    [[...fine, 'cmdline: ["a b"]'].join('\n'), 'x.yaml:8:11: cmdline.0: one word without quotes'],
    [[...fine, 'programs: [../../bin/sh]'].join('\n'), 'x.yaml:8:12: programs.0:'],
    [[...fine, 'programs: [/root/x]'].join('\n'), 'x.yaml:8:12: programs.0: a name, or /usr/bin/NAME'],
    [[...fine, 'carry: [/etc/../root/x]'].join('\n'), 'x.yaml:8:9: carry.0: /etc/FILE,'],
    [[...fine, 'carry: [/root/x]'].join('\n'), 'x.yaml:8:9: carry.0:'],
    [[...fine, 'carry: ["*/x"]'].join('\n'), 'x.yaml:8:9: carry.0:'],
    [[...fine, 'files: [{file: a.sh, disk: d}]'].join('\n'), 'x.yaml:8:16: files.0.file:'],
    [[...fine, 'filter: "phyr*"'].join('\n'), 'x.yaml:8:9: filter: only a kunit suite'],
    [withLine(1, 'kind: kunit'), 'filter: a kunit suite needs a filter'],
    [withLine(1, 'kind: fio'), 'files: a fio suite needs job files'],
    [[...fine, 'selftests: ["mm:a:b"]'].join('\n'), 'x.yaml:8:13: selftests.0: COLLECTION or'],
    [[...fine, 'variables: {A: {what: a, usual: 1}}'].join('\n'), 'variables.A:'],
    [[...fine, 'variables: {a: {what: a, usual: 0.5}}'].join('\n'), 'variables.a.usual:'],
    [
      [...fine, 'variables: {a: {what: a, usual: 1, clock: true, seconds: 2}}'].join('\n'),
      'variables.a.seconds: with clock',
    ],
    [
      [
        'name: x',
        'kind: kunit',
        ...fine.slice(2, 6),
        'filter: x',
        'variables: {a: {what: a, usual: 1}}',
      ].join('\n'),
      'variables: there is no script',
    ],
    [withLine(1, 'kind: kselftest'), 'selftests: a kselftest suite needs targets'],
    ['- a list', 'x.yaml:1:1:'],
    ['', 'x.yaml:1:1:'],
  ])('%#', (text, message) => {
    expect(() => parseSuite(text, 'x.yaml')).toThrow(UsageError)
    expect(() => parseSuite(text, 'x.yaml')).toThrow(message)
  })

  describe('on disk', () => {
    let dir = ''
    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), 'phyr-suite-'))
    })
    afterAll(() => rmSync(dir, { recursive: true, force: true }))

    test('a name that is not the file, a job file that is not there', () => {
      writeFileSync(join(dir, 'y.yaml'), fine.join('\n'))
      expect(() => loadSuite('y', dir)).toThrow('is not the file')
      writeFileSync(join(dir, 'x.yaml'), [...fine, 'files: [{file: gone.fio, disk: d}]'].join('\n'))
      expect(() => loadSuite('x', dir, dir)).toThrow('there is no')
      writeFileSync(join(dir, 'gone.fio'), '# c\n[global]\nbs=4k\n[one]\nrw=read\n[two]\n')
      const before = loadSuite('x', dir, dir)
      expect(before.files[0]?.jobs).toEqual(['one', 'two'])
      // Stored results go by the suite's content: another option in a job file is another suite.
      writeFileSync(join(dir, 'gone.fio'), '# c\n[global]\nbs=8k\n[one]\nrw=read\n[two]\n')
      expect(loadSuite('x', dir, dir)).not.toEqual(before)
    })

    test('shell functions: in front of the script, and no key of the suite; refused when not there', () => {
      writeFileSync(join(dir, 'x.yaml'), [...fine, 'shell: [pins]'].join('\n'))
      const suite = loadSuite('x', dir)
      expect(suite.script).toMatch(/^pins_left\(\) \{[^]*\necho$/m)
      // A suite without any is what it was before there were any, and so are its stored results.
      expect(suite).not.toHaveProperty('shell')
      writeFileSync(join(dir, 'x.yaml'), [...fine, 'shell: [gone]'].join('\n'))
      expect(() => loadSuite('x', dir)).toThrow(/x\.yaml:1:1: shell: there is no .*gone\.sh/)
    })
  })
})
