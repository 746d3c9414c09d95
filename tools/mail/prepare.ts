// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkSeries } from '../check/check.ts'
import { UsageError } from '../lib/errors.ts'
import { cacheRoot } from '../lib/paths.ts'
import type { Project } from '../lib/project.ts'
import { matrixOf } from '../run/matrix.ts'
import type { Applied } from '../series/series.ts'
import type { Address } from './address.ts'
import { amDiffers } from './am-check.ts'
import { baseWord } from './base-public.ts'
import { composeThread } from './compose.ts'
import { coverText } from './cover.ts'
import { parseCover, type CoverFile } from './cover-file.ts'
import { gatherEvidence, type Evidence } from './evidence.ts'
import { evidenceReasons } from './evidence-rules.ts'
import { evidenceText } from './evidence-text.ts'
import { maintainersOf } from './maintainers.ts'
import { overallStat, patchParts, type PatchParts } from './patch-parts.ts'
import { mailPlan, type MailPlan } from './plan.ts'
import { planRecipients } from './recipients.ts'
import { recipientsChoice } from './recipients-file.ts'
import { scrub } from './scrub.ts'
import { gitVersion, senderOf } from './sender.ts'
import { signOff } from './sign-off.ts'
import { prefixesOf } from './subject.ts'
import type { Thread } from './thread.ts'
import { versionsOf } from './versions.ts'

export interface MailChoice {
  readonly rfc?: boolean
  readonly resend?: boolean
  readonly prefixes?: readonly string[]
  /** Date of the cover; default now. */
  readonly date?: Date | undefined
  /** For tests: makes the Message-IDs predictable. */
  readonly seed?: string | undefined
  /** What the user gave as --linux, if anything: a public base is looked for there. */
  readonly linux?: string | undefined
  /** Who signs the patches off in the mails; undefined: nobody. */
  readonly signer?: Address | undefined
  /** A part of the series that is posted by itself. */
  readonly part?:
    | {
        /** Text of its cover letter, and its file. */
        readonly cover: string
        readonly coverFile: string
        /** prerequisite-change-id: lines of the parts before it. */
        readonly prerequisites: readonly string[]
        /** The whole series: what ran and was measured is that. */
        readonly whole: Applied
        /** What forbids mailing it. */
        readonly problems: readonly string[]
      }
    | undefined
  /** false: phyr check is not asked, which may take minutes; then nothing says that it may be mailed. */
  readonly check?: boolean
}

/** A thread that could be sent, who gets it, and what forbids it. */
export interface Prepared {
  readonly thread: Thread
  readonly plan: MailPlan
}

/**
 * Makes the thread of an applied series and its plan: everything but the files. What forbids mailing is in the plan and
 * in the cover letter; the thread is made all the same, so that its author can look at it.
 *
 * @throws UsageError or Finding when no mail can be made of it at all.
 */
export async function prepareMail(
  project: Project,
  applied: Applied,
  choice: MailChoice,
  signal: AbortSignal,
): Promise<Prepared> {
  const { series, base } = applied
  if (applied.commits.length === 0) throw new UsageError('there is no patch to mail')
  const { part } = choice
  const own = part ? parseCover(part.cover, `patches/${part.coverFile}`) : readCover(project)
  const versions = await versionsOf(project.patches, applied, own.changes, choice.resend ?? false, signal)
  const file: CoverFile = {
    ...own,
    changes: [own.changes, versions.rangeDiff].filter((text) => text !== '').join('\n\n'),
    prerequisites: [...own.prerequisites, ...(part?.prerequisites ?? [])],
  }
  const sender = await senderOf(project.root, signal)
  const patches = await patchParts(applied, signal)
  const maintainers = await maintainersOf(applied, signal)
  const recipients = planRecipients({
    patches,
    maintainers,
    cover: file,
    choice: recipientsChoice(project),
    sender,
  })
  const evidence: Evidence = {
    ...gatherEvidence(applied, cacheRoot(), part?.whole),
    ...(choice.check === false ? {} : { check: await checkSeries(part?.whole ?? applied, { signal }) }),
  }
  const common = {
    changeId: series.changeId,
    version: series.version,
    prefixes: prefixesOf(series.prefix, choice),
    patches,
    sender,
    date: choice.date ?? new Date(),
    gitVersion: await gitVersion(signal),
    recipients: (number: number) => recipients.byNumber.get(number) ?? { to: [], cc: [] },
    history: versions.history,
    seed: choice.seed ?? undefined,
  }
  const word = await baseWord(base.identity, choice.linux, signal)
  const stat = await overallStat(applied, signal)
  const withCover = (forbidden: readonly string[]): Thread =>
    composeThread({
      ...common,
      cover: coverText({
        file,
        evidence: scrub(evidenceText(evidence, forbidden, expectedRuns(project))),
        patches,
        stat,
        base: word,
        changeId: series.changeId,
      }),
    })
  const forbidden = [
    ...(part?.problems ?? []),
    ...versions.problems,
    ...evidenceReasons(evidence),
    ...(evidence.check === undefined ? ['phyr check was not asked'] : []),
    ...(maintainers === undefined
      ? ['the tree has no scripts/get_maintainer.pl: nobody knows who is to get this']
      : []),
    ...lonely(recipients.byNumber, patches),
    // The patches' mails do not depend on the reasons, which stand in the cover letter.
    ...(await lostInMail(withCover([]), patches, signal)),
  ]
  const unsigned = withCover(forbidden)
  const thread = choice.signer ? signOff(unsigned, choice.signer) : unsigned
  const { version, tree } = base.identity
  const plan = mailPlan(thread, series, { version, tree, commit: word.commit ?? null }, recipients, {
    checked: evidence.check !== undefined,
    forbidden,
  })
  return { thread, plan }
}

/** Everything that could be run of a project, "machine suite". */
function expectedRuns(project: Project): string[] {
  const cells = matrixOf(project, { arch: 'x86_64', machines: undefined, suites: undefined })
  return cells.map(({ machine, suite }) => `${machine.name} ${suite.name}`)
}

function lonely(
  byNumber: ReadonlyMap<number, { readonly to: readonly unknown[] }>,
  patches: readonly PatchParts[],
): string[] {
  return patches.flatMap(({ patch }, i) =>
    byNumber.get(i + 1)?.to.length === 0 ? [`${patch.file}: there is nobody who would get it`] : [],
  )
}

async function lostInMail(
  thread: Thread,
  patches: readonly PatchParts[],
  signal: AbortSignal,
): Promise<string[]> {
  const lost: string[] = []
  for (const message of thread.messages) {
    const parts = patches[message.number - 1]
    if (parts === undefined) continue
    const differs = await amDiffers(message, parts, signal)
    if (differs !== undefined) lost.push(`${parts.patch.file}: ${differs}`)
  }
  return lost
}

function readCover(project: Project): CoverFile {
  let text: string
  try {
    text = readFileSync(join(project.patches, 'cover.md'), 'utf8')
  } catch {
    throw new UsageError(
      'there is no patches/cover.md',
      'write what the series does; its first line is "# title"',
    )
  }
  return parseCover(text)
}
