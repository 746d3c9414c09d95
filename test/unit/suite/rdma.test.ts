// SPDX-License-Identifier: GPL-2.0-only
// The script of qemu/suites/rdma.yaml, run here by sh with programs that act: what it makes of their ends, and of pins.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../../tools/lib/exec.ts'
import { judge, type SuiteResult } from '../../../tools/suite/judge.ts'
import { loadSuite } from '../../../tools/suite/suite.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-rdma-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const KTAP = 'echo "KTAP version 1"; echo "1..1";'
const good = 'exit 0'
/** Leaves a pin, as the kernel counts them. */
const leak =
  'echo nr_foll_pin_acquired 1000 > $DIR/proc/vmstat; echo nr_foll_pin_released 7 >> $DIR/proc/vmstat'

const usual: Readonly<Record<string, string>> = {
  ip: good,
  rdma: 'case $2 in show) echo "link rxe0/- cm-idn 0 state LISTEN";; esac',
  disk: 'exit 1',
  'rdma-mr': `${KTAP} echo "# $*"; echo "ok 1 a"`,
  ibv_rc_pingpong: good,
  ib_write_bw: good,
  ib_read_bw: good,
  ib_send_bw: good,
  rping: good,
}

async function play(
  acting: Readonly<Record<string, string>> = {},
): Promise<SuiteResult & { output: string }> {
  for (const below of ['bin', 'proc/sys/vm', 'proc/net', 'sys', 'tmp'])
    mkdirSync(join(dir, below), { recursive: true })
  writeFileSync(join(dir, 'proc/vmstat'), 'nr_foll_pin_acquired 7\nnr_foll_pin_released 7\n')
  writeFileSync(join(dir, 'proc/net/tcp'), '')
  for (const [name, body] of Object.entries({ ...usual, ...acting })) {
    writeFileSync(join(dir, 'bin', name), `#!/bin/sh\n${body}\n`)
    chmodSync(join(dir, 'bin', name), 0o755)
  }
  const suite = loadSuite('rdma')
  const script = suite.script
    .replace('. /phyr/lib.sh', '')
    .replace('ulimit -l unlimited', '')
    .replaceAll('sleep 0.3', 'sleep 0')
    .replaceAll('sleep 0.1', 'sleep 0')
    .replaceAll(/(?<![\w/])\/(?=(?:proc|sys|tmp|mnt)\/)/g, `${dir}/`)
  const { stdout, code } = await run('sh', ['-c', script], {
    env: { PATH: `${join(dir, 'bin')}:${process.env['PATH']}`, DIR: dir },
  })
  const boot = { end: 'done', status: code, deadline: undefined, splats: [] } as const
  return { ...judge({ suite, boot, console: '', results: stdout }), output: stdout }
}

const outcomes = (result: SuiteResult): Record<string, string> =>
  Object.fromEntries(result.tests.map((one) => [one.name, one.outcome]))

test('all pass on both drivers; what iWARP cannot do is skipped, with the reason', async () => {
  const result = await play()
  expect(result).toMatchObject({ outcome: 'pass', failed: 0, skipped: 1, reasons: [] })
  const each = ['rdma-mr', 'pingpong', 'write_bw', 'read_bw', 'send_bw', 'rping', 'remove']
  expect(result.tests.map((one) => one.name)).toEqual(
    ['rxe', 'siw'].flatMap((d) => each.map((t) => `${d}-${t}`)),
  )
  expect(outcomes(result)['siw-pingpong']).toBe('skip')
  expect(result.output).toContain('# -a 10.7.0.1 -s 1 -r 10 -k 10 -n 64\n')
})

describe('a failure', () => {
  test.each([
    ['a region that fails', { 'rdma-mr': `${KTAP} echo "not ok 1 a"; exit 1` }, 'rxe-rdma-mr'],
    [
      'a program that its KTAP does not tell of',
      { 'rdma-mr': `${KTAP} echo "ok 1 a"; exit 1` },
      'siw-rdma-mr',
    ],
    [
      'a device that cannot be used',
      { 'rdma-mr': 'echo "KTAP version 1"; echo "1..0 # SKIP no"; exit 4' },
      'rxe-rdma-mr',
    ],
    ['a client', { ib_read_bw: 'case $* in *10.7.0.1) exit 1;; esac' }, 'rxe-read_bw'],
    ['a server', { rping: 'case $1 in -s) exit 1;; esac' }, 'siw-rping'],
    [
      'a client that dies beside a server that waits',
      { ib_send_bw: 'case $* in *10.7.0.1) kill -9 $$;; *) sleep 60;; esac' },
      'siw-send_bw',
    ],
    ['wrong data, and a good end', { ibv_rc_pingpong: 'echo "invalid data in page 0"' }, 'rxe-pingpong'],
    ['a device that stays', { rdma: 'case $2 in show) echo LISTEN;; del) exit 1;; esac' }, 'rxe-remove'],
  ] as const)('%s', async (_, acting, name) => {
    const result = await play(acting)
    expect(result.outcome).toBe('fail')
    expect(outcomes(result)[name]).toBe('fail')
  })

  test('pins that stay, of the program that has left them alone', async () => {
    const result = await play({ ib_write_bw: `case $* in *rxe0*) ${leak};; esac` })
    expect(result.outcome).toBe('fail')
    expect(Object.entries(outcomes(result)).filter(([, outcome]) => outcome === 'fail')).toEqual([
      ['rxe-write_bw', 'fail'],
    ])
    expect(result.output).toMatch(/^not ok 3 - rxe-write_bw # it has left 993 pages pinned$/m)
  })

  test('no network in the guest', async () => {
    expect(await play({ ip: 'exit 1' })).toMatchObject({ outcome: 'fail' })
  })
})

test('a kernel without a driver skips its tests, and one without both all of them', async () => {
  const none = 'echo "error: Operation not supported" >&2; exit 95'
  const one = await play({ rdma: `case "$*" in *" siw "*) ${none};; *show*) echo LISTEN;; esac` })
  expect(one).toMatchObject({ outcome: 'pass', skipped: 7 })
  expect(one.tests.find((t) => t.name === 'siw-rping')).toMatchObject({
    outcome: 'skip',
    reason: 'no device: error: Operation not supported',
  })
  expect(await play({ rdma: none })).toMatchObject({ outcome: 'skip', passed: 0, skipped: 14 })
})

test('short, usual and long, and a deadline that follows', () => {
  const of = (length: 'short' | 'usual' | 'long'): ReturnType<typeof loadSuite> =>
    loadSuite('rdma', undefined, undefined, { length, set: new Map() })
  expect(of('short').variables).toMatchObject({ rounds: 2, seed: 1, kills: 2, fresh: 64 })
  expect(of('long').variables).toMatchObject({ fresh: 1024 })
  expect(of('short').seconds).toBeLessThan(of('usual').seconds)
  expect(of('usual').seconds).toBeLessThan(of('long').seconds)
  expect(of('short').carry).toContain('libibverbs/librxe-rdmav*.so')
})
