// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { UsageError } from '../lib/errors.ts'
import { toolRoot } from '../lib/paths.ts'
import { machineSchema, type MachineData } from './schema.ts'

/** A virtual computer as its file describes it; sizes are bytes. */
export interface Machine extends MachineData {
  readonly name: string
  readonly file: string
}

/** Where the tool keeps its machine files. */
const machinesDir = join(toolRoot, 'qemu/machines')

/** The names of all machines, sorted. */
export function listMachines(dir: string = machinesDir): string[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort()
}

/**
 * Reads `<dir>/<name>.yaml`.
 *
 * @throws UsageError when there is no such machine (naming the nearest one), or with every problem of the file as
 *   `file:line:col: path: message`.
 */
export function loadMachine(name: string, dir: string = machinesDir): Machine {
  const names = listMachines(dir)
  if (!names.includes(name)) {
    const near = nearest(name, names)
    throw new UsageError(
      `no machine ${JSON.stringify(name)}${near === undefined ? '' : `; did you mean ${near}?`}`,
      `machines: ${names.join(', ')}`,
    )
  }
  const file = join(dir, `${name}.yaml`)
  return { ...parseMachine(readFileSync(file, 'utf8'), file), name, file }
}

/** Checks the text of a machine file; `file` is what messages call it. @throws UsageError as loadMachine(). */
export function parseMachine(text: string, file: string): MachineData {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  if (doc.errors.length > 0) {
    const problems = doc.errors.map((error) => `${at(error.pos[0])}: ${error.message.split(' at line ')[0]}`)
    throw new UsageError(problems.join('\n'), 'correct the machine file')
  }
  const result = machineSchema.safeParse(doc.toJS())
  if (result.success) return result.data
  const problems = result.error.issues.flatMap((issue) =>
    places(doc, issue).map(({ offset, path }) => `${at(offset)}: ${path || '(file)'}: ${issue.message}`),
  )
  throw new UsageError(problems.join('\n'), 'correct the machine file')
}

/** Where in the file an issue is: at the unknown keys it names, else at its path's innermost node that exists. */
function places(doc: Document, issue: z.core.$ZodIssue): { offset: number; path: string }[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const node = nodeAt(doc, path)
  if (issue.code === 'unrecognized_keys' && isMap(node)) {
    return issue.keys.map((key) => {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
      const offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined
      return { offset: offset ?? node.range?.[0] ?? 0, path: [...path, key].join('.') }
    })
  }
  return [{ offset: (isNode(node) && node.range?.[0]) || 0, path: path.join('.') }]
}

function nodeAt(doc: Document, path: readonly (string | number)[]): unknown {
  for (let depth = path.length; depth > 0; depth--) {
    const node: unknown = doc.getIn(path.slice(0, depth), true)
    if (isNode(node)) return node
  }
  return doc.contents
}

/** The name that most likely was meant, or undefined when none is near: at most a third of its letters differ. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best !== undefined && best.distance <= Math.max(1, Math.ceil(best.candidate.length / 3))
    ? best.candidate
    : undefined
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substituted))
    }
    row = next
  }
  return row[b.length]!
}
