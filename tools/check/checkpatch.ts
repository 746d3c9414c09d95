// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../lib/exec.ts'
import type { CheckFinding } from './check-record.ts'
import type { Point } from './point.ts'
import { scriptEnv, skip, type Said } from './tool.ts'

/** Types that the rules of messages cover, better: every line and not the first, and with the base's history. */
const OWN = ['COMMIT_LOG_LONG_LINE', 'BAD_FIXES_TAG', 'GERRIT_CHANGE_ID']

/** Types that are about a patch as a whole. */
const WHOLE = ['MISSING_SIGN_OFF', 'NO_AUTHOR_SIGN_OFF', 'FROM_SIGN_OFF_MISMATCH', 'MISSING_FIXES_TAG']

/** Runs the tree's checkpatch.pl --strict over a patch. */
export async function checkpatch(point: Point): Promise<Said> {
  if (!existsSync(join(point.treeDir, 'scripts/checkpatch.pl')))
    return skip('checkpatch', 'the tree has no scripts/checkpatch.pl')
  const args = ['--strict', '--no-summary', '--terse', '--show-types', '--showfile', '--color=never']
  // A stored patch has no sign-off by design (the rules of trailers see to it), so its absence is no finding.
  if (point.stored) args.push('--no-signoff')
  const result = await run('perl', ['scripts/checkpatch.pl', ...args, '--ignore', OWN.join(','), '-'], {
    cwd: point.treeDir,
    input: point.text,
    env: scriptEnv(),
    timeoutMs: 300_000,
    ...(point.signal ? { signal: point.signal } : {}),
  })
  const findings = checkpatchFindings(result.stdout)
  // 1 is for findings; else perl itself has something to say.
  if (result.timedOut || result.code > 1 || (result.code === 1 && findings.length === 0))
    return skip('checkpatch', `it failed: ${result.stderr.trim().split('\n').at(-1) ?? result.code}`)
  return { findings }
}

/** checkpatch's lines `FILE:LINE: LEVEL:TYPE: text`; FILE is `-` in the message. */
export function checkpatchFindings(output: string): CheckFinding[] {
  return output.split('\n').flatMap((text) => {
    const line = /^(.*?):(\d*): (ERROR|WARNING|CHECK):(\w+): (.*)$/.exec(text)
    if (!line) return []
    const [, name = '', at = '', level, type = '', message] = line
    // Said at the end, of the whole, with the place that was the last one.
    const file = WHOLE.includes(type) || name === '-' ? '' : name
    return [
      {
        tool: 'checkpatch',
        // Asked for with --strict, a CHECK counts: it goes or it is justified.
        level: level === 'ERROR' ? ('error' as const) : ('warning' as const),
        ...(file === '' ? {} : { file }),
        ...(Number(at) > 0 && !WHOLE.includes(type) ? { line: Number(at) } : {}),
        message: `${type}: ${message}`,
      },
    ]
  })
}
