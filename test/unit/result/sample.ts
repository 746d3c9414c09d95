// SPDX-License-Identifier: GPL-2.0-only
// Test data, made up: a record with one of everything. The figures are of the size that the lab gives under TCG.
import { outcomeOf, runLine, type RunOutput } from '../../../tools/result/record.ts'
import type { FioResult, RunResult, TestNode } from '../../../tools/result/result.ts'

const ACCEL = { used: 'tcg', reason: 'kvm: no answer from a guest in 2 s; using tcg' } as const
const KERNEL = { key: '5d1f0c9a7be24a60c3f1', release: '7.3.4-phyr', config: 'lab', arch: 'x86_64' } as const

function pass(name: string, children: readonly TestNode[] = []): TestNode {
  return { name, outcome: 'pass', children }
}

export function sampleResult(changes: Partial<RunResult> = {}): RunResult {
  const machine = changes.machine ?? 'virtio'
  const suite = changes.suite ?? 'kunit'
  return {
    schema: 1,
    key: `0a1b2c3d4e5f6a7b-${machine}-${suite}`,
    time: '2026-11-20T22:41:07.512Z',
    machine,
    suite,
    outcome: 'pass',
    reasons: [],
    passed: 3,
    failed: 0,
    skipped: 0,
    seconds: 3.42,
    kernel: KERNEL,
    accel: ACCEL,
    qemu: '7.2.22',
    command: [
      'qemu-system-x86_64',
      '-M',
      'q35,accel=tcg',
      '-m',
      '1G',
      '-smp',
      '2',
      '-nodefaults',
      '-append',
      'console=ttyS0 panic=-1',
    ],
    end: 'done',
    status: 0,
    qemuExit: 33,
    ms: { firstByte: 212, banner: 398, init: 1123, total: 3402 },
    tests: [
      pass('phyr', [pass('phyr_test_end'), pass('phyr_test_page_edge'), pass('phyr_test_top_of_space')]),
    ],
    fio: [],
    splats: [],
    tail: ['[    3.012345] reboot: Power down'],
    log: `/home/dev/.cache/phyr/runs/${machine}-${suite}/console.log`,
    ...changes,
  }
}

/** Spread of one machine's small jobs: [engine, depth, read IOPS, write IOPS, p50 µs, p99 µs, p99.9 µs]. */
const SMALL = [
  ['io_uring', 1, 5640, 5176, 148, 410, 1352],
  ['io_uring', 32, 24990, 17361.5, 1204, 2868, 6390],
  ['psync', 1, 5236, 4874, 161, 478, 1647],
  ['psync', 32, 5286, 4913, 158, 465, 1582],
] as const

function fioOf(machine: string, factor: number): FioResult[] {
  const small = SMALL.flatMap(([ioengine, iodepth, read, write, p50, p99, p999]) =>
    (['randread', 'randwrite'] as const).map((rw): FioResult => {
      const iops = (rw === 'randread' ? read : write) * factor
      const slow = (rw === 'randread' ? 1 : 1.2) / factor
      return {
        machine,
        job: `${rw}-4k-${ioengine}-${iodepth}`,
        rw,
        bs: '4k',
        ioengine,
        iodepth,
        iops,
        bw: iops * 4096,
        lat_p99_ns: p99 * slow * 1000,
        verified: null,
        latNs: { p50: p50 * slow * 1000, p99: p99 * slow * 1000, 'p99.9': p999 * slow * 1000 },
        disk: 'phyr-null',
      }
    }),
  )
  const large = (['read', 'write'] as const).map((rw): FioResult => {
    const iops = (rw === 'read' ? 2491.3 : 1912.8) * factor
    return {
      machine,
      job: `${rw}-1m`,
      rw,
      bs: '1M',
      ioengine: 'io_uring',
      iodepth: 8,
      iops,
      bw: iops * 1048576,
      lat_p99_ns: 5_210_000,
      verified: null,
      latNs: { p50: 2_966_000, p99: 5_210_000, 'p99.9': 8_848_000 },
      disk: 'phyr-null',
    }
  })
  const verify: FioResult = {
    machine,
    job: 'verify-crc32c',
    rw: 'randwrite',
    bs: '4k',
    ioengine: 'io_uring',
    iodepth: 16,
    iops: 8804 * factor,
    bw: 8804 * factor * 4096,
    lat_p99_ns: 3_916_000,
    verified: true,
    disk: 'phyr-data',
  }
  return [...small, ...large, verify]
}

const SPLAT_LINES = [
  'WARNING: CPU: 1 PID: 87 at block/blk-mq-dma.c:212 blk_rq_dma_map_iter_start+0x1a4/0x2c0',
  'CPU: 1 UID: 0 PID: 87 Comm: p2p_rw Not tainted 7.3.4-phyr #1 PREEMPT(lazy)',
  'Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-debian-1.16.2-1 04/01/2014',
  'RIP: 0010:blk_rq_dma_map_iter_start (block/blk-mq-dma.c:212 block/blk-mq-dma.c:268)',
  'Call Trace:',
  ' <TASK>',
  ' nvme_map_data (drivers/nvme/host/pci.c:1203)',
  ' nvme_prep_rq.part.0 (drivers/nvme/host/pci.c:1311)',
  ' nvme_queue_rqs (drivers/nvme/host/pci.c:1377)',
  ' blk_mq_flush_plug_list (block/blk-mq.c:2911)',
  ' </TASK>',
]

function results(failing: boolean): RunResult[] {
  const list: RunResult[] = []
  for (const [machine, factor, init] of [
    ['virtio', 1, 1123],
    ['nvme', 1.31, 1187],
    ['p2pdma', 1.18, 1264],
  ] as const) {
    const fio = fioOf(machine, factor)
    const ms = { firstByte: 212, banner: 398, init, total: init + 2300 }
    const cases = Array.from({ length: 34 }, (_, i) => pass(`phyr_test_case_${i + 1}`))
    list.push(sampleResult({ machine, ms, passed: 34, tests: [pass('phyr', cases)] }))
    list.push(
      sampleResult({
        machine,
        suite: 'kselftest',
        ms,
        passed: 61,
        skipped: 3,
        seconds: 14.81,
        tests: [
          pass('phyr: map_sg', [pass('one segment'), pass('two segments')]),
          pass('mm: hugetlb_dio', [
            { name: 'unaligned start', outcome: 'skip', reason: 'no 1 GiB huge pages', children: [] },
            pass('aligned start'),
          ]),
        ],
      }),
    )
    list.push(
      sampleResult({
        machine,
        suite: 'fio',
        ms: { ...ms, total: 31_250 },
        passed: fio.length,
        seconds: 31.3,
        fio,
        fioVersion: 'fio-3.33',
        tests: fio.map((f) => pass(f.job)),
      }),
    )
  }
  if (!failing) return [...list, sampleResult({ machine: 'p2pdma', suite: 'p2p', passed: 6 })]
  list.push(
    sampleResult({
      machine: 'p2pdma',
      suite: 'p2p',
      outcome: 'fail',
      reasons: [
        'p2p › read of 64 KiB from phyr-peer into the CMB: byte 4096 is 00, expected 5a',
        'kernel complaint: WARNING at block/blk-mq-dma.c:212',
      ],
      passed: 2,
      failed: 1,
      skipped: 1,
      status: 1,
      qemuExit: 35,
      splats: [{ kind: 'warning', title: SPLAT_LINES[0] ?? '', lines: SPLAT_LINES, decoded: true }],
      tests: [
        {
          name: 'p2p',
          outcome: 'fail',
          children: [
            pass('CMB is published'),
            pass('write of 4 KiB from the CMB to phyr-peer'),
            {
              name: 'read of 64 KiB from phyr-peer into the CMB',
              outcome: 'fail',
              reason: 'byte 4096 is 00, expected 5a',
              children: [],
            },
            {
              name: 'io_uring fixed buffers',
              outcome: 'skip',
              reason: 'EFAULT: not allowed today',
              children: [],
            },
          ],
        },
      ],
      tail: [
        '[    2.871200] nvme nvme1: 2/0/0 default/read/poll queues',
        '[    3.120417] ------------[ cut here ]------------',
        ...SPLAT_LINES.map((l) => `[    3.120${l.length}] ${l}`),
        '[    3.121900] ---[ end trace 0000000000000000 ]---',
        'phyr: end <token> status=1',
      ],
    }),
    sampleResult({
      machine: 'hugepages',
      suite: 'kselftest',
      outcome: 'skip',
      reasons: ['the host has 1.9 GiB of memory, the machine needs 4 GiB'],
      passed: 0,
      skipped: 12,
      seconds: 0,
      tests: [],
    }),
  )
  return list
}

export interface Sample {
  readonly output: RunOutput
  readonly results: ReadonlyMap<string, RunResult>
}

/** A record of a whole `./phyr run`; `failing` has a failed and a skipped run in it. */
export function sample(failing: boolean): Sample {
  const all = results(failing)
  const runs = all.map((r) => runLine(r, r.suite === 'kunit'))
  return {
    results: new Map(all.map((r) => [r.key, r])),
    output: {
      schema: 1,
      outcome: outcomeOf(runs),
      base: {
        version: '7.3.4',
        provider: 'debian',
        identity:
          'Linux 7.3.4 from linux-source-7.3 7.3.4-1~bpo13+1, tree 4c1d0e5f7a9b8c6d3e2f1a0b9c8d7e6f5a4b3c2d',
        tree: '4c1d0e5f7a9b8c6d3e2f1a0b9c8d7e6f5a4b3c2d',
        commit: '9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f1e0d',
        package: { name: 'linux-source-7.3', version: '7.3.4-1~bpo13+1', sha256: 'ab'.repeat(32) },
      },
      series: {
        version: 1,
        patches: 3,
        name: 'phyr',
        changeId: '20261118-phyr-5f3c1a9e7b2d',
        tree: '77'.repeat(20),
        list: [
          {
            file: '0001-a.patch',
            subject: 'block: fix the length of a merged segment',
            commit: '11'.repeat(20),
          },
          {
            file: '0002-b.patch',
            subject: 'phyr: introduce struct phyr and its helpers',
            commit: '22'.repeat(20),
          },
          {
            file: '0003-c.patch',
            subject: 'treewide: convert struct phys_vec to struct phyr',
            commit: '33'.repeat(20),
          },
        ],
      },
      kernel: {
        key: KERNEL.key,
        release: KERNEL.release,
        seconds: 395.2,
        cached: false,
        config: 'lab',
        arch: 'x86_64',
        compiler: 'gcc (Debian 12.2.0-14+deb12u1) 12.2.0',
        configHash: 'cd'.repeat(32),
        allocatedHash: 'ef'.repeat(32),
        bytes: { image: 28_311_552, text: 9_437_184, data: 2_411_724, bss: 1_204_224 },
        warnings: 0,
      },
      accel: ACCEL,
      runs,
      fio: all.flatMap((r) => r.fio),
      report: '/home/dev/.cache/phyr/report.html',
      time: '2026-11-20T22:34:11.040Z',
      seconds: 612.7,
      host: {
        os: 'Debian GNU/Linux 12 (bookworm)',
        kernel: '6.1.0-41-amd64',
        arch: 'x86_64',
        cpu: 'AMD EPYC 7B13',
        cpus: 2,
        memoryBytes: 8_326_414_336,
      },
      versions: { phyr: '0.1.0', node: '20.20.2', qemu: '7.2.22', fio: 'fio-3.33' },
    },
  }
}

/** A record whose series did not apply: a verdict without a kernel. */
export function sampleFinding(): RunOutput {
  const { output } = sample(false)
  return {
    ...output,
    outcome: 'fail',
    kernel: null,
    accel: null,
    runs: [],
    fio: [],
    finding: {
      stage: 'apply',
      message: '0002-b.patch does not apply to Linux 7.3.4',
      blame: 'patches/0002-b.patch',
      detail: [
        'include/linux/bvec.h: hunk 2 of 3 (line 118)',
        '  three-way: CONFLICT (content)',
        'tree kept in /tmp/tree',
      ],
    },
  }
}
