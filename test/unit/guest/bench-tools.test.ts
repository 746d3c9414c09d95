// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseJobFile } from '../../../tools/bench/fio-jobs.ts'
import { toolSource } from '../../../tools/guest/tools.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'

const PROGRAMS = ['mark', 'dma-bench', 'gup-bench', 'uring-reg', 'rdma-reg', 'rdma-rw'] as const
/** What the plugin looks for: xchg of bx, cx and dx with itself. */
const MARKS = {
  begin: Buffer.from([0x66, 0x87, 0xdb]),
  end: Buffer.from([0x66, 0x87, 0xc9]),
  step: Buffer.from([0x66, 0x87, 0xd2]),
}

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(realpathSync(tmpdir()), 'phyr-bench-tools-'))
  for (const name of PROGRAMS) {
    const flags = ['-Os', '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-s', '-static', '-pthread']
    execFileSync('gcc', [...flags, '-o', join(dir, name), toolSource(name)])
  }
})
afterAll(() => {
  rmSync(dir, { recursive: true, force: true })
})

function run(name: string, args: readonly string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(join(dir, name), args, { encoding: 'utf8' })
  return { status, out: stdout, err: stderr }
}

const count = (bytes: Buffer, mark: Buffer): number => {
  let found = 0
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) found++
  return found
}

describe('the benchmark programs of the guest', () => {
  it.each(PROGRAMS)('%s has each mark exactly once', (name) => {
    const bytes = readFileSync(join(dir, name))
    expect(count(bytes, MARKS.begin)).toBe(1)
    expect(count(bytes, MARKS.end)).toBe(1)
    // One call of the kernel is all of dma-bench's region.
    expect(count(bytes, MARKS.step)).toBe(name === 'dma-bench' ? 0 : 1)
  })

  it.each(PROGRAMS)('%s prints its usage', (name) => {
    const { status, out, err } = run(name, ['--help'])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out.startsWith(`usage: ${name} [`)).toBe(true)
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it.each([
    ['mark', [], 'begin, end or step?'],
    ['mark', ['start'], "'start'"],
    ['mark', ['end', 'now'], "'end'"],
    ['mark', ['--port'], '--port needs a path'],
    ['mark', ['begin', 'a/b'], 'begin needs CASE OPS [STEP]'],
    ['mark', ['begin', 'a/b', '1', '1', '1'], 'begin needs CASE OPS [STEP]'],
    ['mark', ['begin', 'A b', '1'], "no name of a case: 'A b'"],
    ['mark', ['begin', 'a\nphyr: region b', '1'], 'no name of a case'],
    ['mark', ['begin', '', '1'], 'no name of a case'],
    ['mark', ['begin', 'a/b', '0'], "OPS must be from 1 to 4294967295: '0'"],
    ['mark', ['begin', 'a/b', '-1'], "OPS is no number: '-1'"],
    ['mark', ['begin', 'a/b', '5x'], "OPS is no number: '5x'"],
    ['dma-bench', [], 'one CASE is needed'],
    ['dma-bench', ['-c', 'phyr', 'a'], "no such command: 'phyr'"],
    ['dma-bench', ['-g', '4097', 'a'], '--segments must be from 1 to 4096'],
    ['dma-bench', ['-d', '1234', 'a'], "no vendor and device such as 1234:11e8: '1234'"],
    ['dma-bench', ['-d', '1234:11e8x', 'a'], "no vendor and device such as 1234:11e8: '1234:11e8x'"],
    ['dma-bench', ['-w', '0', 'a'], '--warm-up must be from 1 to'],
    ['gup-bench', [], 'one CASE is needed'],
    ['gup-bench', ['a', 'b'], 'one CASE is needed'],
    ['gup-bench', ['/a'], "no name of a case: '/a'"],
    ['gup-bench', ['-c', 'pinfast', 'a'], "no such command: 'pinfast'"],
    ['gup-bench', ['-m', '8k', 'a'], "no such memory: '8k'"],
    ['gup-bench', ['-b', '5000', 'a'], '--bytes must be a multiple of 4096: 5000'],
    ['gup-bench', ['-b', '99999999999g', 'a'], '--bytes must be from'],
    ['gup-bench', ['-n', '99999999999999999999', 'a'], '--operations is no number'],
    ['gup-bench', ['-n', '10', '-s', '3', 'a'], 'a step of 3 does not divide 10 operations'],
    ['gup-bench', ['--nonsense', 'a'], "no such option: '--nonsense'"],
    ['gup-bench', ['-rz', 'a'], "no such option: '-z'"],
    ['gup-bench', ['-n'], '-n needs a value'],
    ['gup-bench', ['-l', 'a'], '--longterm is for pin-phyrs'],
    ['gup-bench', ['-c', 'pin-phyrs', '-p', '8', 'a'], '--pages-per-call is not for pin-phyrs'],
    ['uring-reg', [], 'one CASE is needed'],
    ['uring-reg', ['-m', '8k', 'a'], "no such memory: '8k'"],
    ['uring-reg', ['-b', '2g', 'a'], '--bytes must be from 1 to 1073741824'],
    ['uring-reg', ['-c', '0', 'a'], '--count must be from 1 to 16384'],
    ['uring-reg', ['--files', 'x', 'a'], "--files is no number: 'x'"],
    ['rdma-reg', [], 'one CASE is needed'],
    ['rdma-reg', ['-d', 'mlx5', 'a'], "no such driver: 'mlx5'"],
    ['rdma-reg', ['-m', '8k', 'a'], "no such memory: '8k'"],
    ['rdma-reg', ['-b', '0', 'a'], '--bytes must be from 1 to'],
    ['rdma-reg', ['-k', '0', 'a'], '--kept must be from 1 to 1024'],
    ['rdma-reg', ['-n', '10', '-s', '3', 'a'], 'a step of 3 does not divide 10 operations'],
    ['rdma-rw', [], 'one CASE is needed'],
    ['rdma-rw', ['-r', 'send', 'a'], "no such request: 'send'"],
    ['rdma-rw', ['-q', '129', 'a'], '--batch must be from 1 to 128'],
    ['rdma-rw', ['-l', '2m', 'a'], '--length is more than --bytes: 2097152'],
    ['rdma-rw', ['-n', '20', 'a'], 'a batch of 16 does not divide 20 operations and 32 to warm up'],
    ['rdma-rw', ['-w', '8', 'a'], 'a batch of 16 does not divide 160 operations and 8 to warm up'],
  ])('%s %j is refused in one line', (name, args, why) => {
    const { status, out, err } = run(name, args)
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(err).toContain(why)
    expect(err.startsWith(`${name}: `)).toBe(true)
    expect(err.endsWith(`(see ${name} --help)\n`)).toBe(true)
    if (!args.some((arg) => arg.includes('\n'))) expect(err.split('\n')).toHaveLength(2)
  })

  it('mark names its region, with and without steps', () => {
    expect(run('mark', ['--port', '-', 'begin', 'null/randread-4k-psync', '2k'])).toEqual({
      status: 0,
      out: 'phyr: region null/randread-4k-psync 2048\n',
      err: '',
    })
    const port = join(dir, 'port')
    execFileSync('touch', [port])
    expect(run('mark', ['--port', port, 'begin', 'a', '100', '10']).status).toBe(0)
    expect(readFileSync(port, 'utf8')).toBe('phyr: region a 100 10\n')
    for (const word of ['step', 'end']) expect(run('mark', [word])).toEqual({ status: 0, out: '', err: '' })
  })

  it('mark says so when there is no port', () => {
    const { status, err } = run('mark', ['--port', join(dir, 'none'), 'begin', 'a', '1'])
    expect(status).toBe(1)
    expect(err).toMatch(/^mark: cannot write to .*none: No such file or directory\n$/)
  })

  it('a case that this kernel cannot do is skipped, or done in one region', () => {
    const whole = (name: string, ops: number): RegExp =>
      new RegExp(`^(phyr: skip ${name} .+|phyr: region ${name} ${ops} 2\nphyr: time ${name} ${ops} \\d+)\n$`)
    const files = run('uring-reg', ['--files', '3', '-n', '4', '-s', '2', 'uring/files'])
    expect({ status: files.status, err: files.err }).toEqual({ status: 0, err: '' })
    expect(files.out).toMatch(whole('uring/files', 4))
    const pins = run('gup-bench', ['-n', '4', '-s', '2', 'gup/4k'])
    expect({ status: pins.status, err: pins.err }).toEqual({ status: 0, err: '' })
    expect(pins.out).toMatch(whole('gup/4k', 4))
    const apart = run('uring-reg', ['-m', 'apart', '-n', '4', '-s', '2', 'uring/apart'])
    expect({ status: apart.status, err: apart.err }).toEqual({ status: 0, err: '' })
    expect(apart.out).toMatch(whole('uring/apart', 4))
  })
})

describe('block.fio', () => {
  const { global, jobs } = parseJobFile(readFileSync(join(toolRoot, 'qemu/bench/block.fio'), 'utf8'))

  it('has jobs that are what their names say', () => {
    expect(jobs.size).toBeGreaterThan(10)
    for (const [name, lines] of jobs) {
      const option = (key: string): string | undefined =>
        lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1)
      const words = [option('rw'), option('bs')]
      if (option('mem') === 'shmhuge') words.push('huge')
      words.push(option('ioengine'))
      if (option('fixedbufs') === '1') words.push('fixed')
      for (const key of ['iodepth_batch_submit', 'iodepth_batch_complete_min', 'iodepth_batch_complete_max'])
        expect(option(key), `${name}: ${key}`).toBe(option('iodepth'))
      if (option('iodepth') !== undefined) words.push(option('iodepth'))
      expect(words.join('-')).toBe(name)
    }
  })

  it('leaves lengths and marks to what runs it', () => {
    for (const line of [...global, ...jobs.values()].flat())
      expect(line).not.toMatch(
        /^(number_ios|runtime|time_based|exec_prerun|exec_postrun|gtod_reduce|stonewall=)/,
      )
  })
})
