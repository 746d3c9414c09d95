// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'
import { recordBaseSchema } from './record.ts'
import { accelSchema, SCHEMA, timeSchema, type Deep } from './result.ts'

const count = z.int().min(0)
const text = z.array(z.string())

/** Where a patch's proof ended. `done`: everything that was asked for was done and held. */
export const proofStageSchema = z.enum([
  'done',
  'apply',
  'config',
  'build',
  'warnings',
  'touched',
  'nfc',
  'boot',
  'test',
  'lab',
])
export type ProofStage = z.infer<typeof proofStageSchema>

const proofRunSchema = z.strictObject({
  machine: z.string().describe('Name of the machine file'),
  suite: z.string().describe('Name of the suite'),
  outcome: z.enum(['pass', 'fail', 'skip']).describe('Verdict of the run'),
  passed: count.describe('Tests that passed'),
  failed: count.describe('Tests that failed or crashed'),
  skipped: count.describe('Tests that were skipped'),
  key: z.string().optional().describe("Key of the run's stored result; absent for what was not booted"),
  reused: z
    .boolean()
    .describe('true: not booted, because code, data and tests are those of an earlier run with this outcome'),
  reasons: text.describe('Why it is not a pass'),
})
export type ProofRun = Deep<z.infer<typeof proofRunSchema>>

const skipped = z.strictObject({ skipped: z.string().describe('Why this was not looked at') })

/** What was found about one patch, at the point of the series at which it is the last one applied. */
export const patchProofSchema = z.strictObject({
  number: z.int().min(1).describe('Position in the series'),
  file: z.string().describe('Its file in patches/'),
  subject: z.string().describe('Its subject, without [PATCH]'),
  tree: z.string().optional().describe("Hash of git's tree with the patch; absent when it does not apply"),
  outcome: z
    .enum(['pass', 'fail', 'error'])
    .describe('`error`: the lab broke; says nothing about the patch and is never cached'),
  stage: proofStageSchema.describe('Where it ended'),
  reasons: text.describe('Why it is not a pass, most telling first'),
  cached: z.boolean().describe('true: the whole proof was there, and nothing was done'),
  seconds: z.number().min(0).describe('Wall clock of this patch, seconds'),
  warnings: count.describe('New warnings of the compiler: of every object, and of touched ones with W=1'),
  newWarnings: text.describe('These, with file and line'),
  goneWarnings: text.describe('Warnings of the point before that are gone'),
  sparse: z
    .union([
      skipped,
      z.strictObject({
        added: text.describe('New ones, with file and line'),
        removed: text.describe('Those that are gone'),
      }),
    ])
    .describe("sparse's warnings of the touched objects, against the point before"),
  objects: count.describe('Objects whose code, data or symbols differ from the point before'),
  touched: z
    .array(
      z.strictObject({
        file: z.string().describe('Path in the tree'),
        config: z.string().describe('Config that it was compiled with'),
        arch: z.string().describe('Architecture, by the name that make takes'),
        outcome: z.enum(['pass', 'fail', 'skip']).describe('skip: that config does not compile it either'),
        why: z.string().optional().describe('Why it is not a pass'),
      }),
    )
    .describe('Touched files that the config does not compile, and what became of them in other configs'),
  uncompiled: z
    .array(
      z.strictObject({
        file: z.string().describe('Path in the tree'),
        line: z.int().min(1).describe('Line after the patch'),
        text: z.string().describe('What it says'),
      }),
    )
    .describe('Changed lines that no config compiled'),
  nfc: z
    .strictObject({
      claimed: z.boolean().describe('The changelog says "No functional change"'),
      intended: z
        .boolean()
        .describe('It says "intended": then symbols that differ are told, and are no failure'),
      changed: text.describe('Symbols whose machine code or data differ'),
    })
    .describe('No functional change: what is said, and what the symbols say'),
  layout: text.describe('Structures whose size or layout changed'),
  bytes: z
    .strictObject({
      text: z.int().describe('Code and constants'),
      data: z.int().describe('Data'),
      bss: z.int().describe('Data that starts as zeros'),
    })
    .describe('Growth of the image against the point before, bytes'),
  allocatedHash: z.string().optional().describe('SHA-256 over the sections of the image that are loaded'),
  instructions: z
    .strictObject({
      case: z.string().describe('Name of the case'),
      unit: z.string().describe('What is counted'),
      before: z.number().describe('Median before the patch'),
      after: z.number().describe('Median with it'),
      ratio: z.number().describe('after / before'),
    })
    .nullable()
    .describe('The smoke case, counted before and after; null: not counted'),
  runs: z.array(proofRunSchema).describe('Machines and suites at this point'),
})
export type PatchProof = Deep<z.infer<typeof patchProofSchema>>

/** What `phyr prove` found: a line a patch. */
export const proofSchema = z
  .strictObject({
    schema: z.literal(SCHEMA).describe('Version of this shape'),
    time: timeSchema.describe('When it began, UTC'),
    outcome: z.enum(['pass', 'fail', 'error']).describe('pass: every patch that was looked at holds'),
    base: recordBaseSchema.describe('The Linux that the series was applied to'),
    series: z
      .strictObject({
        name: z.string().describe('Name in series.json'),
        changeId: z.string().describe('Its change-id'),
        version: z.int().min(1).describe('Which reroll'),
        hash: z.string().describe("Hash over the patches' names and bytes"),
        patches: count.describe('How many the series has; `patches` may have fewer'),
      })
      .describe('The series'),
    config: z.string().describe('Name of the config'),
    compiler: z.string().describe('Compiler and its version'),
    qemu: z.string().describe("QEMU's version"),
    accel: accelSchema.describe('Accelerator of the boots'),
    suites: text.describe('"machine suite" of every run that was asked for'),
    shard: z
      .string()
      .regex(/^\d+\/\d+$/)
      .optional()
      .describe('i/n: only the i-th of n parts of the series'),
    seconds: z.number().min(0).describe('Wall clock, seconds'),
    patches: z.array(patchProofSchema).describe('A proof a patch, in order'),
  })
  .meta({ id: 'Proof' })
export type Proof = Deep<z.infer<typeof proofSchema>>
