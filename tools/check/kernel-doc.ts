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
  const names = renamed(await exportLists(point))
  const said = (before ?? []).map((remark) => ({ ...remark, message: withNames(remark.message, names) }))
  return { findings: newOnes('kernel-doc', said, after ?? []) }
}

/** A text with old names of functions replaced by new ones. */
function withNames(text: string, names: ReadonlyMap<string, string>): string {
  return text.replace(/\w+/g, (word) => names.get(word) ?? word)
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

/** `Warning: FILE:LINE text`; each once, as some come twice. */
export function kernelDocRemarks(output: string, nameOf: (file: string) => string): Remark[] {
  return [...new Set(output.split('\n'))].flatMap((text) => {
    const line = /^(?:Warning|Error|Info|warning|error): ([^:]+):(\d+):? (.*)$/.exec(text)
    if (!line) return []
    return [{ file: nameOf(line[1] ?? ''), line: Number(line[2]), message: line[3] ?? '' }]
  })
}

/** What one file exports before and after a patch, in order. */
interface ExportLists {
  readonly path: string
  readonly before: readonly Exported[]
  readonly after: readonly Exported[]
  readonly text: string
}

async function exportLists(point: Point): Promise<ExportLists[]> {
  const paths = point.touched.map((file) => file.path).filter((path) => /\.[ch]$/.test(path))
  return Promise.all(
    paths.map(async (path) => {
      const text = (await fileAt(point, 'after', path)) ?? ''
      const before = exportsOf((await fileAt(point, 'before', path)) ?? '')
      return { path, before, after: exportsOf(text), text }
    }),
  )
}

/** Exports that only changed their name, old to new: as many as before, and another name at the same place. */
export function renamed(lists: readonly Pick<ExportLists, 'before' | 'after'>[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const { before, after } of lists) {
    if (before.length !== after.length) continue
    for (const [i, { name }] of before.entries()) {
      const now = after[i]?.name ?? name
      if (now !== name && !after.some((other) => other.name === name)) names.set(name, now)
    }
  }
  return names
}

/**
 * Functions that a patch exports and that have no kernel-doc: in the files that it touches, or in a header. Exports
 * for KUnit only and what was exported before, in whichever of its files and by whichever name, are left out.
 */
export async function undocumentedExports(
  point: Point,
  hasDoc: (name: string) => Promise<boolean>,
): Promise<CheckFinding[]> {
  const lists = (await exportLists(point)).filter(({ path }) => !path.startsWith('tools/'))
  const names = renamed(lists)
  const old = new Set(
    lists.flatMap(({ before }) => before.flatMap(({ name }) => [name, names.get(name) ?? name])),
  )
  const findings: CheckFinding[] = []
  for (const { path, after, text } of lists) {
    for (const { name, line } of after) {
      const isFunction = new RegExp(`\\b${name}\\s*\\(`).test(text.replaceAll(EXPORT, ''))
      if (old.has(name) || !isFunction) continue
      if (lists.some((other) => documents(other.text, name)) || (await hasDoc(name))) continue
      findings.push({
        tool: 'kernel-doc',
        level: 'warning',
        file: path,
        line,
        message: `${name}() is exported and has no kernel-doc`,
      })
    }
  }
  return findings
}

interface Exported {
  readonly name: string
  readonly line: number
}

const EXPORT = /^EXPORT_SYMBOL(?:_GPL|_NS|_NS_GPL|_FOR_MODULES)?\(\s*(\w+)[^)]*\)/gm

/** Names in EXPORT_SYMBOL*(), with their lines. */
export function exportsOf(text: string): Exported[] {
  return [...text.matchAll(EXPORT)].map((match) => ({
    name: match[1] ?? '',
    line: text.slice(0, match.index).split('\n').length,
  }))
}

/** Whether a text has a kernel-doc comment of that function: `/**`, then ` * name() - what`. */
export function documents(text: string, name: string): boolean {
  return new RegExp(
    `/\\*\\*[ \\t]*\\n[ \\t]*\\*[ \\t]+(?:(?:function|macro|define)[ \\t]+)?${name}(?:\\(\\))?[ \\t]*[-:\\n]`,
  ).test(text)
}
