// SPDX-License-Identifier: GPL-2.0-only
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { UsageError } from './errors.ts'

/**
 * Reads a YAML text that has to hold to a schema.
 *
 * @param file what messages call it.
 * @throws UsageError with every problem as `file:line:col: path: message`.
 */
export function parseDataFile<S extends z.ZodType>(text: string, file: string, schema: S): z.output<S> {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  if (doc.errors.length > 0) {
    const problems = doc.errors.map((error) => `${at(error.pos[0])}: ${error.message.split(' at line ')[0]}`)
    throw new UsageError(problems.join('\n'), `correct ${file}`)
  }
  const result = schema.safeParse(doc.toJS())
  if (result.success) return result.data
  const problems = result.error.issues.flatMap((issue) =>
    places(doc, issue).map(({ offset, path }) => `${at(offset)}: ${path || '(file)'}: ${issue.message}`),
  )
  throw new UsageError(problems.join('\n'), `correct ${file}`)
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
