// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../lib/exec.ts'
import type { CheckFinding } from './check-record.ts'
import { newOnes, type Remark } from './delta.ts'
import { fileAt, type Point } from './point.ts'
import { withFiles, type NamedText } from './scratch-files.ts'
import { scriptEnv, skip, type Said } from './tool.ts'

/** The script's places, newest first; 7.3 has it in tools/docs. */
const SCRIPTS = ['tools/docs/kernel-doc', 'scripts/kernel-doc.py', 'scripts/kernel-doc']

/** kernel-doc's warnings that a patch brings: those of its C files after it that were not there before. */
export async function kernelDoc(point: Point): Promise<Said> {
  const paths = point.touched.map((file) => file.path).filter((path) => /\.[ch]$/.test(path))
  if (paths.length === 0) return { findings: [] }
  const script = SCRIPTS.find((path) => existsSync(join(point.treeDir, path)))
  if (script === undefined) return skip('kernel-doc', 'the tree has no kernel-doc')
  const sides = await Promise.all(
    (['before', 'after'] as const).map(async (side) =>
      remarks(point, script, await texts(point, side, paths)),
    ),
  )
  const [before, after] = sides
  if (typeof before === 'string') return skip('kernel-doc', before)
  if (typeof after === 'string') return skip('kernel-doc', after)
  return { findings: newOnes('kernel-doc', before ?? [], after ?? []) }
}

async function texts(point: Point, side: 'before' | 'after', paths: readonly string[]): Promise<NamedText[]> {
  const read = await Promise.all(paths.map(async (path) => ({ path, text: await fileAt(point, side, path) })))
  return read.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]))
}

/** What kernel-doc says of files, or why it could not. */
async function remarks(
  point: Point,
  script: string,
  named: readonly NamedText[],
): Promise<Remark[] | string> {
  if (named.length === 0) return []
  return withFiles(named, async (dir, files, nameOf) => {
    const absolute = join(point.treeDir, script)
    const result = await run('python3', ['-B', absolute, '-none', '-Wall', ...files], {
      cwd: dir,
      env: scriptEnv(),
      timeoutMs: 120_000,
      ...(point.signal ? { signal: point.signal } : {}),
    })
    if (result.code !== 0) return `it failed: ${result.stderr.trim().split('\n').at(-1) ?? result.code}`
    return kernelDocRemarks(result.stderr + result.stdout, nameOf)
  })
}

/** `Warning: FILE:LINE text`. */
export function kernelDocRemarks(output: string, nameOf: (file: string) => string): Remark[] {
  return output.split('\n').flatMap((text) => {
    const line = /^(?:Warning|Error|Info|warning|error): ([^:]+):(\d+):? (.*)$/.exec(text)
    if (!line) return []
    return [{ file: nameOf(line[1] ?? ''), line: Number(line[2]), message: line[3] ?? '' }]
  })
}

/**
 * Functions that a patch exports and that have no kernel-doc: in the files that it touches, or in a header.
 * Exports for KUnit only and what was exported before, in whichever of its files, are left out.
 */
export async function undocumentedExports(
  point: Point,
  hasDoc: (name: string) => Promise<boolean>,
): Promise<CheckFinding[]> {
  const findings: CheckFinding[] = []
  const old = new Set<string>()
  const news: { name: string; path: string; line: number; text: string }[] = []
  const after: string[] = []
  for (const { path } of point.touched) {
    if (!/\.[ch]$/.test(path) || path.startsWith('tools/')) continue
    for (const { name } of exportsOf((await fileAt(point, 'before', path)) ?? '')) old.add(name)
    const text = (await fileAt(point, 'after', path)) ?? ''
    after.push(text)
    for (const found of exportsOf(text)) news.push({ ...found, path, text })
  }
  for (const { name, path, line, text } of news) {
    if (old.has(name) || !new RegExp(`\\b${name}\\s*\\(`).test(text.replaceAll(EXPORT, ''))) continue
    if (after.some((other) => documents(other, name)) || (await hasDoc(name))) continue
    findings.push({
      tool: 'kernel-doc',
      level: 'warning',
      file: path,
      line,
      message: `${name}() is exported and has no kernel-doc`,
    })
  }
  return findings
}

const EXPORT = /^EXPORT_SYMBOL(?:_GPL|_NS|_NS_GPL|_FOR_MODULES)?\(\s*(\w+)[^)]*\)/gm

/** Names in EXPORT_SYMBOL*(), with their lines. */
export function exportsOf(text: string): { name: string; line: number }[] {
  return [...text.matchAll(EXPORT)].map((match) => ({
    name: match[1] ?? '',
    line: text.slice(0, match.index).split('\n').length,
  }))
}

/** Whether a text has a kernel-doc comment of that function: `/**`, then ` * name() - what`. */
export function documents(text: string, name: string): boolean {
  return new RegExp(
    `/\\*\\*[ \\t]*\\n[ \\t]*\\*[ \\t]+(?:\\w+[ \\t]+)?${name}(?:\\(\\))?[ \\t]*[-:\\n]`,
  ).test(text)
}
