// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'

/**
 * The objects that kbuild will make for a configuration, read from the Makefiles' obj-y lists. An estimate: it
 * knows lists, composites, conditionals and plain variables, not make's functions, and it does not see the
 * vDSO's and the boot code's own rules. Reading all of Linux's Makefiles that a lab kernel visits takes about
 * 0.1 s, where `make -n` would take as long as a build with nothing to do.
 *
 * @param config the final .config.
 * @param only just these directories are read (and the ones above them, which must be among them): allmodconfig of
 *   the whole tree takes 6 s.
 * @returns paths relative to the O= directory, for example "block/bio.o".
 */
export function estimateObjects(
  tree: string,
  config: ReadonlyMap<string, string>,
  srcarch: string,
  only?: ReadonlySet<string>,
): ReadonlySet<string> {
  const objects = new Set<string>()
  const visited = new Set<string>()
  const globals = new Map<string, string>([
    ['SRCARCH', srcarch],
    ['BITS', config.get('64BIT') === 'y' ? '64' : '32'],
    ['ARCH_CORE', ''],
    ['ARCH_LIB', ''],
    ['ARCH_DRIVERS', ''],
  ])
  for (const [option, value] of config) globals.set(`CONFIG_${option}`, value)

  function visit(dir: string): void {
    const clean = normalize(dir).replace(/\/$/, '')
    if (visited.has(clean) || clean.startsWith('..')) return
    if (only !== undefined && !only.has(clean)) return
    visited.add(clean)
    const file = [join(tree, clean, 'Kbuild'), join(tree, clean, 'Makefile')].find((path) => existsSync(path))
    if (file === undefined) return
    const vars = readAssignments(
      readFileSync(file, 'utf8'),
      new Map(globals).set('obj', clean).set('src', clean),
    )
    for (const word of words(vars, 'obj-y', 'obj-m', 'lib-y')) {
      if (word.endsWith('/')) visit(join(clean, word))
      else if (word.endsWith('.o')) addObject(clean, word, vars)
    }
  }
  function addObject(dir: string, name: string, vars: ReadonlyMap<string, string>): void {
    const stem = name.slice(0, -2)
    // -m too: a member that hangs on an option of a module's own (scripts/Makefile.lib, real-search).
    const members = words(vars, `${stem}-y`, `${stem}-m`, `${stem}-objs`)
    for (const member of members.length === 0 ? [name] : members) {
      if (member.endsWith('.o')) objects.add(normalize(join(dir, member)))
    }
  }

  visit('.')
  const arch = readIfThere(join(tree, 'arch', srcarch, 'Makefile'))
  const extra = readAssignments(arch, new Map(globals))
  for (const dir of ['lib/', `arch/${srcarch}/lib/`, ...words(extra, 'core-y', 'drivers-y', 'libs-y')])
    visit(dir)
  return objects
}

/** The variables of a Makefile, expanded as far as that goes without running make. */
function readAssignments(text: string, vars: Map<string, string>): ReadonlyMap<string, string> {
  /** Of the conditionals that are open: is this branch taken, and was one of its branches taken before? */
  const open: { taken: boolean; done: boolean }[] = []
  for (const line of logicalLines(text)) {
    const conditional = /^(ifeq|ifneq|ifdef|ifndef|else|endif)\b\s*(.*)$/.exec(line)
    if (conditional) {
      follow(conditional[1] as string, conditional[2] as string, open, vars)
      continue
    }
    if (open.some((c) => !c.taken)) continue
    const assignment = /^([^\s:=+?#]+)\s*(:=|::=|\+=|\?=|=)\s*(.*)$/.exec(line)
    if (!assignment) continue
    const name = expand(assignment[1] as string, vars)
    const value = expand(assignment[3] as string, vars)
    const before = vars.get(name)
    if (assignment[2] === '+=') vars.set(name, `${before ?? ''} ${value}`)
    else if (assignment[2] !== '?=' || before === undefined) vars.set(name, value)
  }
  return vars
}

function follow(
  keyword: string,
  rest: string,
  open: { taken: boolean; done: boolean }[],
  vars: ReadonlyMap<string, string>,
): void {
  if (keyword === 'endif') {
    open.pop()
  } else if (keyword === 'else') {
    const last = open.at(-1)
    if (!last) return
    const nested = /^(ifeq|ifneq|ifdef|ifndef)\b\s*(.*)$/.exec(rest)
    last.taken = !last.done && (!nested || test(nested[1] as string, nested[2] as string, vars))
    last.done ||= last.taken
  } else {
    const taken = test(keyword, rest, vars)
    open.push({ taken, done: taken })
  }
}

function test(keyword: string, rest: string, vars: ReadonlyMap<string, string>): boolean {
  if (keyword === 'ifdef' || keyword === 'ifndef') {
    return ((vars.get(expand(rest.trim(), vars)) ?? '') !== '') === (keyword === 'ifdef')
  }
  const sides = /^\((.*),(.*)\)$/.exec(rest.trim())
  if (!sides) return true
  const equal = expand(sides[1] as string, vars).trim() === expand(sides[2] as string, vars).trim()
  return equal === (keyword === 'ifeq')
}

/** Replaces $(NAME) by its value and every function call that it does not know by nothing. */
function expand(text: string, vars: ReadonlyMap<string, string>): string {
  let out = text
  for (let depth = 0; depth < 8 && out.includes('$'); depth++) {
    const next = out.replaceAll(/\$[({]([^(){}$]*)[)}]/g, (_, inner: string) => call(inner, vars))
    if (next === out) break
    out = next
  }
  return out
}

function call(inner: string, vars: ReadonlyMap<string, string>): string {
  const subst = /^subst\s+([^,]*),([^,]*),(.*)$/.exec(inner)
  if (subst) return (subst[3] as string).replaceAll(subst[1] as string, subst[2] as string)
  const strip = /^(?:strip|sort)\s+(.*)$/.exec(inner)
  if (strip) return strip[1] as string
  const add = /^(addprefix|addsuffix)\s+([^,]*),(.*)$/.exec(inner)
  if (add) {
    const list = (add[3] as string).split(/\s+/).filter((w) => w !== '')
    return list.map((w) => (add[1] === 'addprefix' ? `${add[2]}${w}` : `${w}${add[2]}`)).join(' ')
  }
  return vars.get(inner) ?? ''
}

function words(vars: ReadonlyMap<string, string>, ...names: string[]): string[] {
  return names.flatMap((name) => (vars.get(name) ?? '').split(/\s+/)).filter((word) => word !== '')
}

function logicalLines(text: string): string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => !line.startsWith('\t') || /^\t+[\w-]+\s*[:+]?=/.test(line))
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
