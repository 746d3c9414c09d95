// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { join, posix, relative, resolve } from 'node:path'

/** What kbuild wrote beside an object: how it was compiled, and from which files (scripts/basic/fixdep.c). */
export interface CmdFile {
  /** The compiler's command, word by word, without ccache; what follows it (objtool) is left out. */
  readonly argv: readonly string[]
  /** The source and every header, relative to the tree; generated ones, which lie in O=, are left out. */
  readonly deps: ReadonlySet<string>
}

/**
 * Reads the .cmd file of an object.
 *
 * @param object the O= directory.
 * @param target the object, relative to it.
 * @param source the tree that the command names.
 * @returns undefined when the object was never made there.
 */
export function readCmdFile(object: string, target: string, source: string): CmdFile | undefined {
  const file = cmdPath(object, target)
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  const saved = /^savedcmd_\S+ := (.*)$/m.exec(text)?.[1]
  if (saved === undefined) return undefined
  return { argv: compilerOf(splitCommand(saved)), deps: depsOf(text, object, source) }
}

/** Where kbuild keeps the command of an object. */
export function cmdPath(object: string, target: string): string {
  return join(object, posix.dirname(target), `.${posix.basename(target)}.cmd`)
}

/**
 * The words of the first command in a saved command line: quotes and backslashes as sh takes them, `$(pound)` and
 * `$$` as kbuild escapes them for make.
 */
export function splitCommand(saved: string): string[] {
  const text = saved.replaceAll('$(pound)', '#').replaceAll('$$', '$')
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? ''
    if (quote !== undefined) {
      if (char === quote) quote = undefined
      else if (char === '\\' && quote === '"' && /["\\$`]/.test(text[i + 1] ?? '')) word += text[++i] ?? ''
      else word += char
    } else if (char === "'" || char === '"') {
      quote = char
      word ??= ''
    } else if (char === '\\') word = (word ?? '') + (text[++i] ?? '')
    else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (char === ';' || char === '&' || char === '|') break
    else word = (word ?? '') + char
  }
  if (word !== undefined) words.push(word)
  return words
}

/** Without ccache, whose answer is the compiler's. */
function compilerOf(words: readonly string[]): string[] {
  return words[0] === 'ccache' ? words.slice(1) : [...words]
}

/**
 * The compiler's options alone: neither what it writes (-o, the dependency file), nor that it compiles (-c), nor the
 * source. For another program that reads the same source: the preprocessor, sparse.
 *
 * @param moved the tree that the command names, and the one to read instead: the same files at another patch.
 */
export function optionsOf(
  argv: readonly string[],
  moved?: { readonly from: string; readonly to: string },
): string[] {
  const out: string[] = []
  for (let i = 1; i < argv.length - 1; i++) {
    const word = argv[i] ?? ''
    if (word === '-o') i++
    else if (word !== '-c' && !word.startsWith('-Wp,-MMD')) out.push(moved ? move(word, moved) : word)
  }
  return out
}

/** The source that a command compiles: its last word. */
export function sourceOf(
  argv: readonly string[],
  moved?: { readonly from: string; readonly to: string },
): string {
  const last = argv.at(-1) ?? ''
  return moved ? move(last, moved) : last
}

function move(word: string, moved: { readonly from: string; readonly to: string }): string {
  // With the slash: one tree's name may begin with another's.
  const to = word.replaceAll(`${moved.from}/`, `${moved.to}/`)
  return to.endsWith(moved.from) ? to.slice(0, -moved.from.length) + moved.to : to
}

function depsOf(text: string, object: string, source: string): Set<string> {
  const deps = new Set<string>()
  const add = (path: string): void => {
    const inTree = relative(source, resolve(object, path))
    if (!inTree.startsWith('..') && inTree !== '') deps.add(inTree)
  }
  const own = /^source_\S+ := (.*)$/m.exec(text)?.[1]
  if (own !== undefined) add(own)
  const from = text.indexOf('\ndeps_')
  if (from === -1) return deps
  for (const line of text.slice(text.indexOf('\n', from + 1) + 1).split('\n')) {
    const path = line.replace(/ \\$/, '').trim()
    if (path === '') break
    if (!path.startsWith('$(')) add(path)
  }
  return deps
}
