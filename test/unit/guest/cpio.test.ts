// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { archiveName, writeCpio, type CpioEntry } from '../../../tools/guest/cpio.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-cpio-'))
  writeFileSync(join(dir, 'source'), 'from the host')
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function archive(entries: CpioEntry[]): Promise<Buffer> {
  const out = join(dir, 'out.cpio')
  const bytes = await writeCpio(out, entries)
  const data = readFileSync(out)
  expect(data.length).toBe(bytes)
  return data
}

const everything = (): CpioEntry[] => [
  { kind: 'link', path: '/bin', target: 'usr/bin' },
  { kind: 'file', path: '/usr/bin/tool', mode: 0o755, source: join(dir, 'source') },
  { kind: 'file', path: '/etc/empty', mode: 0o600, data: '' },
  { kind: 'char', path: '/dev/console', mode: 0o600, major: 5, minor: 1 },
  { kind: 'block', path: '/dev/vda', mode: 0o660, major: 253, minor: 0 },
  { kind: 'dir', path: '/tmp', mode: 0o1777 },
]

const file = (path: string): CpioEntry => ({ kind: 'file', path, mode: 0o644, data: '' })

describe('writeCpio', () => {
  // Written by hand from Documentation/driver-api/early-userspace/buffer-format.rst.
  it('writes exactly these bytes', async () => {
    const golden = [
      '070701',
      '00000001', // ino
      '000041ED', // directory, 755
      '0000000000000000', // uid, gid
      '00000002', // nlink
      '0000000000000000', // mtime, size
      '00000000000000000000000000000000', // device of the file, device node
      '00000002', // name with NUL
      '00000000', // check
      'd\0', // 112: a multiple of 4
      '070701',
      '00000002',
      '000081A4', // file, 644
      '0000000000000000',
      '00000001',
      '0000000000000005',
      '00000000000000000000000000000000',
      '00000004',
      '00000000',
      'd/f\0\0\0', // 110 + 4, padded to 116
      'hello\0\0\0',
      '070701',
      '00000000',
      '00000000',
      '0000000000000000',
      '00000001',
      '0000000000000000',
      '00000000000000000000000000000000',
      '0000000B',
      '00000000',
      'TRAILER!!!\0\0\0\0',
    ].join('')
    const data = await archive([{ kind: 'file', path: '/d/f', mode: 0o644, data: 'hello' }])
    expect(data.toString('latin1')).toBe(golden.padEnd(512, '\0'))
  })

  it('gives the same bytes whatever the order', async () => {
    const one = await archive(everything())
    const other = await archive(everything().toReversed())
    expect(other.equals(one)).toBe(true)
  })

  it.skipIf(spawnSync('cpio', ['--version']).error !== undefined)(
    'is read by cpio as what was meant (skipped where cpio is not installed)',
    async () => {
      const input = await archive(everything())
      const listing = execFileSync('cpio', ['-itv', '--quiet', '--numeric-uid-gid'], {
        input,
        encoding: 'utf8',
      })
      const lines = listing.trim().split('\n')
      expect(lines.map((l) => l.replace(/ +/g, ' ').replace(' Jan 1 1970', ''))).toEqual([
        'lrwxrwxrwx 1 0 0 7 bin -> usr/bin',
        'drwxr-xr-x 2 0 0 0 dev',
        'crw------- 1 0 0 5, 1 dev/console',
        'brw-rw---- 1 0 0 253, 0 dev/vda',
        'drwxr-xr-x 2 0 0 0 etc',
        '-rw------- 1 0 0 0 etc/empty',
        'drwxrwxrwt 2 0 0 0 tmp',
        'drwxr-xr-x 2 0 0 0 usr',
        'drwxr-xr-x 2 0 0 0 usr/bin',
        '-rwxr-xr-x 1 0 0 13 usr/bin/tool',
      ])
    },
  )

  it('copies a file that is larger than its buffer', async () => {
    const big = Buffer.alloc(3_000_001, 'abcdefg')
    writeFileSync(join(dir, 'big'), big)
    const data = await archive([{ kind: 'file', path: '/big', mode: 0o644, source: join(dir, 'big') }])
    expect(data.indexOf(big)).toBe(116)
  })

  it('refuses a source that is not what was hashed', async () => {
    const entry = {
      kind: 'file',
      path: '/a',
      mode: 0o644,
      source: join(dir, 'source'),
      sha256: '0'.repeat(64),
    } as const
    await expect(archive([entry])).rejects.toThrow(/changed while it was copied/)
  })

  it('refuses what cannot be unpacked as it is', async () => {
    await expect(archive([file('/a'), file('/a')])).rejects.toThrow(/twice/)
    await expect(archive([file('/a/b'), file('/a')])).rejects.toThrow(/not a directory/)
    await expect(archive([{ kind: 'link', path: '/l', target: 'a' }, file('/l/b')])).rejects.toThrow(
      /not a dir/,
    )
    await expect(archive([{ kind: 'link', path: '/l', target: 'a\0b' }])).rejects.toThrow(/NUL/)
    await expect(archive([file('/x/../../etc/passwd')])).rejects.toThrow(/\.\./)
  })
})

describe('archiveName', () => {
  it.each([
    '',
    'etc/passwd',
    '/',
    '//a',
    '/a/',
    '/a//b',
    '/../a',
    '/a/..',
    '/./a',
    '/a\0b',
    '/a\nb',
    '/TRAILER!!!',
  ])('refuses %j', (path) => expect(() => archiveName(path)).toThrow(/cannot put/))

  it('refuses a name that the kernel would drop', () => {
    expect(() => archiveName(`/${'a'.repeat(4096)}`)).toThrow(/too long/)
    expect(archiveName(`/${'a'.repeat(4095)}`)).toHaveLength(4095)
  })

  it('keeps unusual names that are safe', () => {
    expect(archiveName('/bin/[')).toBe('bin/[')
    expect(archiveName('/a/..b/c d')).toBe('a/..b/c d')
  })
})
