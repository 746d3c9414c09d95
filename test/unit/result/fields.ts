// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'

/** One documented place of a schema, `runs[].machine`. */
interface Field {
  readonly path: string
  readonly type: string
  readonly always: boolean
  readonly text: string
}

interface Node {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly enum?: readonly string[]
  readonly const?: unknown
  readonly additionalProperties?: Node | boolean
  readonly $defs?: Readonly<Record<string, Node>>
}

/** The JSON Schema of a zod schema, as the files under docs/ hold it. */
export function jsonSchema(schema: z.ZodType): Node {
  return z.toJSONSchema(schema) as Node
}

/** Every field of a schema in order, with its description; a recursive type is listed once. */
export function fieldsOf(schema: z.ZodType): readonly Field[] {
  const root = jsonSchema(schema)
  const fields: Field[] = []
  const resolve = (node: Node): Node => {
    const name = node.$ref?.replace('#/$defs/', '')
    return name === undefined
      ? node
      : { ...root.$defs?.[name], ...(node.description ? { description: node.description } : {}) }
  }
  const walk = (node: Node, path: string, refs: readonly string[]): void => {
    if (node.$ref !== undefined && refs.includes(node.$ref)) return
    const seen = node.$ref === undefined ? refs : [...refs, node.$ref]
    const at = resolve(node)
    for (const part of at.anyOf ?? []) walk(part, path, seen)
    for (const [name, child] of Object.entries(at.properties ?? {})) {
      const here = path === '' ? name : `${path}.${name}`
      const real = resolve(child)
      const description = real.description ?? ''
      fields.push({
        path: here,
        type: typeOf(child, resolve),
        always: at.required?.includes(name) ?? false,
        text: description,
      })
      walk(child, here, seen)
    }
    if (at.items) walk(at.items, `${path}[]`, seen)
  }
  walk(root, '', [])
  return fields
}

/** The table that docs/record.md has between its marks. */
export function fieldTable(schema: z.ZodType): string {
  const rows = fieldsOf(schema).map(
    (f) =>
      `| \`${f.path}\` | ${f.type} | ${f.always ? 'always' : 'optional'} | ${f.text.replaceAll('|', '\\|')} |`,
  )
  return ['| field | type | | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

/** Replaces what is between `<!-- fields NAME -->` and `<!-- end -->` by the table of that schema. */
export function fillTables(markdown: string, schemas: Readonly<Record<string, z.ZodType>>): string {
  const names = new Set<string>()
  const filled = markdown.replaceAll(/<!-- fields (\w+) -->\n[^]*?<!-- end -->/g, (_, name: string) => {
    const schema = schemas[name]
    if (!schema) throw new Error(`docs/record.md wants the fields of '${name}', which is no schema`)
    names.add(name)
    return `<!-- fields ${name} -->\n${fieldTable(schema)}\n<!-- end -->`
  })
  for (const name of Object.keys(schemas)) {
    if (!names.has(name)) throw new Error(`docs/record.md has no place for the fields of '${name}'`)
  }
  return filled
}

function typeOf(node: Node, resolve: (node: Node) => Node): string {
  const at = resolve(node)
  if (node.$ref !== undefined) return 'object'
  if (at.const !== undefined) return JSON.stringify(at.const)
  if (at.enum) return at.enum.map((e) => `\`${e}\``).join(', ')
  if (at.anyOf) return at.anyOf.map((n) => typeOf(n, resolve)).join(' or ')
  if (at.items) return `array of ${typeOf(at.items, resolve)}`
  if (at.type === 'object' && typeof at.additionalProperties === 'object')
    return `object of ${typeOf(at.additionalProperties, resolve)}`
  return typeof at.type === 'string' ? at.type : (at.type ?? []).join(' or ')
}
