// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { toolRoot } from '../../../tools/lib/paths.ts'
import { benchOutputSchema } from '../../../tools/result/bench-record.ts'
import { proofSchema } from '../../../tools/result/proof-record.ts'
import { errorOutputSchema, printedSchema, runOutputSchema } from '../../../tools/result/record.ts'
import { runResultSchema } from '../../../tools/result/result.ts'
import { fieldsOf, fillTables, jsonSchema } from './fields.ts'

const doc = join(toolRoot, 'docs/record.md')
const schemas = {
  run: runOutputSchema,
  error: errorOutputSchema,
  result: runResultSchema,
  bench: benchOutputSchema,
  proof: proofSchema,
}

test('docs/record.md has every field of the schemas, with its type and meaning', async () => {
  await expect(fillTables(readFileSync(doc, 'utf8'), schemas)).toMatchFileSnapshot(doc)
})

test('a field that the document lacks is noticed', () => {
  const lacking = readFileSync(doc, 'utf8').replace(/^\| `runs\[\]\.bootMs`.*\n/m, '')
  expect(lacking).not.toBe(readFileSync(doc, 'utf8'))
  expect(fillTables(lacking, schemas)).not.toBe(lacking)
})

test.each(Object.entries(schemas))('every field of %s has a description', (_, schema) => {
  const fields = fieldsOf(schema)
  expect(fields.length).toBeGreaterThan(4)
  expect(fields.filter((f) => f.text === '').map((f) => f.path)).toEqual([])
})

test('the contract of --json is in the schema, and always there', () => {
  const always = fieldsOf(runOutputSchema)
    .filter((f) => f.always)
    .map((f) => f.path)
  const contract = {
    '': ['schema', 'outcome', 'base', 'series', 'kernel', 'accel', 'runs', 'fio', 'report'],
    'base.': ['version', 'provider', 'identity'],
    'series.': ['version', 'patches'],
    'kernel.': ['key', 'release', 'seconds', 'cached'],
    'accel.': ['used', 'reason'],
    'runs[].': ['machine', 'suite', 'outcome', 'passed', 'failed', 'skipped', 'seconds', 'log'],
    'fio[].': ['machine', 'job', 'rw', 'bs', 'ioengine', 'iodepth', 'iops', 'bw', 'lat_p99_ns', 'verified'],
  }
  const wanted = Object.entries(contract).flatMap(([at, names]) => names.map((n) => at + n))
  expect(always).toEqual(expect.arrayContaining(wanted))
  const error = fieldsOf(errorOutputSchema).filter((f) => f.always)
  expect(error.map((f) => f.path)).toEqual(['schema', 'error', 'error.what', 'error.why', 'error.fix'])
})

test('the contract of bench --json is in the schema, and always there', () => {
  const always = fieldsOf(benchOutputSchema)
    .filter((f) => f.always)
    .map((f) => f.path)
  const figures = ['unit', 'base', 'series', 'ratio', 'low', 'high', 'resolvable', 'repeats']
  expect(always).toEqual(
    expect.arrayContaining([
      'schema',
      'mode',
      'cases',
      'host',
      'qemu',
      'fio',
      'cases[].name',
      ...figures.map((f) => `cases[].${f}`),
    ]),
  )
})

test.each([
  ['record.schema.json', printedSchema],
  ['result.schema.json', runResultSchema],
  ['bench.schema.json', benchOutputSchema],
  ['proof.schema.json', proofSchema],
] as const)('docs/%s is what zod makes of the schema', async (name, schema) => {
  await expect(`${JSON.stringify(jsonSchema(schema), null, 2)}\n`).toMatchFileSnapshot(
    join(toolRoot, 'docs', name),
  )
})
