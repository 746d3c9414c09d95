// SPDX-License-Identifier: GPL-2.0-only

/**
 * Reads from the text of a kbuild .cmd file with which options gcc made the object, as far as they decide what a
 * header says and how structures are laid out: include paths, macros, -std, -m, -f, -O. Warnings, debug
 * information, dependency files, input and output are left out, and so is what the compiler itself is: the caller
 * runs its own.
 *
 * The line was written for a shell and is data here: whatever a shell would expand, run or redirect is refused.
 *
 * @returns the options, or why the line cannot be used.
 */
export function optionsOf(cmd: string): { readonly options: readonly string[] } | { readonly why: string } {
  const line = /^(?:saved)?cmd_\S+ := ?(.*)$/m.exec(cmd)?.[1]
  if (line === undefined) return { why: 'it names no command' }
  const words = firstCommand(line)
  if (words === undefined) return { why: 'its command needs a shell' }
  const first = words.findIndex((word) => word.startsWith('-'))
  const compiler = words.slice(0, first).join(' ')
  if (first === -1 || !/^(?:ccache )?gcc$/.test(compiler))
    return { why: `its command is "${words[0] ?? ''}", not gcc` }
  // A plugin (randstruct) may lay structures out anew, and is not run for this.
  if (words.some((word) => word.startsWith('-fplugin'))) return { why: 'a plugin of the compiler is used' }
  return { options: layoutOptions(words.slice(first)) }
}

/** Options whose value is the next word. */
const PAIRS = new Set(['-include', '-imacros', '-isystem', '-iquote', '-idirafter', '-I', '-D', '-U'])
/** -f options that write files, or that take the debug information away. */
const UNWANTED =
  /^-f(?:emit-struct-debug|eliminate|debug|dump|profile|test-coverage|callgraph|stack-usage|lto|save)/
const WANTED = /^-(?:nostdinc$|ansi$|std=|f|m|O|D|U|I)/

function layoutOptions(words: readonly string[]): readonly string[] {
  const options: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    const value = words[i + 1]
    if (PAIRS.has(word) && value !== undefined) {
      options.push(word, value)
      i++
    } else if (word === '-o') {
      i++
    } else if (WANTED.test(word) && !UNWANTED.test(word)) {
      options.push(word)
    }
  }
  return options
}

/**
 * The words of the first command of a line of shell, by the quoting rules of POSIX (2.2). Undefined when the line
 * has anything outside quotes that is more than words, or an expansion in double quotes.
 */
function firstCommand(line: string): readonly string[] | undefined {
  // What make would make of it: kbuild writes # as $(pound) and $ as $$ (scripts/Kbuild.include, make-cmd).
  const text = line.replaceAll('$(pound)', '#')
  const words: string[] = []
  let word: string | undefined
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (c === ' ' || c === '\t') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (c === ';') {
      break
    } else if (c === "'") {
      const end = text.indexOf("'", i + 1)
      if (end === -1) return undefined
      const quoted = text.slice(i + 1, end).replaceAll('$$', '\0')
      if (quoted.includes('$')) return undefined // a variable of make
      word = (word ?? '') + quoted.replaceAll('\0', '$')
      i = end
    } else if (c === '"') {
      const quoted = /^"((?:[^"\\$`]|\\.)*)"/.exec(text.slice(i))
      if (!quoted) return undefined
      word = (word ?? '') + quoted[1]!.replaceAll(/\\([\\"`])/g, '$1')
      i += quoted[0].length - 1
    } else if (c === '\\' && text[i + 1] !== undefined && text[i + 1] !== '$') {
      word = (word ?? '') + text[i + 1]!
      i++
    } else if (/[$`&|<>()*?[\]~{}!\\#]/.test(c)) {
      return undefined
    } else {
      word = (word ?? '') + c
    }
  }
  if (word !== undefined) words.push(word)
  return words
}
