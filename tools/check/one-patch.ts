// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { git } from '../base/repo.ts'
import type { CheckFinding, Skipped } from './check-record.ts'
import { checkpatch } from './checkpatch.ts'
import { coccicheck } from './coccicheck.ts'
import { codespell } from './codespell.ts'
import { documents, kernelDoc, undocumentedExports } from './kernel-doc.ts'
import { readMail } from './mail.ts'
import { maintainers } from './maintainers.ts'
import { bodyRules, headRules, subjectRules } from './message-rules.ts'
import type { Point } from './point.ts'
import { type Program, type Said, skip } from './tool.ts'
import { trailerRules } from './trailer-rules.ts'

/** What the checks say about one patch at its place, before justifications. */
export async function checkPoint(
  point: Point,
  there: Readonly<Partial<Record<Program, string>>>,
): Promise<{ findings: CheckFinding[]; skipped: Skipped[] }> {
  const mail = readMail(point.text)
  const rules = [
    ...headRules(mail, point.stored),
    ...subjectRules(mail),
    ...bodyRules(mail),
    ...trailerRules(mail, { stored: point.stored, assistedForm: assistedForm(point.treeDir) }),
    ...hiddenText(point.text),
  ]
  const need = (program: Program, tool: string, use: () => Promise<Said>): Promise<Said> =>
    there[program] === undefined
      ? Promise.resolve(skip(tool, `${program} is not installed: run ./phyr doctor --install`))
      : use()
  const said = await Promise.all([
    need('perl', 'checkpatch', () => checkpatch(point)),
    need('python3', 'kernel-doc', () => kernelDoc(point)),
    undocumentedExports(point, (name) => isDocumented(point, name)).then((findings) => ({ findings })),
    need('codespell', 'codespell', () => codespell(point, mail)),
    need('perl', 'maintainers', () => maintainers(point)),
    need('spatch', 'coccicheck', () => coccicheck(point)),
  ])
  const findings = [...rules, ...said.flatMap((one: Said) => one.findings)]
  return {
    findings: coveredFiles(findings, said[4]),
    skipped: said.flatMap((one: Said) => (one.skipped ? [one.skipped] : [])),
  }
}

/**
 * checkpatch asks of every new file whether MAINTAINERS needs updating, since it cannot look. get_maintainer.pl did.
 */
function coveredFiles(findings: readonly CheckFinding[], asked: Said): CheckFinding[] {
  if (
    asked.skipped !== undefined ||
    asked.findings.some(({ level, file }) => level !== 'note' && file !== undefined)
  )
    return [...findings]
  const justified = 'get_maintainer.pl finds an entry of MAINTAINERS for each of the files'
  return findings.map((finding) =>
    finding.tool === 'checkpatch' && finding.message.startsWith('FILE_PATH_CHANGES:')
      ? { ...finding, justified }
      : finding,
  )
}

/** How the tree's own document wants the tag Assisted-by; '' when it has none. */
function assistedForm(treeDir: string): string {
  const file = join(treeDir, 'Documentation/process/coding-assistants.rst')
  if (!existsSync(file)) return ''
  return /^\s+Assisted-by:\s+(\S+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
}

/** Characters that turn the direction of text: what a reviewer sees is not what is compiled (CVE-2021-42574). */
function hiddenText(text: string): CheckFinding[] {
  return text.split('\n').flatMap((line, i) =>
    /[\u202a-\u202e\u2066-\u2069]/.test(line)
      ? [
          {
            tool: 'message',
            level: 'error' as const,
            line: i + 1,
            message: 'a character that turns the direction of text',
          },
        ]
      : [],
  )
}

/** Whether a header of the tree has the kernel-doc of a function. */
async function isDocumented(point: Point, name: string): Promise<boolean> {
  const grep = ['grep', '-l', '-z', '-w', '-e', name, point.after, '--', 'include/']
  const found = await git(point.repo, grep, { env: point.env })
  for (const entry of found.stdout.split('\0').filter(Boolean)) {
    const shown = await git(point.repo, ['cat-file', 'blob', entry], { env: point.env })
    if (documents(shown.stdout, name)) return true
  }
  return false
}
