// SPDX-License-Identifier: GPL-2.0-only

/** What a patch does to one file, as far as its place in the tree goes. */
export interface FileChange {
  /** The `diff --git` line. */
  readonly header: string
  /** Every path that it names, without a/ and b/: old, new, rename and copy source and target. */
  readonly paths: readonly string[]
  /** File mode after the change, "100644" and the like; empty when the patch does not say. */
  readonly mode: string
  /** Added lines of a symbolic link or a submodule; empty for ordinary files, whose content does not matter here. */
  readonly added: readonly string[]
}

/**
 * Finds every path that a patch names. git apply looks at more than the lines of a friendly patch: extended headers,
 * C-quoted names, headers after the mail's signature, traditional diffs without `diff --git`; so does this.
 *
 * parse-diff is not used here: it ignores rename and copy lines and quoting, and drops the first directory of
 * names that look like a prefix, which are exactly the places that a hostile patch plays with.
 */
export function scanDiff(text: string): {
  readonly changes: FileChange[]
  readonly cutOff: string | undefined
} {
  const changes: FileChange[] = []
  let current:
    | { header: string; paths: Set<string>; mode: string; added: string[]; hunks: boolean }
    | undefined
  let left = { old: 0, new: 0 }
  const open = (header: string): NonNullable<typeof current> => {
    close()
    current = { header, paths: new Set(), mode: '', added: [], hunks: false }
    return current
  }
  const close = (): void => {
    if (!current) return
    const special = current.mode === '120000' || current.mode === '160000'
    const { header, paths, mode, added } = current
    changes.push({ header, paths: [...paths], mode, added: special ? added : [] })
    current = undefined
  }
  const lines = text.split('\n')
  for (const [i, line] of lines.entries()) {
    if (left.old > 0 || left.new > 0) {
      const kind = line[0] ?? (i + 1 < lines.length ? ' ' : '')
      if (kind === '\\') continue
      if (kind !== ' ' && kind !== '+' && kind !== '-') return { changes, cutOff: line || 'its last hunk' }
      if (kind !== '+') left.old--
      if (kind !== '-') left.new--
      if (kind === '+') current?.added.push(line.slice(1))
      continue
    }
    if (line.startsWith('diff --git ')) {
      const change = open(line)
      for (const path of headerPaths(line.slice('diff --git '.length))) change.paths.add(path)
      continue
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line)
    if (hunk && current) {
      current.hunks = true
      left = { old: Number(hunk[1] ?? 1), new: Number(hunk[2] ?? 1) }
      continue
    }
    const next = lines[i + 1] ?? ''
    if (line.startsWith('--- ') && next.startsWith('+++ ') && (lines[i + 2] ?? '').startsWith('@@ -')) {
      // After a hunk this is a traditional diff without a "diff --git" of its own: git apply takes it as well.
      const change = current && !current.hunks ? current : open(line)
      addName(change.paths, line.slice(4), true)
      addName(change.paths, next.slice(4), true)
      continue
    }
    if (!current) continue
    const named = /^(?:rename|copy) (?:from|to) (.*)$/.exec(line)
    if (named) addName(current.paths, named[1] ?? '', false)
    const mode = /^(?:new file mode|new mode|deleted file mode) (\d{6})$/.exec(line)?.[1]
    if (mode) current.mode = mode
    const indexMode = /^index [0-9a-f]+\.\.[0-9a-f]+ (\d{6})$/.exec(line)?.[1]
    if (indexMode && current.mode === '') current.mode = indexMode
  }
  close()
  return { changes, cutOff: left.old > 0 || left.new > 0 ? 'its last hunk' : undefined }
}

/** Both names of `diff --git a/x b/x`; each may be C-quoted, and unquoted ones may have blanks in them. */
function headerPaths(rest: string): string[] {
  const quoted = /^("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)$/.exec(rest)
  if (quoted) return [quoted[1] ?? '', quoted[2] ?? ''].map((name) => strip(unquote(name)))
  // Blanks: as git does it, the two halves must be the same name (git-diff(1), else there are rename lines).
  for (let at = rest.indexOf(' '); at > 0; at = rest.indexOf(' ', at + 1)) {
    const [a, b] = [strip(rest.slice(0, at)), strip(rest.slice(at + 1))]
    if (a === b) return [a]
  }
  return []
}

function addName(paths: Set<string>, raw: string, prefixed: boolean): void {
  const name = unquote(raw.startsWith('"') ? raw : raw.replace(/\t.*$/, ''))
  if (name !== '/dev/null') paths.add(prefixed ? strip(name) : name)
}

/** Takes one component off, as -p1 does; an absolute name is kept, so that the path check sees it. */
function strip(name: string): string {
  const slash = name.indexOf('/')
  return slash <= 0 ? name : name.slice(slash + 1)
}

/** A name as git quotes it: "a\303\244\n" in C style; anything else is itself. */
export function unquote(name: string): string {
  if (!/^".*"$/.test(name)) return name
  const bytes: number[] = []
  const inner = name.slice(1, -1)
  for (let i = 0; i < inner.length; i++) {
    const c = inner[i] ?? ''
    if (c !== '\\') {
      bytes.push(...Buffer.from(c))
      continue
    }
    const octal = /^[0-3][0-7]{2}/.exec(inner.slice(i + 1))
    if (octal) {
      bytes.push(Number.parseInt(octal[0], 8))
      i += 3
      continue
    }
    const escape = inner[++i] ?? ''
    bytes.push(ESCAPES[escape] ?? escape.charCodeAt(0))
  }
  return Buffer.from(bytes).toString('utf8')
}

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 }
