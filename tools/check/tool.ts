// SPDX-License-Identifier: GPL-2.0-only
import { gitEnv } from '../base/repo.ts'
import { run } from '../lib/exec.ts'
import { which } from '../lib/which.ts'
import type { CheckFinding, Skipped } from './check-record.ts'

/** What one tool says about one patch. */
export interface Said {
  readonly findings: readonly CheckFinding[]
  readonly skipped?: Skipped
}

/** A tool that could not look, and why. */
export function skip(tool: string, why: string): Said {
  return { findings: [], skipped: { tool, why } }
}

/** Programs that the checks run, with how they tell their version. */
const PROGRAMS = {
  perl: { args: ['-e', 'print $^V'], pattern: /v([\d.]+)/ },
  python3: { args: ['--version'], pattern: /Python ([\d.]+)/ },
  codespell: { args: ['--version'], pattern: /([\d.]+)/ },
  spatch: { args: ['--version'], pattern: /version ([\w.]+)/ },
} as const

export type Program = keyof typeof PROGRAMS

/** The programs that are there, by name, with their versions: they are part of what a result was made with. */
export async function programs(signal?: AbortSignal): Promise<Readonly<Partial<Record<Program, string>>>> {
  const found: Partial<Record<Program, string>> = {}
  await Promise.all(
    (Object.keys(PROGRAMS) as Program[]).map(async (name) => {
      if (which(name) === undefined) return
      const { args, pattern } = PROGRAMS[name]
      const answer = await run(name, args, { timeoutMs: 20_000, ...(signal ? { signal } : {}) })
      if (answer.code === 0) found[name] = pattern.exec(answer.stdout + answer.stderr)?.[1] ?? 'there'
    }),
  )
  return found
}

/**
 * The environment of the tree's scripts: nobody's own configuration (~/.checkpatch.conf, ~/.get_maintainer.conf)
 * changes what is found; what the tree itself has (.checkpatch.conf, .get_maintainer.ignore) does.
 */
export function scriptEnv(): Record<string, string | undefined> {
  return { ...gitEnv(), HOME: '/nonexistent' }
}
