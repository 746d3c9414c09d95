// SPDX-License-Identifier: GPL-2.0-only

/** What MAINTAINERS says of files, as far as whether a person maintains them. */
export interface Maintained {
  /** Whether a section with a maintainer of its own claims the file. */
  has(path: string): boolean
}

interface Section {
  person: boolean
  rest: boolean
  readonly files: string[]
  readonly except: string[]
  readonly names: string[]
}

/**
 * Reads MAINTAINERS for one question only, which files a person maintains: asking get_maintainer.pl takes half a second
 * a file. Who gets mail is the script's to say, and so is the last word on a file that nothing here claims.
 *
 * @param isDirectory whether a pattern without a slash at its end is a directory of the tree.
 */
export function readMaintained(text: string, isDirectory: (path: string) => boolean): Maintained {
  const sections: Section[] = []
  let open = false
  for (const line of text.split('\n')) {
    const [, kind, value = ''] = /^([A-Z]):\s*(.*?)\s*$/.exec(line) ?? []
    if (kind === undefined) {
      open = false
      continue
    }
    if (!open) sections.push({ person: false, rest: false, files: [], except: [], names: [] })
    open = true
    const section = sections.at(-1)!
    if (kind === 'M') section.person = true
    // Everything belongs to THE REST: nobody in particular.
    if (kind === 'S' && /^buried alive in reporters$/i.test(value)) section.rest = true
    if (kind === 'F') section.files.push(value)
    if (kind === 'X') section.except.push(value)
    if (kind === 'N') section.names.push(value)
  }
  const claims = sections
    .filter(({ person, rest }) => person && !rest)
    .map(({ files, except, names }) => ({
      files: files.map((one) => globTest(one, isDirectory)),
      except: except.map((one) => globTest(one, isDirectory)),
      names: names.map(nameTest),
    }))
  const any = (tests: readonly ((path: string) => boolean)[], path: string): boolean =>
    tests.some((t) => t(path))
  return {
    has: (path) =>
      claims.some(({ files, except, names }) => (any(files, path) || any(names, path)) && !any(except, path)),
  }
}

/** F: and X:, as the script's file_match_pattern() takes them: * is anything, but the number of slashes has to agree. */
function globTest(glob: string, isDirectory: (path: string) => boolean): (path: string) => boolean {
  const whole = !glob.endsWith('/') && !/[*?]/.test(glob) && isDirectory(glob) ? `${glob}/` : glob
  const literal = /^[^*?]*/.exec(whole)?.[0] ?? ''
  const pattern = whole
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**', '\0')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
    .replaceAll('\0', '(?:.*)')
  const test = new RegExp(`^${pattern}`)
  const slashes = (text: string): number => text.split('/').length
  return (path) => {
    if (!path.startsWith(literal) || !test.test(path)) return false
    return whole.endsWith('/') || whole.includes('**') || slashes(path) === slashes(whole)
  }
}

/** N:, a regular expression of Perl's; one that JavaScript does not know claims nothing here. */
function nameTest(pattern: string): (path: string) => boolean {
  try {
    const test = new RegExp(pattern)
    return (path) => test.test(path)
  } catch {
    return () => false
  }
}
