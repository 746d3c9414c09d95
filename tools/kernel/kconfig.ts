// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { staysInside } from '../lib/paths.ts'

/** One `config` block. A symbol may have several, each with its own conditions. */
export interface Definition {
  readonly option: string
  /** Path relative to the tree, and the line. */
  readonly file: string
  readonly line: number
  /** Conditions that must all hold: the block's own `depends on` and those of the menus and ifs around it. */
  readonly depends: readonly string[]
  /** Text of the question; undefined when there is none, so that nobody can set the option by hand. */
  readonly prompt: string | undefined
  /** `if` of the prompt. */
  readonly promptIf: string | undefined
  /** The line of the choice that it is one answer of. */
  readonly choice: string | undefined
}

/** `select`: `by` sets `option`, when `when` holds. */
export interface Selection {
  readonly option: string
  readonly by: string
  readonly when: string | undefined
}

/** What a tree's Kconfig files say. */
export interface KconfigIndex {
  readonly definitions: ReadonlyMap<string, readonly Definition[]>
  readonly selections: ReadonlyMap<string, readonly Selection[]>
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Reads the Kconfig files of a tree: enough of the language to say why an option does not hold (definitions,
 * dependencies, prompts, selects), not to compute a configuration. Files that are missing or outside the tree
 * are passed over: kconfig itself has complained about those.
 *
 * @param srcarch the directory under arch/, "x86" for x86_64 and i386.
 */
export function readKconfig(tree: string, srcarch: string): KconfigIndex {
  const definitions = new Map<string, Definition[]>()
  const selections = new Map<string, Selection[]>()
  const visited = new Set<string>()

  function readFile(file: string, around: readonly Scope[]): void {
    if (!staysInside(file) || visited.has(file)) return
    const path = join(tree, file)
    if (!existsSync(path)) return
    visited.add(file)
    readBlocks(file, logicalLines(readFileSync(path, 'utf8')), [...around])
  }

  /** Menus, choices and ifs that are open; each adds conditions to what is inside. */
  interface Scope {
    readonly kind: 'menu' | 'if' | 'choice'
    readonly depends: string[]
    readonly place: string
  }

  function readBlocks(file: string, lines: readonly LogicalLine[], scopes: Scope[]): void {
    let config: (Mutable<Definition> & { depends: string[] }) | undefined
    let scope: Scope | undefined
    let ignored = false
    let helpIndent: number | undefined
    for (const [at, { text, number, indent }] of lines.entries()) {
      if (helpIndent !== undefined) {
        // The help text ends at the first line that is less indented than its first line.
        if (helpIndent === -1 && indent > 0) helpIndent = indent
        if (helpIndent > 0 && indent >= helpIndent) continue
        helpIndent = undefined
      }
      const words = /^(\S+)\s*(.*)$/.exec(text)
      if (!words) continue
      const [keyword, rest] = [words[1] as string, words[2] as string]
      const enclosing = scopes.flatMap((s) => s.depends)
      switch (keyword) {
        case 'config':
        case 'menuconfig': {
          config = {
            option: rest.trim(),
            file,
            line: number,
            depends: enclosing,
            prompt: undefined,
            promptIf: undefined,
            choice: scopes.findLast((s) => s.kind === 'choice')?.place,
          }
          scope = undefined
          ignored = false
          push(definitions, config.option, config)
          break
        }
        case 'menu':
        case 'choice':
        case 'if':
          config = undefined
          ignored = false
          scope = { kind: keyword, depends: keyword === 'if' ? [rest] : [], place: `${file}:${number}` }
          scopes.push(scope)
          break
        case 'endmenu':
        case 'endchoice':
        case 'endif':
          config = undefined
          scope = undefined
          scopes.pop()
          break
        case 'comment':
          config = undefined
          scope = undefined
          ignored = true
          break
        case 'source':
        case 'osource':
        case 'rsource':
        case 'orsource': {
          const name = unquote(rest).replaceAll(/\$\((?:SRCARCH|HEADER_ARCH)\)/g, srcarch)
          readFile(keyword.endsWith('rsource') ? join(dirname(file), name) : name, scopes)
          config = undefined
          scope = undefined
          break
        }
        case 'depends': {
          const condition = rest.replace(/^on\s+/, '')
          if (config) config.depends = [...config.depends, condition]
          else if (!ignored) scope?.depends.push(condition)
          break
        }
        case 'visible':
          break
        case 'prompt':
        case 'bool':
        case 'boolean':
        case 'tristate':
        case 'string':
        case 'int':
        case 'hex': {
          const prompt = /^("(?:[^"\\]|\\.)*"|'[^']*')\s*(?:if\s+(.*))?$/.exec(rest)
          if (prompt && config) {
            config.prompt = unquote(prompt[1] as string)
            config.promptIf = prompt[2]
          }
          break
        }
        case 'select': {
          const select = /^(\w+)(?:\s+if\s+(.*))?$/.exec(rest)
          if (select && config) {
            push(selections, select[1] as string, {
              option: select[1] as string,
              by: config.option,
              when: select[2],
            })
          }
          break
        }
        case 'help':
        case '---help---':
          helpIndent = (lines[at + 1]?.indent ?? 0) > 0 ? -1 : undefined
          break
        default:
          break
      }
    }
  }

  readFile('Kconfig', [])
  return { definitions, selections }
}

interface LogicalLine {
  readonly text: string
  readonly number: number
  /** Columns before the text, a tab to the next multiple of 8. */
  readonly indent: number
}

/** Lines without comments and empty ones, continued lines joined. */
function logicalLines(text: string): readonly LogicalLine[] {
  const out: LogicalLine[] = []
  let pending: { text: string; number: number } | undefined
  for (const [index, raw] of text.split('\n').entries()) {
    const joined = pending ? `${pending.text} ${raw.trim()}` : raw
    const number = pending?.number ?? index + 1
    if (raw.endsWith('\\')) {
      pending = { text: joined.slice(0, -1), number }
      continue
    }
    pending = undefined
    const content = joined.trim()
    if (content !== '' && !content.startsWith('#'))
      out.push({ text: content, number, indent: columns(joined) })
  }
  return out
}

function columns(line: string): number {
  let column = 0
  for (const char of line) {
    if (char === ' ') column++
    else if (char === '\t') column = (Math.floor(column / 8) + 1) * 8
    else break
  }
  return column
}

function unquote(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2')
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
