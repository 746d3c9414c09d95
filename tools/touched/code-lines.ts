// SPDX-License-Identifier: GPL-2.0-only

/** One line of a C file that holds code: no blank, comment, directive, lone brace or lone else. */
export interface CodeLine {
  readonly line: number
  readonly text: string
  /**
   * Which stretch between two conditional directives (#if, #else, #endif ...) it is in: the preprocessor takes or
   * leaves such a stretch as a whole.
   */
  readonly stretch: number
}

/** The lines of a C file that hold code. */
export function codeLines(text: string): readonly CodeLine[] {
  const out: CodeLine[] = []
  let stretch = 0
  let inDirective = false
  const lines = text.split('\n')
  for (const [index, line] of withoutComments(text).split('\n').entries()) {
    const continued: boolean = inDirective
    const directive: RegExpExecArray | null = continued ? null : /^\s*#\s*(\w*)/.exec(line)
    // A macro of several lines is one directive: whether anybody compiles it, its users tell.
    inDirective = (continued || directive !== null) && line.trimEnd().endsWith('\\')
    if (directive && /^(?:if|ifdef|ifndef|elif|elifdef|elifndef|else|endif)$/.test(directive[1] ?? ''))
      stretch++
    if (directive || continued) continue
    const code = line.trim()
    if (/^[{}();,\s]*(?:else\b[{}\s]*)?$/.test(code)) continue
    out.push({ line: index + 1, text: (lines[index] ?? code).trim(), stretch })
  }
  return out
}

/** The text with comments blanked out; lines stay where they are. Quotes hide comment signs. */
function withoutComments(text: string): string {
  return text.replaceAll(
    /\/\*[^]*?(?:\*\/|$)|\/\/(?:\\\n|[^\n])*|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'/g,
    (match) => (match.startsWith('/') ? match.replaceAll(/[^\n]/g, ' ') : match),
  )
}

/**
 * Which code lines of a file went through the preprocessor, when these lines of it came out with something on them.
 * A call of a macro comes out on its first line however many it has, so a line that came out speaks for its
 * whole stretch.
 */
export function compiledLines(code: readonly CodeLine[], seen: ReadonlySet<number>): ReadonlySet<number> {
  const live = new Set(code.filter((c) => seen.has(c.line)).map((c) => c.stretch))
  return new Set(code.filter((c) => live.has(c.stretch)).map((c) => c.line))
}

/**
 * The lines of each file that came out of the preprocessor (gcc -E, with its line markers) with something on them.
 *
 * @param wanted maps a file's name as the marker has it to the name to use; undefined: of no interest.
 */
export function linesSeen(
  preprocessed: string,
  wanted: (name: string) => string | undefined,
): ReadonlyMap<string, ReadonlySet<number>> {
  const out = new Map<string, Set<number>>()
  const names = new Map<string, Set<number> | undefined>()
  let current: Set<number> | undefined
  let at = 0
  for (const line of preprocessed.split('\n')) {
    // "# 12 "file.c" 2 3", see cpp(1), "Preprocessor Output".
    const marker = line.startsWith('# ') ? /^# (\d+) "((?:[^"\\]|\\.)*)"/.exec(line) : null
    if (marker) {
      at = Number(marker[1])
      const name = marker[2] ?? ''
      if (!names.has(name)) {
        const as = wanted(name)
        if (as !== undefined && !out.has(as)) out.set(as, new Set())
        names.set(name, as === undefined ? undefined : out.get(as))
      }
      current = names.get(name)
      continue
    }
    if (current !== undefined && line.trim() !== '' && !line.startsWith('#')) current.add(at)
    at++
  }
  return out
}
