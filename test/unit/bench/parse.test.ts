// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest'
import { parseCounts } from '../../../tools/bench/counts.ts'
import { composeJobs, parseJobFile } from '../../../tools/bench/fio-jobs.ts'
import { parseGuestLines } from '../../../tools/bench/lines.ts'
import { LabError, UsageError } from '../../../tools/lib/errors.ts'

const COUNTS = `region 0 kernel 900 user 5 tick 0 ticks 0
function start_kernel 900
end 0
region 1 kernel 30 user 2 tick 7 ticks 1
function bio_put 10
function bio_put 5
function submit_bio 15
steps - 10 20
steps __x64_sys_pread64 9
end 1
`

describe("the plugin's counts", () => {
  test('are read by region, with static functions of one name as one', () => {
    const [boot, region] = parseCounts(COUNTS)
    expect(boot).toMatchObject({ number: 0, kernel: 900, user: 5 })
    expect(region).toMatchObject({ number: 1, kernel: 30, user: 2, tick: 7, ticks: 1 })
    expect(Object.fromEntries(region!.functions)).toEqual({ bio_put: 15, submit_bio: 15 })
    expect(region!.steps.get('-')).toEqual([10, 20])
    expect(region!.steps.get('__x64_sys_pread64')).toEqual([9])
  })

  test.each([
    ['cut off in a region', COUNTS.slice(0, -6)],
    ['cut off in a line', `${COUNTS}region 2 ker`],
    ['with a count that is none', COUNTS.replace('submit_bio 15', 'submit_bio -15')],
    ['with a line of something else', COUNTS.replace('end 0', 'qemu: hello\nend 0')],
    ['with the end of another region', COUNTS.replace('end 1', 'end 2')],
  ])('%s are an error of the lab', (_, text) => {
    expect(() => parseCounts(text)).toThrow(LabError)
  })
})

describe("the guest's lines", () => {
  test('are found among other output, with a carriage return or without', () => {
    const lines = parseGuestLines(
      'hello\nphyr: region null/a 10\r\nphyr: region null/a 20 5\nphyr: time null/a 20 1234\nphyr: count slab bytes 4096\nphyr: skip gup/b no huge page\nphyr: fail gup/c it broke\n',
    )
    expect(lines.regions).toEqual([
      { case: 'null/a', operations: 10 },
      { case: 'null/a', operations: 20 },
    ])
    expect(lines.times).toEqual([{ case: 'null/a', operations: 20, ns: 1234 }])
    expect(lines.counts).toEqual([{ case: 'slab', name: 'bytes', value: 4096 }])
    expect(lines.skipped.get('gup/b')).toBe('no huge page')
    expect(lines.failed.get('gup/c')).toBe('it broke')
  })

  test("that are not whole are nobody's", () => {
    const lines = parseGuestLines(
      'phyr: region a\nphyr: region a x\nphyr: region a -1\nphyr: time a 5\nphyr: time a 5 0\nphyr: count a b c\n phyr: region a 1\n',
    )
    expect([lines.regions, lines.times, lines.counts]).toEqual([[], [], []])
  })

  test('show control characters instead of sending them to a terminal', () => {
    expect(parseGuestLines('phyr: fail a \u001b[31mred\n').failed.get('a')).not.toContain('\u001b')
  })
})

describe('a fio job file', () => {
  const file = parseJobFile('# c\n[global]\ndirect=1\n\n[a]\nstonewall\nrw=read\n; c\n[b]\nrw=write\n')

  test("is put together anew, each run with its options behind the job's own", () => {
    const text = composeJobs(file, 'x.fio', [
      { name: 'r1', job: 'a', options: ['number_ios=5'] },
      { name: 'r2', job: 'b', options: [] },
    ])
    expect(text).toBe(
      '[global]\ndirect=1\n\n[r1]\nstonewall\nrw=read\nnumber_ios=5\n\n[r2]\nstonewall\nrw=write\n',
    )
  })

  test('without the job names those it has', () => {
    expect(() => composeJobs(file, 'x.fio', [{ name: 'r', job: 'c', options: [] }])).toThrow(UsageError)
  })
})
