// SPDX-License-Identifier: GPL-2.0-only
import { posix } from 'node:path'
import type { Patch } from '../series/series.ts'
import { changedLines, type FileLines } from './diff-lines.ts'
import { definitions, uses, type Definition, type SymbolKind, type Uses } from './symbols.ts'

/** That a patch does not build, or does not mean the same, without an earlier one. */
export interface SymbolNeed {
  readonly on: number
  readonly kind: SymbolKind | 'file' | 'last-user'
  readonly name: string
  /** The file of the later patch that needs it. */
  readonly file: string
}

/** Tells which of these words occur in the base where the patches could mean them. */
export type KnownWords = (words: readonly string[]) => Promise<ReadonlySet<string>>

/**
 * For each patch, by number, the names and files that it uses and an earlier patch brings: functions, types, macros,
 * variables, members, config options, headers, objects of a Makefile; and, where a patch removes a definition, the
 * earlier patches that remove its users. The newest patch that defines or changes a name before it is used counts.
 *
 * Text is looked at, not types: a name that two files define for themselves is told apart by `static` and by file, a
 * member of a struct counts only when the base has no such word (`known`).
 */
export async function symbolNeeds(
  patches: readonly Patch[],
  known: KnownWords,
): Promise<ReadonlyMap<number, readonly SymbolNeed[]>> {
  const all = patches.map(analyse)
  const members = new Set(
    all.flatMap((one) => one.defines.filter((d) => d.kind === 'member').map((d) => d.name)),
  )
  const used = new Set(all.flatMap((one) => one.files.flatMap(({ use }) => [...use.members])))
  const old = await known([...members].filter((name) => used.has(name)))
  const needs = new Map<number, readonly SymbolNeed[]>()
  for (const [i, one] of all.entries()) needs.set(one.number, needsOf(one, all.slice(0, i), old))
  return needs
}

interface Analysed {
  readonly number: number
  readonly files: readonly { readonly file: FileLines; readonly use: Uses; readonly drops: Uses }[]
  /** What the patch brings: defined in its added lines, and not the same in its removed ones of the same file. */
  readonly defines: readonly Definition[]
  readonly own: ReadonlySet<string>
  /** Definitions that are gone after it. */
  readonly removes: readonly Definition[]
}

function analyse(patch: Patch): Analysed {
  const files = changedLines(patch.text).map((file) => ({
    file,
    use: uses(file, file.added),
    drops: uses(file, file.removed),
  }))
  const added = files.flatMap(({ file }) => definitions(file, file.added))
  const removed = files.flatMap(({ file }) => definitions(file, file.removed))
  const same = (a: Definition, b: Definition): boolean =>
    a.name === b.name && a.file === b.file && a.text === b.text
  return {
    number: patch.number,
    files,
    defines: added.filter((d) => !removed.some((r) => same(d, r))),
    own: new Set(added.filter((d) => d.kind !== 'member').map((d) => `${d.file} ${d.name}`)),
    removes: removed.filter((r) => r.kind !== 'member' && !added.some((d) => d.name === r.name)),
  }
}

function needsOf(one: Analysed, before: readonly Analysed[], old: ReadonlySet<string>): SymbolNeed[] {
  const needs = new Map<string, SymbolNeed>()
  const add = (need: SymbolNeed): void => {
    const key = `${need.kind} ${need.name}`
    if (!needs.has(key)) needs.set(key, need)
  }
  // Newest first: what a later patch redefined is not asked of an earlier one.
  for (const other of before.toReversed()) {
    for (const { file, use } of one.files) {
      for (const definition of other.defines) {
        if (!isUsed(definition, use, old)) continue
        if (one.own.has(`${file.path} ${definition.name}`)) continue
        if (!isSeen(definition, file.path, use)) continue
        add({ on: other.number, kind: definition.kind, name: definition.name, file: file.path })
      }
      for (const { file: made } of other.files) {
        if (made.isNew && namesFile(use, file.path, made.path))
          add({ on: other.number, kind: 'file', name: made.path, file: file.path })
      }
    }
    for (const gone of one.removes) {
      const user = other.files.find(
        ({ file, use, drops }) =>
          drops.words.has(gone.name) && !use.words.has(gone.name) && sees(gone, file.path),
      )
      if (user)
        needs.set(`last ${gone.name} ${other.number}`, {
          on: other.number,
          kind: 'last-user',
          name: gone.name,
          file: gone.file,
        })
    }
  }
  return [...needs.values()]
}

function isUsed(definition: Definition, use: Uses, old: ReadonlySet<string>): boolean {
  const { name, kind } = definition
  if (kind === 'config') return use.configs.has(name)
  if (kind === 'member') return use.members.has(name) && !old.has(name)
  return use.words.has(name)
}

/** Whether code in `path` can mean this definition. */
function isSeen(definition: Definition, path: string, use: Uses): boolean {
  const included = [...use.files].some((name) => isNamed(name, path, definition.file))
  if (definition.file === path || included) return true
  // Names of members repeat: those of a private header count only in its own directory.
  const isPrivate = !/(?:^|\/)include\//.test(definition.file)
  if (definition.kind === 'member' && isPrivate && dirOf(definition.file) !== dirOf(path)) return false
  return sees(definition, path)
}

function sees(definition: Definition, path: string): boolean {
  if (definition.file === path) return true
  if (definition.local) return false
  const tool = (file: string): boolean => /^(?:tools|samples)\//.test(file)
  // Programs of user space see the kernel's headers; the kernel sees nothing of theirs.
  if (tool(definition.file) && !tool(path)) return false
  if (tool(definition.file) && tool(path)) return sameProgram(definition.file, path)
  return !(tool(path) && definition.file.endsWith('.c') && definition.kind !== 'config')
}

/** Tools share headers and sources within their own directory. */
function sameProgram(a: string, b: string): boolean {
  const top = (file: string): string => file.split('/').slice(0, 4).join('/')
  return top(a) === top(b) || a.startsWith(dirOf(b))
}

/** Whether a patch to `from` names the file `made`. That MAINTAINERS lists a file makes nobody need it. */
function namesFile(use: Uses, from: string, made: string): boolean {
  return from !== 'MAINTAINERS' && [...use.files].some((name) => isNamed(name, from, made))
}

function isNamed(name: string, from: string, file: string): boolean {
  const dir = dirOf(from)
  if (name.endsWith('.o')) return `${dir}${name.slice(0, -2)}.c` === file
  // <linux/phyr.h> is include/linux/phyr.h, or one of an architecture's.
  return (
    file === name ||
    file === `include/${name}` ||
    file === posix.normalize(`${dir}${name}`) ||
    file.endsWith(`/include/${name}`)
  )
}

function dirOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}
