// SPDX-License-Identifier: GPL-2.0-only
// Test data, made up: bench records with one of everything. The figures are of the size that the lab gives, and of
// no measurement.
import {
  benchOutputSchema,
  type BenchCase,
  type BenchOutput,
  type Figures,
  type Walk,
} from '../../../tools/result/bench-record.ts'
import { deterministicFigures, wallFigures } from '../../../tools/result/figures.ts'

/** [name, unit, base, ratio]; a ratio of null is a case that was not measured. */
const CASES = [
  ['null_blk/randread-4k-psync', 'IO', 3326.21, 1],
  ['null_blk/randread-4k-io_uring-qd1', 'IO', 4118.5, 1.0004],
  ['null_blk/randread-4k-io_uring-qd32', 'IO', 2874.06, 0.9981],
  ['null_blk/randwrite-4k-io_uring-fixed-qd32', 'IO', 2480.44, 0.9622],
  ['null_blk/read-1m-io_uring', 'IO', 29_812.7, 0.9417],
  ['nvme/randread-4k-psync', 'IO', 6124.9, 1.0002],
  ['nvme/randread-4k-io_uring-qd32', 'IO', 4310.3, 1.0121],
  ['nvme/read-128k-io_uring', 'IO', 9022.1, 0.9874],
  ['nvme/write-1m-io_uring-fixed', 'IO', 31_020.8, 0.9512],
  ['virtio-blk/randread-4k-psync', 'IO', 7410.2, 1.0001],
  ['virtio-blk/randwrite-4k-io_uring-qd32', 'IO', 5233.8, 1.0007],
  ['loop/randread-4k-psync', 'IO', 18_411.5, 1],
  ['gup/pin-4k', 'page', 64.37, 1.0003],
  ['gup/pin-2m', 'page', 0.41, 0.9756],
  ['io_uring/register-64x1m', 'registration', 1_224_817.5, 0.9301],
  ['boot/init', 'boot', 612_345_678, 1.0019],
] as const

/** Cases whose repeats do not agree. */
const OPEN: ReadonlySet<string> = new Set(['virtio-blk/randwrite-4k-io_uring-qd32', 'boot/init'])

/** Samples about a cost, evenly over its spread; not in order, as measured ones are not. */
function samples(cost: number, spread: number, repeats: number): number[] {
  return Array.from(
    { length: repeats },
    (_, i) => cost * (1 + spread * (((i * 5 + 2) % (repeats + 1)) / repeats - 0.5)),
  )
}

const FUNCTIONS: Readonly<Record<string, readonly (readonly [string, number, number])[]>> = {
  'nvme/randread-4k-io_uring-qd32': [
    ['blk_rq_dma_map_iter_start', 212.4, 271.9],
    ['nvme_map_data', 188.1, 161.3],
    ['phyr_split_at_boundary', 0, 18.2],
    ['dma_map_phys', 96.2, 97.4],
  ],
  'null_blk/read-1m-io_uring': [
    ['bio_iov_iter_get_pages', 8120.5, 6911.2],
    ['bvec_try_merge_page', 3072.4, 2304.1],
    ['__bio_release_pages', 2816.2, 2560.3],
    ['bio_split_to_limits', 410.8, 512.6],
    ['user space', 212.5, 212.5],
  ],
  'nvme/write-1m-io_uring-fixed': [
    ['blk_rq_dma_map_iter_next', 4096.8, 3072.2],
    ['nvme_pci_setup_data_prp', 2304.5, 1818.4],
  ],
}

type Mode = BenchOutput['mode']

/** The bootstrap of the intervals takes a while, and gives the same every time. */
const made = new Map<string, BenchCase[]>()

function casesOf(mode: Mode, drift: number): BenchCase[] {
  const known = made.get(`${mode} ${drift}`)
  if (known) return known
  const cases = CASES.flatMap((one) => caseOf(one, mode, drift))
  made.set(`${mode} ${drift}`, cases)
  return cases
}

function caseOf([name, unit, base, ratio]: (typeof CASES)[number], mode: Mode, drift: number): BenchCase[] {
  const what = `One ${unit} of ${name}, submitted and completed`
  const clock = (): Figures =>
    wallFigures({
      unit: `ns/${unit}`,
      base: samples(base * 1.63, 0.021, 12),
      series: samples(base * 1.63 * ratio * (0.98 + ((base * 7) % 5) / 100), 0.034, 12).toReversed(),
      distrust: name.startsWith('loop/') ? 'others used 1.70 processors while this measured' : undefined,
    })
  if (mode === 'wall-clock') return unit === 'IO' ? [{ name, what, ...clock() }] : []
  const spread = OPEN.has(name) ? 0.0031 : 0.0002
  const counted = deterministicFigures({
    unit: `instructions/${unit}`,
    base: samples(base * drift, spread, 5),
    series: samples(base * drift * ratio, spread, 5),
  })
  const functions = FUNCTIONS[name]?.map(([n, b, s]) => ({ name: n, base: b, series: s }))
  return [
    {
      name,
      what,
      ...counted,
      ...(functions ? { functions } : {}),
      ...(name === 'gup/pin-2m' ? { counts: { entries: { base: 512, series: 1 } } } : {}),
      ...(mode === 'both' && unit === 'IO' ? { wall: clock() } : {}),
    },
  ]
}

const NOT_MEASURED: BenchCase = {
  name: 'gup/pin-1g',
  what: 'Pin and release one page of 1 GiB',
  unit: 'instructions/page',
  base: null,
  series: null,
  ratio: null,
  low: null,
  high: null,
  resolvable: false,
  repeats: 0,
  samples: { base: [], series: [] },
  spread: { base: null, series: null },
  smallest: null,
  why: 'the guest has no free page of 1 GiB',
}

const SUBJECTS = [
  ['0001-block-release-all-pins.patch', 'block: release all pins of bytes that are cut off a direct I/O'],
  ['0002-selftests-phyr.patch', 'selftests: phyr: check that direct I/O releases what it pinned'],
  ['0003-dma-buf-map-each.patch', 'dma-buf: map each range behind the one before it in a scatterlist'],
  ['0004-dma-buf-undo.patch', 'dma-buf: undo exactly what was done when a mapping fails'],
  ['0005-mm-add-struct-phyr.patch', 'mm: add struct phyr, a range of physical memory'],
  ['0006-lib-tests.patch', 'lib/tests: add a KUnit suite for struct phyr'],
  ['0007-treewide.patch', 'treewide: replace struct phys_vec with struct phyr'],
] as const

/** A walk whose patches 5 and 7 cost: instructions by patches applied. */
export function sampleWalk(): Walk {
  const costs = [4310.3, 4310.3, 4310.4, 4310.4, null, 4346.9, 4346.8, 4362.4]
  return {
    case: 'nvme/randread-4k-io_uring-qd32',
    unit: 'instructions/IO',
    steps: costs.map((cost, number) => ({
      number,
      file: number === 0 ? null : (SUBJECTS[number - 1]?.[0] ?? ''),
      subject: number === 0 ? null : (SUBJECTS[number - 1]?.[1] ?? ''),
      cost,
      samples: cost === null ? [] : [cost, cost + 0.1],
      kernel: `5d1f0c9a7be24a60c3f${number}`,
      cached: number === 2,
    })),
    costly: [
      {
        number: 5,
        file: SUBJECTS[4][0],
        ratio: 1.0085,
        functions: [
          { name: 'phyr_split_at_boundary', base: 0, series: 18.2 },
          { name: 'blk_rq_dma_map_iter_start', base: 212.4, series: 230.7 },
        ],
      },
      {
        number: 7,
        file: SUBJECTS[6][0],
        ratio: 1.0036,
        functions: [{ name: 'nvme_map_data', base: 161.3, series: 177 }],
      },
    ],
  }
}

/** A record of mode both, with context, walk and gate. */
export function benchSample(changes: Partial<BenchOutput> = {}, drift = 1): BenchOutput {
  const { mode = 'both' } = changes
  const point = {
    config: 'lab',
    release: '7.3.4-phyr',
    bytes: { text: 9_437_184, data: 2_411_724, bss: 1_204_224 },
  }
  return benchOutputSchema.parse({
    schema: 1,
    mode,
    time: '2026-11-20T22:41:07.512Z',
    seconds: 1012.4,
    linux: {
      version: '7.3.4',
      identity:
        'Linux 7.3.4 from linux-source-7.3 7.3.4-1~bpo13+1, tree 4c1d0e5f7a9b8c6d3e2f1a0b9c8d7e6f5a4b3c2d',
      tree: '4c1d0e5f7a9b8c6d3e2f1a0b9c8d7e6f5a4b3c2d',
    },
    seriesOf: {
      name: 'phyr',
      version: 3,
      changeId: '20261118-phyr-5f3c1a9e7b2d',
      hash: 'a7'.repeat(32),
      patches: 7,
    },
    points: {
      base: {
        label: 'base',
        patches: 0,
        kernel: '5d1f0c9a7be24a60c3f0',
        release: point.release,
        allocatedHash: 'ba'.repeat(32),
        bytes: point.bytes,
      },
      series: {
        label: 'series',
        patches: 7,
        kernel: '5d1f0c9a7be24a60c3f7',
        release: point.release,
        allocatedHash: '5e'.repeat(32),
        bytes: { ...point.bytes, text: point.bytes.text + 1312 },
      },
    },
    cases: [...casesOf(mode, drift), ...(mode === 'wall-clock' ? [] : [NOT_MEASURED])],
    context: {
      slab: { base: 14_221_312, series: 14_213_120 },
      text: { base: point.bytes.text, series: point.bytes.text + 1312 },
      data: { base: point.bytes.data, series: point.bytes.data },
      bss: { base: point.bytes.bss, series: point.bytes.bss - 64 },
      structs: [
        {
          name: 'struct bio',
          bytes: { base: 112, series: 104 },
          holes: { base: 6, series: 2 },
          cachelines: { base: 2, series: 2 },
          changes: [
            'bi_io_vec: struct bio_vec * at 64 -> struct phyr * at 56',
            'bi_iter: moved from 32 to 24',
          ],
        },
        {
          name: 'struct bio_vec',
          bytes: { base: 16, series: 16 },
          holes: { base: 0, series: 0 },
          cachelines: { base: 1, series: 1 },
          changes: [],
        },
        {
          name: 'struct phyr',
          bytes: { base: null, series: 16 },
          holes: { base: null, series: 0 },
          cachelines: { base: null, series: 1 },
          changes: ['only the series has it'],
        },
      ],
    },
    walk: sampleWalk(),
    gate: [
      {
        case: 'nvme/randread-4k-io_uring-qd32',
        limit: 1.005,
        ratio: 1.0121,
        outcome: 'fail',
        why: '1.012 is above the limit of 1.005',
        patch: SUBJECTS[4][0],
        function: 'blk_rq_dma_map_iter_start',
      },
      {
        case: 'null_blk/randread-4k-psync',
        limit: 1.005,
        ratio: 1,
        outcome: 'pass',
        why: 'within the limit',
      },
      {
        case: 'boot/init',
        limit: 1.01,
        ratio: 1.0019,
        outcome: 'skip',
        why: 'the same image differs by 0.31 % from boot to boot',
      },
    ],
    targets: [
      {
        table: 'Pinning: targets',
        what: 'pin and release 2 MiB',
        case: 'gup/pin-2m',
        figure: 'entries',
        base: 512,
        series: 1,
        ratio: 1 / 512,
        bound: { atMost: 1 },
        outcome: 'met',
      },
      {
        table: 'Pinning: targets',
        what: 'pin and release 2 MiB',
        case: 'gup/pin-2m',
        figure: 'instructions/page',
        base: 0.41,
        series: 0.4,
        ratio: 0.9756,
        bound: { fewer: 1000 },
        outcome: 'missed',
      },
      {
        table: 'Pinning: targets',
        what: 'pin and release 1 GiB',
        case: 'gup/pin-1g',
        figure: 'instructions/page',
        base: null,
        series: null,
        ratio: null,
        bound: { ratio: 1 },
        outcome: 'open',
        why: 'the guest has no free page of 1 GiB',
      },
    ],
    entries: { '2m': 1 },
    host: {
      cpu: 'AMD EPYC 7B13',
      cpus: 2,
      memoryBytes: 8_326_414_336,
      kernel: '6.1.0-41-amd64',
      os: 'Debian GNU/Linux 12 (bookworm)',
      arch: 'x86_64',
      load: { before: 0.04, after: 0.11, highest: 0.62 },
    },
    accel: {
      deterministic: { used: 'tcg', reason: 'instructions are counted' },
      wallClock: { used: 'tcg', reason: 'kvm: no answer from a guest in 2 s; using tcg' },
    },
    qemu: 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)',
    fio: 'fio-3.33',
    compiler: 'gcc (Debian 12.2.0-14+deb12u1) 12.2.0',
    config: point.config,
    cache: { base: 5, series: 0 },
    boots: 34,
    notes: ['nvme: one boot was silent and was made again'],
    ...changes,
  })
}

/** Oldest first: three versions, two bases, and one record of another QEMU in between. */
export function benchHistory(): BenchOutput[] {
  const newest = benchSample()
  const rest = {
    context: undefined,
    walk: undefined,
    gate: undefined,
    targets: undefined,
    mode: 'deterministic',
  } as const
  const of = (
    day: string,
    version: number,
    linux: string,
    drift: number,
    changes: object = {},
  ): BenchOutput => ({
    ...benchSample({ ...rest, ...changes }, drift),
    time: `2026-11-${day}T09:12:44.000Z`,
    seriesOf: { ...newest.seriesOf, version, hash: `${version}${day}`.padEnd(64, '0') },
    linux: { ...newest.linux, version: linux, tree: linux.replaceAll('.', '').padEnd(40, '0') },
  })
  return [
    of('02', 1, '7.3.2', 1.004),
    of('03', 1, '7.3.2', 1.0041),
    of('09', 2, '7.3.2', 1.0012),
    of('12', 2, '7.3.4', 0.9988, { qemu: 'QEMU emulator version 10.0.2' }),
    of('13', 2, '7.3.4', 0.9996),
    of('18', 3, '7.3.4', 1.0001),
    newest,
  ]
}
