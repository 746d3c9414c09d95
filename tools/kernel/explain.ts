// SPDX-License-Identifier: GPL-2.0-only
import { editDistance } from '../lib/edit-distance.ts'
import type { Setting } from './fragments.ts'
import { evaluate, type Expr, type Lookup, parseExpr, show, terms } from './kconfig-expr.ts'
import type { Definition, KconfigIndex } from './kconfig.ts'

/**
 * Why an option is not what a fragment asked for: the missing dependency by name, followed down to its own
 * missing dependency where there is one.
 *
 * @param lookup the final .config.
 */
export function explain(setting: Setting, index: KconfigIndex, lookup: Lookup): string {
  const { option, value } = setting
  const is = lookup(option) ?? 'n'
  const head = `CONFIG_${option} is ${is}, not ${value}`
  const definitions = index.definitions.get(option)
  if (!definitions) return unknownOption(option, index)
  if (value === 'n') return `${head}: ${whyOn(option, index, lookup)}`
  const reasons = definitions.map((definition) => whyOff(definition, index, lookup))
  // Of several definitions the one with the fewest obstacles is the one that was meant.
  const shortest = reasons.toSorted((a, b) => a.length - b.length)[0] ?? []
  if (shortest.length === 0) {
    return `${head}: its dependencies hold, so the value is not one that kconfig takes here (type, range, or a select that forces ${is})`
  }
  return `${head}: ${shortest.join('; ')}`
}

/** The message for an option that no Kconfig file of the tree defines. */
export function unknownOption(option: string, index: KconfigIndex): string {
  const near = nearest(option, [...index.definitions.keys()])
  const hint = near.length === 0 ? '' : `; did you mean ${near.map((n) => `CONFIG_${n}`).join(', ')}?`
  return `CONFIG_${option}: no such option in this base${hint}`
}

function whyOff(definition: Definition, index: KconfigIndex, lookup: Lookup): string[] {
  const reasons = definition.depends.flatMap((condition) => unmet(condition, index, lookup, 4))
  const at = `${definition.file}:${definition.line}`
  if (reasons.length > 0) return [`needs ${[...new Set(reasons)].join(' and ')} (${at})`]
  if (definition.prompt === undefined) {
    const by = (index.selections.get(definition.option) ?? []).map((s) => s.by)
    const selected = by.length === 0 ? 'only its default counts' : `it is selected by ${some(by)}`
    return [`it has no prompt, so it cannot be set by hand: ${selected} (${at})`]
  }
  if (definition.promptIf !== undefined) {
    const hidden = unmet(definition.promptIf, index, lookup, 4)
    if (hidden.length > 0) return [`it can only be set by hand with ${hidden.join(' and ')} (${at})`]
  }
  if (definition.choice !== undefined) {
    const others = [...index.definitions.values()]
      .flat()
      .filter((d) => d.choice === definition.choice && lookup(d.option) === 'y')
    if (others.length > 0) return [`the choice at ${definition.choice} is ${others[0]?.option}`]
  }
  return []
}

/** The terms of a condition that do not hold, each followed to the dependency that keeps it off. */
function unmet(condition: string, index: KconfigIndex, lookup: Lookup, depth: number): string[] {
  const expr = parseExpr(condition)
  if (!expr) return []
  return terms(expr)
    .filter((term) => evaluate(term, lookup) === 0)
    .map((term) => `${show(term)}${cause(term, index, lookup, depth)}`)
}

/** In brackets: why a plain option is off itself. */
function cause(term: Expr, index: KconfigIndex, lookup: Lookup, depth: number): string {
  if (term.kind !== 'symbol') return ` (${valuesOf(term, lookup)})`
  const definitions = index.definitions.get(term.name)
  if (!definitions) return ' (which this base does not have)'
  if (depth === 0) return ''
  const deeper = definitions.map((d) => d.depends.flatMap((c) => unmet(c, index, lookup, depth - 1)))
  const shortest = deeper.toSorted((a, b) => a.length - b.length)[0] ?? []
  return shortest.length === 0 ? '' : ` (which needs ${[...new Set(shortest)].join(' and ')})`
}

function valuesOf(expr: Expr, lookup: Lookup): string {
  const names = new Set(symbols(expr))
  return [...names].map((name) => `${name} is ${lookup(name) ?? 'n'}`).join(', ')
}

function symbols(expr: Expr): string[] {
  if (expr.kind === 'symbol') return [expr.name]
  if (expr.kind === 'not') return symbols(expr.of)
  return 'left' in expr ? [...symbols(expr.left), ...symbols(expr.right)] : []
}

function whyOn(option: string, index: KconfigIndex, lookup: Lookup): string {
  const by = (index.selections.get(option) ?? [])
    .filter((s) => (lookup(s.by) ?? 'n') !== 'n' && holds(s.when, lookup))
    .map((s) => s.by)
  if (by.length > 0) return `it is selected by ${some(by)}`
  const hidden = (index.definitions.get(option) ?? []).find((d) => d.prompt === undefined || d.promptIf)
  if (hidden?.promptIf !== undefined) return `it can only be set by hand with ${hidden.promptIf}`
  return hidden ? 'it has no prompt, its default is on' : 'something switches it on'
}

function holds(condition: string | undefined, lookup: Lookup): boolean {
  const expr = condition === undefined ? undefined : parseExpr(condition)
  return expr === undefined || evaluate(expr, lookup) !== 0
}

function some(names: readonly string[]): string {
  return names.length > 4 ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more` : names.join(', ')
}

/** At most three names that a person may have meant. */
function nearest(name: string, names: readonly string[]): readonly string[] {
  const limit = Math.max(2, Math.floor(name.length / 4))
  return names
    .filter((other) => Math.abs(other.length - name.length) <= limit || other.endsWith(`_${name}`))
    .map((other) => ({ other, distance: other.endsWith(`_${name}`) ? 1 : editDistance(name, other) }))
    .filter((candidate) => candidate.distance <= limit)
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map((candidate) => candidate.other)
}
