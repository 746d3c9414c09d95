// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import type { Base } from '../../../tools/base/base.ts'
import { findProject, type Project } from '../../../tools/lib/project.ts'
import type { Address } from '../../../tools/mail/address.ts'
import { composeThread, type ComposeInput } from '../../../tools/mail/compose.ts'
import { coverText } from '../../../tools/mail/cover.ts'
import { parseCover } from '../../../tools/mail/cover-file.ts'
import { overallStat, patchParts } from '../../../tools/mail/patch-parts.ts'
import type { Thread } from '../../../tools/mail/thread.ts'
import { applySeries } from '../../../tools/series/apply.ts'
import { readSeries } from '../../../tools/series/read.ts'
import type { Applied } from '../../../tools/series/series.ts'
import { baseOf, gitIn, makeCheckout, MAKEFILE, writeFiles } from '../base/repo-fixture.ts'
import { META } from '../series/series-fixture.ts'

export const SENDER: Address = { name: 'Sender Person', email: 'sender@example.org' }
export const DATE = new Date('2026-11-21T13:00:00Z')

/** A script in place of the kernel's: it names people by the paths that it sees. */
const SCRIPT = `#!/usr/bin/perl
use strict; use warnings;
my $of = grep { $_ eq '-f' } @ARGV;
my $text = $of ? join("\\n", @ARGV) : do { local $/; <STDIN> };
print "\\"Mm, (Person)\\" <mm\\@example.org> (maintainer:MEMORY, (X))\\n" if $text =~ m{mm/};
print "R\\xc3\\xa9viewer <rev\\@example.org> (reviewer:MEMORY, (X))\\n" if $text =~ m{mm/};
print "Block Person <block\\@example.org> (maintainer:BLOCK,reviewer:MEMORY, (X))\\n" if $text =~ m{block/};
print "linux-mm\\@lists.example.org (open list:MEMORY, (X))\\n" if $text =~ m{mm/};
print "linux-kernel\\@lists.example.org (open list)\\n";
`

const MAINTAINERS = `MEMORY, (X)
M:	"Mm, (Person)" <mm@example.org>
R:	Réviewer <rev@example.org>
L:	linux-mm@lists.example.org
F:	mm/

THE REST
M:	Everybody <rest@example.org>
S:	Buried alive in reporters
F:	*
F:	*/
`

export const COVER = `# phyr: three small things

Why this is needed, für alle.

## Approach

- one
- two

## Changes in v2

- Said more (Réviewer)
- Link to v1: https://lore.example.org/r/1@example.org

To: Extra <extra@example.org>
Cc: list@lists.example.org
prerequisite-message-id: <1@example.org>
prerequisite-change-id: 20260101-other-0123456789ab:v1
`

/** One commit of a made-up series. */
export interface Step {
  readonly files: Readonly<Record<string, string>>
  readonly message: string
  readonly author?: string
}

export const STEPS: readonly Step[] = [
  {
    files: { 'mm/gup.c': 'one\ntwo\n' },
    message:
      'mm: make it short\n\nIt was long.\n\n.\n..dots at the beginning of lines\n\nCc: <stable@example.org> # 6.1+\nAssisted-by: LLM',
    author: 'Sender Person <sender@example.org>',
  },
  {
    files: { 'block/bio.c': 'int bio;\n' },
    message:
      'block: für phyr\n\nWhy: „so“.\n\nReported-by: "Comma, A." <comma@example.org>\nAssisted-by: LLM',
    author: 'Jörg Ä <joerg@example.org>',
  },
  {
    files: { 'lib/phyr.c': 'int phyr;\n' },
    message: `lib: a file that nobody maintains, with a subject long enough for a second line of the header`,
    author: 'Other, Person <other@example.org>',
  },
]

/** A project whose series has these commits, on a base of its own, applied. */
export async function mailProject(
  dir: string,
  steps: readonly Step[] = STEPS,
  options: {
    readonly cover?: string
    readonly version?: number
    readonly edit?: (patch: string) => string
  } = {},
): Promise<{ project: Project; base: Base; applied: Applied; linux: string }> {
  const linux = await makeCheckout(join(dir, 'linux'), {
    MAINTAINERS,
    Makefile: MAKEFILE,
    'scripts/get_maintainer.pl': SCRIPT,
  })
  const base = await baseOf(linux)
  const work = join(dir, 'work')
  await gitIn(dir, 'clone', '-q', linux, work)
  const names: string[] = []
  const files: Record<string, string> = {}
  for (const [i, { files: changed, message, author }] of steps.entries()) {
    writeFiles(work, changed)
    await gitIn(work, 'add', '-A')
    await gitIn(work, 'commit', '-q', ...(author ? [`--author=${author}`] : []), '-m', message)
    const name = `${String(i + 1).padStart(4, '0')}-step.patch`
    names.push(name)
    const text = await gitIn(work, 'format-patch', '-1', '--stdout', '--no-signature', '--zero-commit')
    files[`patches/${name}`] = (options.edit ?? ((same) => same))(`${text}\n`)
  }
  const root = join(dir, 'project')
  writeFiles(root, {
    ...files,
    'patches/series': `${names.join('\n')}\n`,
    'patches/series.json': JSON.stringify({ ...META, version: options.version ?? 1 }),
    'patches/cover.md': options.cover ?? COVER,
  })
  await gitIn(root, 'init', '-q')
  await gitIn(root, 'config', 'user.name', SENDER.name)
  await gitIn(root, 'config', 'user.email', SENDER.email)
  const project = findProject(root)
  return { project, base, applied: await applySeries(base, readSeries(project.patches)), linux }
}

/** A thread of it, with nothing in it that changes from day to day. */
export async function fixedThread(
  applied: Applied,
  options: Partial<ComposeInput> & { readonly baseCommit?: string; readonly coverFile?: string } = {},
): Promise<Thread> {
  const file = parseCover(options.coverFile ?? COVER)
  const patches = await patchParts(applied)
  return composeThread({
    changeId: applied.series.changeId,
    version: applied.series.version,
    prefixes: [],
    patches,
    sender: SENDER,
    date: DATE,
    gitVersion: '2.39.5',
    seed: 'golden',
    recipients: () => ({ to: file.to, cc: file.cc }),
    cover: coverText({
      file,
      evidence: 'Evidence\n========\n\nNone: this is made up.',
      patches,
      stat: await overallStat(applied),
      base: { commit: options.baseCommit, sentence: options.baseCommit ? '' : 'Applies to nothing.' },
      changeId: applied.series.changeId,
    }),
    ...options,
  })
}
