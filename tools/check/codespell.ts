// SPDX-License-Identifier: GPL-2.0-only
import { run } from '../lib/exec.ts'
import { type AddedLine, addedLines } from './added-lines.ts'
import type { CheckFinding } from './check-record.ts'
import type { PatchMail } from './mail.ts'
import type { Point } from './point.ts'
import { type NamedText, withFiles } from './scratch-files.ts'
import { skip, type Said } from './tool.ts'

/** Words that codespell takes for misspelt and kernel sources use: names of functions, registers and fields. */
const KERNEL_WORDS = [
  'ser',
  'fo',
  'te',
  'inout',
  'ptd',
  'mis',
  'ot',
  'fpr',
  'hda',
  'ue',
  'nd',
  'ba',
  'wan',
  'cas',
  'sie',
]

/** Where the message's findings come from, in codespell's output. */
const MESSAGE = 'message'

/** codespell over what a patch adds, and over its message. */
export async function codespell(point: Point, mail: PatchMail): Promise<Said> {
  const added = await addedLines(point)
  const message = [
    ...mail.fields
      .filter((field) => field.name.toLowerCase() === 'subject')
      .map((field) => ({ path: MESSAGE, line: field.line, text: mail.subject })),
    // Names of people are not words.
    ...mail.prose.map(({ line, text }) => ({ path: MESSAGE, line, text })),
  ]
  return spell([...message, ...added], 'codespell', point.signal)
}

/** codespell over a text that is not a patch, the cover letter. */
export async function codespellText(text: string, signal?: AbortSignal): Promise<Said> {
  const lines = text.split('\n').map((line, i) => ({ path: MESSAGE, line: i + 1, text: line }))
  return spell(lines, 'codespell', signal)
}

async function spell(lines: readonly AddedLine[], tool: string, signal?: AbortSignal): Promise<Said> {
  const texts = inPlace(lines)
  if (texts.length === 0) return { findings: [] }
  return withFiles(texts, async (dir, files, nameOf) => {
    const args = ['--quiet-level=2', `--ignore-words-list=${KERNEL_WORDS.join(',')}`, '--', ...files]
    const result = await run('codespell', args, {
      cwd: dir, // without a setup.cfg or .codespellrc
      env: { HOME: '/nonexistent', NO_COLOR: '1' },
      timeoutMs: 120_000,
      ...(signal ? { signal } : {}),
    })
    const findings = codespellFindings(result.stdout, nameOf)
    // 65 is for findings.
    if (result.code !== 0 && findings.length === 0)
      return skip(tool, `it failed: ${result.stderr.trim().split('\n').at(-1) ?? result.code}`)
    return { findings }
  })
}

/** `FILE:LINE: word ==> better`. */
export function codespellFindings(output: string, nameOf: (file: string) => string): CheckFinding[] {
  return output.split('\n').flatMap((text) => {
    const line = /^(?:\.\/)?([^:]+):(\d+): (.*)$/.exec(text)
    if (!line) return []
    const file = nameOf(line[1] ?? '')
    return [
      {
        tool: 'codespell',
        level: 'warning' as const,
        ...(file === MESSAGE ? {} : { file }),
        line: Number(line[2]),
        message: line[3] ?? '',
      },
    ]
  })
}

/** Files with the given lines where they stand, and empty ones between, so that line numbers come out right. */
function inPlace(lines: readonly AddedLine[]): NamedText[] {
  const byPath = new Map<string, string[]>()
  for (const { path, line, text } of lines) {
    const rows = byPath.get(path) ?? []
    rows[line - 1] = text
    byPath.set(path, rows)
  }
  return [...byPath].map(([path, rows]) => ({
    path: path === MESSAGE ? MESSAGE : path,
    text: `${Array.from(rows, (row) => row ?? '').join('\n')}\n`,
  }))
}
