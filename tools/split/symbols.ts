// SPDX-License-Identifier: GPL-2.0-only
import type { ChangedLine, FileLines } from './diff-lines.ts'

export type SymbolKind = 'function' | 'type' | 'macro' | 'value' | 'config' | 'member'

/** A name that a patch's added (or removed) lines define. */
export interface Definition {
  readonly name: string
  readonly kind: SymbolKind
  readonly file: string
  /** The text that defines it, blanks squeezed: tells a moved definition from a changed one. */
  readonly text: string
  /** Only code in the same file sees it: static, or anything but a function or variable of a .c file. */
  readonly local: boolean
}

/** C keywords and what stands in front of a parenthesis without being a function. */
const NOT_NAMES = new Set(
  (
    'if else for while do switch case default return goto break continue sizeof typeof __typeof__ struct union enum ' +
    'typedef static inline const extern void int long short char unsigned signed float double bool register volatile ' +
    'auto defined __attribute__ asm __asm__ __always_inline __init __exit __maybe_unused noinline __must_check ' +
    'EXPORT_SYMBOL EXPORT_SYMBOL_GPL'
  ).split(' '),
)

const IDENTIFIER = /[A-Za-z_]\w*/g

/** What the lines define, as far as a line tells: kernel style puts a definition's name on one line. */
export function definitions(file: FileLines, lines: readonly ChangedLine[]): Definition[] {
  if (isKconfig(file.path)) return kconfigDefinitions(file.path, lines)
  if (!isC(file.path)) return []
  const header = file.path.endsWith('.h')
  const found: Definition[] = []
  const add = (name: string, kind: SymbolKind, text: string, local: boolean): void => {
    if (!NOT_NAMES.has(name)) found.push({ name, kind, file: file.path, text: squeeze(text), local })
  }
  // Where added lines are inside an enum or a struct body that they open themselves.
  let body: 'enum' | 'struct' | undefined
  let before: ChangedLine | undefined
  for (const line of codeOf(lines)) {
    const { text } = line
    if (before && line.line !== before.line + 1) body = undefined
    const opened = /^(?:typedef )?(struct|union|enum) ?(\w+)?[^;()=]*\{\s*$/.exec(text)
    if (opened) {
      if (opened[2]) add(opened[2], 'type', text, !header)
      body = opened[1] === 'enum' ? 'enum' : 'struct'
    } else if (body === 'enum') {
      const value = /^\s+([A-Za-z_]\w*)\s*(?:=.*)?,?\s*$/.exec(text)
      if (value) add(value[1] ?? '', 'value', text, !header)
      if (text.startsWith('}')) body = undefined
    } else if (text.startsWith('}')) {
      const alias = /^\}\s*(\w+)\s*;/.exec(text)
      if (alias && body === 'struct') add(alias[1] ?? '', 'type', text, !header)
      body = undefined
    } else if (body === undefined || /^\S/.test(text)) {
      defineAtTop(text, before, header, add)
    }
    const member = /^\s+[A-Za-z_][\w \t*]*[ \t*](\w+)(?:\[[^\]]*\]|\s?:\s?\d+)?;\s*$/.exec(text)
    if (member && body === 'struct' && !text.includes('return '))
      add(member[1] ?? '', 'member', text, !header)
    before = line
  }
  return found
}

function defineAtTop(
  text: string,
  before: ChangedLine | undefined,
  header: boolean,
  add: (name: string, kind: SymbolKind, text: string, local: boolean) => void,
): void {
  const macro = /^\s*#\s*define\s+(\w+)/.exec(text)
  if (macro) return add(macro[1] ?? '', 'macro', text, !header)
  if (!/^[A-Za-z_]/.test(text) || /^(?:return|goto|else|case|default)\b/.test(text)) return
  const typed = /^typedef\s.*?(\w+);\s*$/.exec(text)
  if (typed) return add(typed[1] ?? '', 'type', text, !header)
  const hidden = /\bstatic\b/.test(text) && !header
  // One pass from the left: kernel prototypes are blanks, stars and words in front of the name.
  const called = /^[A-Za-z_][\w \t*]*?(\w+)\s?\((?!\*)/.exec(text)
  if (called && /^[A-Za-z_]\w*[\s*]/.test(text)) return add(called[1] ?? '', 'function', text, hidden)
  // "static int" on a line of its own, the name on the next one.
  const alone = /^(\w+)\s*\([^()]*(?:\)|,)\s*$/.exec(text)
  if (
    alone &&
    before &&
    /^(?:static|struct|int|void|unsigned|bool|long|\w+_t)\b[\w \t*]*$/.test(before.text)
  ) {
    return add(
      alone[1] ?? '',
      'function',
      `${before.text} ${text}`,
      /\bstatic\b/.test(before.text) && !header,
    )
  }
  const made = /^(?:static )?(?:DEFINE|DECLARE)_\w+\(([^;]*)/.exec(text)
  if (made) {
    const names = (made[1] ?? '').match(IDENTIFIER) ?? []
    return add(names.at(/^(?:static )?DECLARE/.test(text) ? -1 : 0) ?? '', 'value', text, hidden)
  }
  const declared = /^[A-Za-z_][\w \t*]*/.exec(text)?.[0] ?? ''
  const variable = /[ \t*](\w+)$/.exec(declared.trimEnd())?.[1]
  // "struct page;" declares a type that is defined elsewhere, and no variable.
  if (/^(?:struct|union|enum) \w+$/.test(declared.trimEnd())) return
  if (variable && /^\s*(?:\[[^\]]*\]\s*)*[=;]/.test(text.slice(declared.trimEnd().length)))
    add(variable, 'value', text, hidden)
}

function kconfigDefinitions(path: string, lines: readonly ChangedLine[]): Definition[] {
  return lines.flatMap(({ text }) => {
    const name = /^(?:menu)?config\s+(\w+)\s*$/.exec(text)?.[1]
    return name ? [{ name, kind: 'config' as const, file: path, text: squeeze(text), local: false }] : []
  })
}

/** How a patch's lines use a name, by name. */
export interface Uses {
  readonly words: ReadonlySet<string>
  readonly calls: ReadonlySet<string>
  readonly members: ReadonlySet<string>
  readonly configs: ReadonlySet<string>
  /** Headers and other files that are included or named, as they are written. */
  readonly files: ReadonlySet<string>
}

/** What the lines of a file use. */
export function uses(file: FileLines, lines: readonly ChangedLine[]): Uses {
  const words = new Set<string>()
  const calls = new Set<string>()
  const members = new Set<string>()
  const configs = new Set<string>()
  const files = new Set<string>()
  const kconfig = isKconfig(file.path)
  const c = isC(file.path)
  let helping = false
  for (const { text } of c ? codeOf(lines) : lines) {
    for (const hit of text.matchAll(/\bCONFIG_(\w+)/g)) configs.add(hit[1] ?? '')
    const included = /^\s*#\s*include\s+["<]([^">]+)[">]/.exec(text)
    if (included) {
      files.add(included[1] ?? '')
      continue
    }
    if (kconfig) {
      if (/^\s+(?:---)?help/.test(text)) helping = true
      else if (/^\S/.test(text)) helping = false
      if (helping) continue
      if (/^\s+(?:depends on|select|imply|default|visible if|def_bool|def_tristate)\b|^\s*if\b/.test(text))
        for (const [word] of text.matchAll(/\b[A-Z0-9_]{2,}\b/g)) configs.add(word)
      continue
    }
    if (!c) {
      for (const [path] of text.matchAll(/[\w][\w./-]*\/[\w.-]+\.\w+|\b[\w-]+\.o\b/g)) files.add(path)
      continue
    }
    for (const hit of text.matchAll(IDENTIFIER)) {
      const word = hit[0]
      if (NOT_NAMES.has(word)) continue
      const behind = text.slice(hit.index + word.length)
      const front = text.slice(0, hit.index)
      const isMember = /(?:->|\.)\s*$/.test(front) && !/\.\.\.\s*$/.test(front)
      if (isMember) members.add(word)
      else words.add(word)
      if (/^\s*\(/.test(behind) && !isMember) calls.add(word)
    }
  }
  return { words, calls, members, configs, files }
}

/** The lines without comments and the insides of strings, as far as single lines tell. */
function codeOf(lines: readonly ChangedLine[]): ChangedLine[] {
  const code: ChangedLine[] = []
  let comment = false
  let last = -1
  for (const line of lines) {
    if (line.line !== last + 1) comment = false
    last = line.line
    let { text } = line
    if (comment) {
      const end = text.indexOf('*/')
      if (end < 0) continue
      comment = false
      text = text.slice(end + 2)
    }
    if (/^\s*\*(?:\s|\/|$)/.test(text)) continue
    const include = /^\s*#\s*include\b/.test(text)
    text = text.replace(/\/\*.*?\*\//g, ' ')
    if (!include) text = text.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/\/\/.*$/, '')
    const open = text.indexOf('/*')
    if (open >= 0) {
      comment = true
      text = text.slice(0, open)
    }
    code.push({ text, line: line.line })
  }
  return code
}

function isKconfig(path: string): boolean {
  return /(?:^|\/)Kconfig[^/]*$/.test(path)
}

function isC(path: string): boolean {
  return /\.[ch]$/.test(path)
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
