// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { checkAddress, parseAddress, uniqueAddresses, unquoteName } from '../../../tools/mail/address.ts'
import { addressHeader, bodyFrom, mailDate, plainHeader, subjectHeader } from '../../../tools/mail/headers.ts'
import { messageIds, slugOf } from '../../../tools/mail/message-id.ts'
import { bracketed, prefixesOf } from '../../../tools/mail/subject.ts'
import { readTracking, trackingHeader } from '../../../tools/mail/tracking.ts'
import { UsageError } from '../../../tools/lib/errors.ts'
import { decodeHeader } from '../../../tools/series/mail-header.ts'

/** What Python's own mail package makes of headers: another reader than the one that the patches are read with. */
function python(headers: string): { subject: string; to: [string, string][]; names: string[] } {
  const code = [
    'import sys, json, email, email.policy',
    'm = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)',
    'pairs = [(a.display_name, a.addr_spec) for a in (m["To"].addresses if m["To"] else [])]',
    'print(json.dumps({"subject": m["Subject"], "to": pairs, "names": m.keys()}))',
  ].join('\n')
  return JSON.parse(
    execFileSync('python3', ['-c', code], { input: `${headers}\n\nbody\n`, encoding: 'utf8' }),
  ) as never
}

describe('addresses', () => {
  test.each([
    ['A. Person <a@example.org>', { name: 'A. Person', email: 'a@example.org' }],
    ['"Person, A." <a@example.org>', { name: 'Person, A.', email: 'a@example.org' }],
    ['"Quote \\" and \\\\" <a@example.org>', { name: 'Quote " and \\', email: 'a@example.org' }],
    ['  a+b@lists.example.org ', { name: '', email: 'a+b@lists.example.org' }],
    ['<a@example.org>', { name: '', email: 'a@example.org' }],
    ['Jörg Ä <j@example.org>', { name: 'Jörg Ä', email: 'j@example.org' }],
  ])('%s', (text, address) => {
    expect(parseAddress(text, 'test')).toEqual(address)
  })

  test.each([
    'a@example.org\nBcc: b@example.org',
    'A\r\nBcc: b@example.org <a@example.org>',
    'A\0B <a@example.org>',
    'A\u2028B <a@example.org>',
    'A <a@example.org>, B <b@example.org>',
    'A <a@example.org> <b@example.org>',
    'nobody',
    'a b@example.org',
    'a@example.org,b@example.org',
    'jörg@example.org',
    'a@-example.org',
    'a..b@example.org',
    `${'x'.repeat(300)} <a@example.org>`,
    '',
  ])('%j is refused', (text) => {
    expect(() => parseAddress(text, 'recipients.yaml')).toThrow(UsageError)
  })

  test('a name from elsewhere is checked as well', () => {
    expect(() => checkAddress({ name: 'A\nBcc: x@example.org', email: 'a@example.org' }, 'git')).toThrow(
      /no name/,
    )
    expect(unquoteName('"Joerg (X)"')).toBe('Joerg (X)')
  })

  test('each mailbox once, with its name', () => {
    const list = ['A@Example.org', 'A <a@example.org>', 'B <b@example.org>'].map((one) =>
      parseAddress(one, 't'),
    )
    expect(uniqueAddresses(list)).toEqual([
      { name: 'A', email: 'a@example.org' },
      { name: 'B', email: 'b@example.org' },
    ])
  })
})

describe('headers', () => {
  const NAMES = [
    { name: 'Plain Name', email: 'p@example.org' },
    { name: 'Comma, Dot. (Paren) "Quote" \\', email: 'c@example.org' },
    { name: 'Jörg Ä', email: 'j@example.org' },
    { name: 'Ünï, "Ç" =?UTF-8?q?x?=', email: 'u@example.org' },
    { name: '漢字'.repeat(30), email: 'k@example.org' },
    { name: '', email: 'list@example.org' },
  ]

  test('every name comes out of Python as it went in, in lines of 78 columns', () => {
    const { name, value } = addressHeader('To', NAMES)
    const lines = `${name}: ${value}`.split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78)
    expect(lines.slice(1).every((line) => /^ \S/.test(line))).toBe(true)
    expect(value).toMatch(/^[\x20-\x7e\n]*$/)
    // Python 3.11 shows the blanks between the encoded words of a name (its bug: RFC 2047 6.2); git does not.
    const joined = python(`${name}: ${value}`).to.map(([one, email]) => [
      one.replace(/(?<=\p{Lo}) /gu, ''),
      email,
    ])
    expect(joined).toEqual(NAMES.map((one) => [one.name, one.email]))
    expect(decodeHeader(value.replaceAll('\n', ''))).toContain(NAMES[4]!.name)
  })

  test('From is one line: b4 0.12 falls over another', () => {
    expect(addressHeader('From', [NAMES[4]!]).value).not.toContain('\n')
    expect(addressHeader('From', [{ name: 'N'.repeat(80), email: 'n@example.org' }]).value).not.toContain(
      '\n',
    )
  })

  test.each([
    '[PATCH 01/12] mm: plain',
    '[PATCH] mm: für phyr, in the middle ASCII and äöü again',
    `[PATCH] mm: ${'漢字 '.repeat(20).trim()}`,
    '[PATCH] mm: what looks like =?UTF-8?q?one?= stays',
    `[PATCH] ${'long '.repeat(40).trim()}`,
    '[PATCH] emoji \u{1f427}\u{1f427}\u{1f427} and more words, so that it is long enough for a second word',
  ])('%s', (text) => {
    const { name, value } = subjectHeader(text)
    expect(value).toMatch(/^[\x20-\x7e]*$/)
    for (const word of value.split(' ').filter((one) => one.startsWith('=?')))
      expect(word.length).toBeLessThanOrEqual(75)
    expect(decodeHeader(value)).toBe(text)
    expect(python(`${name}: ${value}`).subject).toBe(text)
  })

  test.each(['a\nBcc: x@example.org', 'a\r\n\r\nbody', 'a\rb', 'a\0b', 'a\u0085b', 'a\u2029b', 'a\x1bb'])(
    'the subject %j is refused',
    (text) => {
      expect(() => subjectHeader(text)).toThrow(UsageError)
    },
  )

  test('other headers are ASCII', () => {
    expect(plainHeader('X', 'a\n b').value).toBe('a\n b')
    for (const bad of ['a\nb', 'a\r\n b', 'ä', 'a\n \nb'])
      expect(() => plainHeader('X', bad)).toThrow(UsageError)
  })

  test('the author in the body, as git reads it', () => {
    expect(bodyFrom(NAMES[2]!)).toBe('From: Jörg Ä <j@example.org>')
    expect(bodyFrom(NAMES[1]!)).toBe('From: "Comma, Dot. (Paren) \\"Quote\\" \\\\" <c@example.org>')
    expect(bodyFrom(NAMES[5]!)).toBe('From: <list@example.org>')
  })

  test('dates', () => {
    expect(mailDate(new Date('2026-11-01T03:04:05Z'))).toBe('Sun, 01 Nov 2026 03:04:05 +0000')
  })
})

describe('Message-IDs', () => {
  const parts = { changeId: '20260101-phyr-0123456789ab', version: 3, date: new Date('2026-11-21T23:59:59Z') }

  test('are what b4 makes', () => {
    const id = messageIds({ ...parts, domain: 'example.org' })
    expect(id(0)).toMatch(/^<20261121-phyr-v3-0-[0-9a-f]{12}@example\.org>$/)
    expect(id(7).replace('-7-', '-0-')).toBe(id(0))
    expect(slugOf('20260101-two-words-0123456789ab')).toBe('two-words')
  })

  test('cannot be guessed, but for tests', () => {
    const once = (seed?: string): string => messageIds({ ...parts, domain: 'example.org', seed })(0)
    expect(once()).not.toBe(once())
    expect(once('x')).toBe(once('x'))
  })

  test('a domain that would break out of them is refused', () => {
    expect(() => messageIds({ ...parts, domain: 'x>\nBcc: y' })).toThrow(UsageError)
    expect(() => messageIds({ ...parts, domain: '' })).toThrow(UsageError)
  })
})

describe('subjects', () => {
  test('numbers are padded, a single patch has none', () => {
    expect(bracketed('x', 3, { version: 1, prefixes: [], count: 39 })).toBe('[PATCH 03/39] x')
    expect(bracketed('x', 0, { version: 2, prefixes: ['RFC', 'net-next'], count: 100 })).toBe(
      '[PATCH RFC net-next v2 000/100] x',
    )
    expect(bracketed('x', 1, { version: 1, prefixes: [], count: 1 })).toBe('[PATCH] x')
    expect(bracketed('x', 1, { version: 2, prefixes: ['RESEND'], count: 1 })).toBe('[PATCH RESEND v2] x')
  })

  test('prefixes', () => {
    expect(prefixesOf('PATCH', {})).toEqual([])
    expect(prefixesOf('RFC PATCH', {})).toEqual(['RFC'])
    expect(prefixesOf('PATCH net-next', { rfc: true, resend: true, prefixes: ['net-next'] })).toEqual([
      'RESEND',
      'RFC',
      'net-next',
    ])
    for (const bad of ['a]b', 'v2', 'a\nb:', '3/4', 'ä']) {
      expect(() => prefixesOf(undefined, { prefixes: [bad] }), bad).toThrow(UsageError)
    }
  })
})

describe('X-B4-Tracking', () => {
  const tracking = {
    series: {
      revision: 2,
      'change-id': '20260101-x-0123456789ab',
      prefixes: ['RFC'],
      history: { v1: ['a@b'] },
    },
  }

  test('holds the JSON, folded, the same bytes each time', () => {
    const { value } = trackingHeader(tracking)
    expect(value).toBe(trackingHeader(tracking).value)
    expect(Math.max(...`X-B4-Tracking: ${value}`.split('\n').map((line) => line.length))).toBeLessThanOrEqual(
      75,
    )
    expect(readTracking(value)).toEqual(tracking)
  })

  test('what b4 folds is read, and a bomb is not unpacked', () => {
    const b64 = gzipSync('{"series": {}}').toString('base64')
    expect(readTracking(`v=1; b=${b64.slice(0, 10)}\n ${b64.slice(10)}`)).toEqual({ series: {} })
    const bomb = gzipSync(Buffer.alloc(64 << 20)).toString('base64')
    expect(() => readTracking(`v=1; b=${bomb}`)).toThrow(/larger than/)
  })
})
