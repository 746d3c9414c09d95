// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'
import { recordBaseSchema } from '../result/record.ts'
import { SCHEMA, type Deep } from '../result/result.ts'

export const checkFindingSchema = z.strictObject({
  tool: z
    .string()
    .describe('checkpatch, kernel-doc, codespell, coccicheck, maintainers, message, cover, justification'),
  level: z
    .enum(['error', 'warning', 'note'])
    .describe('An error or a warning fails the check until it is mended or justified; a note does not'),
  file: z.string().optional().describe('Path in the tree; absent for the message'),
  line: z.int().min(1).optional().describe("Line of that file, after the patch; else the mail's line"),
  message: z.string(),
  justified: z.string().optional().describe('Why it stays: from patches/checks.yaml, or from a rule'),
})
export type CheckFinding = Deep<z.infer<typeof checkFindingSchema>>

export const skippedSchema = z.strictObject({
  tool: z.string(),
  why: z.string().describe('Why this tool did not look'),
})
export type Skipped = Deep<z.infer<typeof skippedSchema>>

export const patchCheckSchema = z.strictObject({
  number: z.int().min(1).describe('Position in the series'),
  file: z.string(),
  subject: z.string(),
  outcome: z.enum(['pass', 'fail']).describe('pass: no error and no warning that is not justified'),
  cached: z.boolean().describe('true: the tools ran earlier, on the same patch at the same point'),
  seconds: z.number().min(0).describe('Wall clock, seconds'),
  findings: z.array(checkFindingSchema),
  skipped: z.array(skippedSchema),
})
export type PatchCheck = Deep<z.infer<typeof patchCheckSchema>>

/** What `phyr check` found: the object that `--json` prints. */
export const checkRecordSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  outcome: z
    .enum(['pass', 'fail'])
    .describe('pass: nothing open, neither in a patch nor in the cover letter'),
  base: recordBaseSchema,
  series: z.strictObject({
    name: z.string(),
    changeId: z.string(),
    version: z.int().min(1),
    hash: z.string().describe("Hash over the patches' names and bytes"),
    patches: z.int().min(0).describe('How many the series has; `patches` may have fewer'),
  }),
  tools: z.record(z.string(), z.string()).describe('Version of each tool that was there'),
  patches: z.array(patchCheckSchema),
  cover: z.array(checkFindingSchema).describe('Findings about patches/cover.md'),
  justifications: z
    .array(checkFindingSchema)
    .describe('Entries of patches/checks.yaml that justify nothing any more'),
})
export type CheckRecord = Deep<z.infer<typeof checkRecordSchema>>

/** Whether a finding stands in the way: what is justified and what is only a note does not. */
export function isOpen(finding: CheckFinding): boolean {
  return finding.level !== 'note' && finding.justified === undefined
}
