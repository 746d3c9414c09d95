// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../lib/exec.ts'
import { newOnes, type Remark } from './delta.ts'
import { fileAt, type Point } from './point.ts'
import { withFiles, type NamedText } from './scratch-files.ts'
import { skip, type Said } from './tool.ts'

/**
 * Rules of scripts/coccinelle that find mistakes, not style, and take a fifth of a second of CPU for a file: what is
 * left out takes longer (free/kfree a second, null/deref_null half of one) or says how code could be shorter.
 */
const COCCI_RULES = [
  'locks/double_lock',
  'locks/mini_lock',
  'null/kmerr',
  'null/eno',
  'iterators/use_after_iter',
  'iterators/itnull',
  'misc/doubleinit',
  'misc/noderef',
] as const

/** spatch of a rule over all files of a patch; more than this is not worth waiting for. */
const SECONDS = 60

/**
 * What coccicheck's rules say about the C files of a patch and did not say before it. A rule is run on the files as
 * they were only when it says something about them as they are.
 */
export async function coccicheck(point: Point): Promise<Said> {
  const paths = point.touched.filter((file) => file.change !== 'deleted' && file.path.endsWith('.c'))
  // Code of the host (tools/, scripts/) has other conventions; the rules are about the kernel's.
  const kernel = paths
    .map((file) => file.path)
    .filter((path) => !/^(?:tools|scripts|Documentation|samples)\//.test(path))
  if (kernel.length === 0) return { findings: [] }
  const rules = COCCI_RULES.filter((rule) => existsSync(ruleFile(point, rule)))
  if (rules.length === 0) return skip('coccicheck', 'the tree has none of the rules')
  const after = await texts(point, 'after', kernel)
  const late: string[] = []
  const findings = []
  for (const rule of rules) {
    const now = await remarks(point, rule, after)
    if (now === undefined) late.push(rule)
    if (now === undefined || now.length === 0) continue
    const named = kernel.filter((path) => now.some((remark) => remark.file === path))
    const then = await remarks(point, rule, await texts(point, 'before', named))
    if (then === undefined) late.push(rule)
    else findings.push(...newOnes('coccicheck', then, now))
  }
  const why = `spatch failed or took more than ${SECONDS} s for ${late.join(', ')}`
  return { findings, ...(late.length > 0 ? { skipped: { tool: 'coccicheck', why } } : {}) }
}

async function texts(point: Point, side: 'before' | 'after', paths: readonly string[]): Promise<NamedText[]> {
  const read = await Promise.all(paths.map(async (path) => ({ path, text: await fileAt(point, side, path) })))
  return read.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]))
}

function ruleFile(point: Point, rule: string): string {
  return join(point.treeDir, 'scripts/coccinelle', `${rule}.cocci`)
}

/** What one rule says; undefined when spatch did not get through. */
async function remarks(
  point: Point,
  rule: string,
  named: readonly NamedText[],
): Promise<Remark[] | undefined> {
  if (named.length === 0) return []
  return withFiles(named, async (dir, files, nameOf) => {
    // Files by name: with --dir, the tree's .cocciconfig would have spatch ask a git that has no files.
    const args = ['--very-quiet', '-D', 'report', '--no-show-diff', '--no-includes']
    const result = await run('spatch', [...args, '--cocci-file', ruleFile(point, rule), ...files], {
      cwd: dir,
      timeoutMs: SECONDS * 1000,
      ...(point.signal ? { signal: point.signal } : {}),
    })
    if (result.code !== 0) return undefined
    return cocciRemarks(result.stdout, rule, nameOf)
  })
}

/** `FILE:LINE:COLUMNS: text`. */
export function cocciRemarks(output: string, rule: string, nameOf: (file: string) => string): Remark[] {
  return output.split('\n').flatMap((text) => {
    const line = /^([^:]+):(\d+):[\d-]+:? (.*)$/.exec(text)
    if (!line) return []
    return [{ file: nameOf(line[1] ?? ''), line: Number(line[2]), message: `${line[3]} (${rule})` }]
  })
}
