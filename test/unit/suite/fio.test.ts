// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { fioSections, parseFio } from '../../../tools/suite/fio.ts'
import { fioJson } from './fio-json.ts'

test('a measuring job: figures of its own direction, total latency before completion latency', () => {
  const { results, errors } = parseFio(fioJson([{ name: 'r', rw: 'randread', read: 5000 }]))
  expect(errors).toEqual([])
  expect(results).toEqual([
    {
      job: 'r',
      rw: 'randread',
      bs: '4k',
      ioengine: 'io_uring',
      iodepth: 1,
      numjobs: 1,
      iops: 5000,
      bw: 20_480_000,
      lat_p99_ns: 9900,
      lat: { '50.000000': 5000, '99.000000': 9900 },
      error: 0,
      verify: false,
      verified: false,
      runtimeMs: 1000,
    },
  ])
  const write = parseFio(fioJson([{ name: 'w', rw: 'randwrite', write: 7 }])).results[0]
  expect(write?.iops).toBe(7)
})

test('32 threads of psync are 32 requests in flight; io_uring has its own depth', () => {
  const { results } = parseFio(
    fioJson([
      { name: 'p', rw: 'randread', read: 1, options: { ioengine: 'psync', numjobs: '32' } },
      { name: 'u', rw: 'randread', read: 1, options: { iodepth: '32' } },
    ]),
  )
  expect(results.map((r) => [r.iodepth, r.numjobs])).toEqual([
    [32, 32],
    [32, 1],
  ])
})

test("a job's option wins over the global one", () => {
  const { results } = parseFio(fioJson([{ name: 'b', rw: 'read', read: 1, options: { bs: '1M' } }]))
  expect(results[0]?.bs).toBe('1M')
})

test.each([
  ['read back all', { write: 100, read: 100, options: { verify: 'crc32c' } }, true],
  ['no verify asked for', { write: 100, read: 100 }, false],
  ['verify=null', { write: 100, read: 100, options: { verify: 'null' } }, false],
  ['nothing read', { write: 100, options: { verify: 'crc32c' } }, false],
  ['half read', { write: 100, read: 50, options: { verify: 'crc32c' } }, false],
  ['wrong data', { write: 100, read: 100, error: 84, options: { verify: 'crc32c' } }, false],
])('verified: %s', (_, job, verified) => {
  expect(parseFio(fioJson([{ name: 'v', rw: 'randwrite', ...job }])).results[0]?.verified).toBe(verified)
})

test('warnings before and after the JSON are passed over', () => {
  const json = fioJson([{ name: 'r', rw: 'read', read: 1 }])
  const text = `fio: io_u error on {file}\nnote: both iodepth >= 1\r\n${json}\nfio: terminating {}\n`
  expect(parseFio(text).results).toHaveLength(1)
  expect(parseFio(text.replaceAll('\n', '\r\n')).results).toHaveLength(1)
})

test('no output, cut-off output at every length, other JSON: errors and no results', () => {
  expect(parseFio('')).toMatchObject({ results: [], errors: ['no JSON from fio'] })
  expect(parseFio('sh: fio: not found').errors[0]).toContain('sh: fio: not found')
  const json = fioJson([{ name: 'r', rw: 'read', read: 1 }])
  for (let n = 0; n < json.length - 1; n += 37) {
    const { results, errors } = parseFio(json.slice(0, n))
    expect(results).toEqual([])
    expect(errors).toHaveLength(1)
  }
  expect(parseFio('{\n"jobs": []\n}').errors[0]).toContain('not the JSON of fio 3')
  expect(parseFio(json.replace('"total_ios": 1', '"total_ios": "many"')).errors).toHaveLength(1)
})

test('sections by their markers; one without an end has no status', () => {
  const text = [
    'phyr: fio begin a.fio\r',
    '{',
    '}',
    'phyr: fio end a.fio status=0\r',
    'phyr: fio begin b.fio',
    '{',
  ].join('\n')
  expect(fioSections(text)).toEqual([
    { file: 'a.fio', status: 0, text: '{\n}' },
    { file: 'b.fio', status: undefined, text: '{' },
  ])
  expect(fioSections('phyr: fio begin a.fio\nphyr: fio end b.fio status=0')[0]?.status).toBeUndefined()
})
