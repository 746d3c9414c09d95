// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isPublic } from '../../../tools/mail/base-public.ts'
import { readMaintained } from '../../../tools/mail/maintained.ts'
import { isPerson, maintainersOf, parseAnswer } from '../../../tools/mail/maintainers.ts'
import { patchParts } from '../../../tools/mail/patch-parts.ts'
import { mailPlan, planText, ranges } from '../../../tools/mail/plan.ts'
import { MANY, planRecipients, type RecipientsPlan } from '../../../tools/mail/recipients.ts'
import { parseChoice } from '../../../tools/mail/recipients-file.ts'
import { scrub } from '../../../tools/mail/scrub.ts'
import { senderOf } from '../../../tools/mail/sender.ts'
import { writeThread } from '../../../tools/mail/write.ts'
import type { Applied } from '../../../tools/series/series.ts'
import { scratch } from '../base/repo-fixture.ts'
import { fixedThread, mailProject, SENDER } from './mail-fixture.ts'

let dir: string
let remove: () => void
beforeEach(() => ({ dir, remove } = scratch()))
afterEach(() => remove())

async function planOf(applied: Applied, choice = '{}'): Promise<RecipientsPlan> {
  return planRecipients({
    patches: await patchParts(applied),
    maintainers: await maintainersOf(applied),
    cover: { to: [], cc: [] },
    choice: parseChoice(choice),
    sender: SENDER,
  })
}

describe('get_maintainer.pl', () => {
  test('what it prints is read, with commas, quotes and parentheses', () => {
    const said = parseAnswer(
      '"Joerg Roedel (AMD)" <joro@example.org> (maintainer:IOMMU SUBSYSTEM)\n' +
        'linux-mm@example.org (open list:PHYSICAL ADDRESS RANGES (PHYR))\n' +
        'A B <ab@example.org> (reviewer:X,maintainer:Y (Z))\n',
    )
    expect(said).toEqual([
      { name: 'Joerg Roedel (AMD)', email: 'joro@example.org', role: 'maintainer:IOMMU SUBSYSTEM' },
      { name: '', email: 'linux-mm@example.org', role: 'open list:PHYSICAL ADDRESS RANGES (PHYR)' },
      { name: 'A B', email: 'ab@example.org', role: 'reviewer:X,maintainer:Y (Z)' },
    ])
    expect(said.map(isPerson)).toEqual([true, false, true])
    expect(() => parseAnswer('something else')).toThrow(/unexpected/)
  })

  test('who gets what: maintainers To, lists and reviewers Cc, the cover to all', async () => {
    const { applied } = await mailProject(dir)
    const plan = await planOf(applied)
    const emails = (number: number): { to: string[]; cc: string[] } => {
      const { to, cc } = plan.byNumber.get(number)!
      return { to: to.map(({ email }) => email), cc: cc.map(({ email }) => email) }
    }
    expect(emails(1).to).toEqual(['mm@example.org'])
    expect(emails(1).cc).toEqual([
      'rev@example.org',
      'linux-mm@lists.example.org',
      'linux-kernel@lists.example.org',
      'stable@example.org',
    ])
    expect(emails(2)).toEqual({
      to: ['block@example.org'],
      cc: ['linux-kernel@lists.example.org', 'comma@example.org', 'joerg@example.org'],
    })
    // Nobody maintains lib/: the list stands in To.
    expect(emails(3).to).toContain('linux-kernel@lists.example.org')
    const union = new Set([1, 2, 3].flatMap((i) => [...emails(i).to, ...emails(i).cc]))
    expect(new Set([...emails(0).to, ...emails(0).cc])).toEqual(union)
    expect([...plan.unmaintained]).toEqual([[3, ['lib/phyr.c']]])
    expect(plan.byNumber.get(1)?.cc[0]?.name).toBe('Réviewer')
  })

  test("the author's choice: add, remove, everyone", async () => {
    const { applied } = await mailProject(dir)
    const plan = await planOf(
      applied,
      'add: { to: ["More <more@example.org>"] }\nremove: [MM@example.org, stable@example.org]\neveryone: true\n',
    )
    const flat = (number: number): string[] => {
      const { to, cc } = plan.byNumber.get(number)!
      return [...to, ...cc].map(({ email }) => email).toSorted()
    }
    expect(flat(1)).toEqual(flat(0))
    expect(flat(3)).toEqual(flat(0))
    expect(flat(0)).toContain('more@example.org')
    expect(flat(0)).not.toContain('mm@example.org')
    expect(flat(0)).not.toContain('stable@example.org')
  })

  test.each([
    ['add: { to: ["a@example.org\\nBcc: b@example.org"] }'],
    ['add: { cc: ["a@example.org, b@example.org"] }'],
    ['remove: ["nobody"]'],
    ['evryone: true'],
  ])('recipients.yaml: %s is refused', (text) => {
    expect(() => parseChoice(text)).toThrow(/recipients\.yaml/)
  })

  test('a huge cover is warned of', async () => {
    const { applied } = await mailProject(dir)
    const many = Array.from({ length: MANY }, (_, i) => `p${i}@example.org`)
    expect((await planOf(applied)).warnings).toEqual([])
    const { warnings } = await planOf(applied, `add: { cc: ${JSON.stringify(many)} }`)
    expect(warnings[0]).toMatch(/goes to \d+ addresses/)
  })
})

test('MAINTAINERS: what a person maintains', () => {
  const maintained = readMaintained(
    [
      'A',
      'M:	a@example.org',
      'F:	mm/',
      'X:	mm/tests/',
      'N:	phyr',
      '',
      'B',
      'L:	list@example.org',
      'F:	lib/',
      '',
      'C',
      'M:	c@example.org',
      'F:	block',
      'F:	include/*/bio*.h',
      'F:	io_uring/**/x.c',
      '',
      'THE REST',
      'M:	rest@example.org',
      'S:	Buried alive in reporters',
      'F:	*',
      'F:	*/',
    ].join('\n'),
    (path) => path === 'block',
  )
  const yes = ['mm/gup.c', 'mm/a/b.c', 'x/phyr.c', 'block/bio.c', 'include/linux/bio.h', 'io_uring/a/b/x.c']
  const no = ['mm/tests/x.c', 'lib/x.c', 'README', 'include/bio.h', 'include/a/b/bio.h', 'blocks/x.c']
  expect(yes.filter((path) => !maintained.has(path))).toEqual([])
  expect(no.filter((path) => maintained.has(path))).toEqual([])
})

describe('the directory', () => {
  const base = { version: '7.3.4', tree: 'x', commit: null }

  test('is written, replaced, and never taken from somebody else', async () => {
    const { applied } = await mailProject(dir)
    const thread = await fixedThread(applied)
    const out = join(dir, 'out')
    const plan = mailPlan(thread, applied.series, base, await planOf(applied), {
      checked: true,
      forbidden: ['x'],
    })
    expect(plan.outcome).toBe('fail')
    writeThread(out, thread, plan)
    expect(readdirSync(out)).toHaveLength(5)
    writeThread(out, { ...thread, messages: thread.messages.slice(0, 2) }, plan)
    expect(readdirSync(out).toSorted()).toEqual([
      '0000-cover-letter.patch',
      '0001-mm-make-it-short.patch',
      'plan.json',
    ])
    writeFileSync(join(out, 'mine.txt'), 'mine')
    expect(() => writeThread(out, thread, plan)).toThrow(/mine\.txt/)
    expect(readFileSync(join(out, 'mine.txt'), 'utf8')).toBe('mine')
    const other = join(dir, 'other')
    mkdirSync(other)
    writeFileSync(join(other, '0001-somebody.patch'), 'x')
    expect(() => writeThread(other, thread, plan)).toThrow(/not empty/)
    expect(existsSync(join(other, '0000-cover-letter.patch'))).toBe(false)
    expect(readdirSync(dir).filter((name) => name.startsWith('.phyr-mail-'))).toEqual([])
  })

  test('the plan for people', async () => {
    const { applied } = await mailProject(dir)
    const recipients = await planOf(applied)
    const thread = await fixedThread(applied, { recipients: (number) => recipients.byNumber.get(number)! })
    const text = planText(
      mailPlan(thread, applied.series, base, recipients, { checked: true, forbidden: [] }),
    )
    expect(text).toMatch(/^linux-kernel@lists\.example\.org +To 3 {2}Cc 0-2$/m)
    expect(text).toMatch(/^Mm, \(Person\) <mm@example\.org> +To 0-1$/m)
    expect(text).toMatch(/Nobody maintains:\n {2}lib\/phyr\.c \(patch 3\)/)
    expect(ranges([3, 1, 2, 7])).toBe('1-3, 7')
  })
})

test('who sends is asked of git, in the project', async () => {
  const { project } = await mailProject(dir)
  expect(await senderOf(project.root)).toEqual(SENDER)
})

test('a base is public where anybody can fetch it', () => {
  const yes = ['https://git.example.org/linux.git', 'git://git.example.org/linux.git']
  const no = [
    'ssh://git@example.org/linux.git',
    'git@example.org:linux.git',
    '/srv/linux',
    'file:///srv/linux',
    'https://me:secret@example.org/x',
    'https://localhost/x',
    'https://10.0.0.1/x',
    'https://build.internal/x',
  ]
  expect(yes.filter((url) => !isPublic(url))).toEqual([])
  expect(no.filter(isPublic)).toEqual([])
})

test('evidence says nothing of the machine', () => {
  const own = { dirs: ['/data/cache/phyr', '/home/me'], names: ['wombat', 'wombat.example.org', 'me'] }
  expect(
    scrub('see /data/cache/phyr/runs/1/console and /home/me/x, on wombat.example.org.', own),
  ).not.toMatch(/cache\/phyr|home\/me|wombat/)
  expect(scrub('/home/other/tree /root/x', own)).not.toMatch(/other|root/)
  expect(scrub('some wombats at home, memory', own)).toBe('some wombats at home, memory')
})
