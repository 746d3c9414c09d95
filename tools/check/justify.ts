// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseDataFile } from '../lib/data-file.ts'
import type { CheckFinding, PatchCheck } from './check-record.ts'

const entrySchema = z.strictObject({
  tool: z.string().min(1),
  /** The patch's file name; its number may be left out, so that patches can move. Absent: any patch. */
  patch: z.string().endsWith('.patch').optional(),
  /** Part of the finding's message, or of `file: message`. */
  match: z.string().min(4),
  why: z.string().min(10),
})

/** Why a finding stays. */
export type Justification = z.infer<typeof entrySchema>

const fileSchema = z.strictObject({ justified: z.array(entrySchema).default([]) })

/** The justifications of a series, `checks.yaml` beside its patches; none when there is no such file. */
export function readJustifications(patches: string): Justification[] {
  const file = join(patches, 'checks.yaml')
  if (!existsSync(file)) return []
  return parseDataFile(readFileSync(file, 'utf8'), 'patches/checks.yaml', fileSchema).justified
}

/** A series' findings with what is justified marked, and a finding for each justification that is not used. */
export function justify(
  patches: readonly PatchCheck[],
  justifications: readonly Justification[],
  /** Every patch file of the series, looked at or not. */
  files: readonly string[],
): { patches: { file: string; findings: CheckFinding[] }[]; unused: CheckFinding[] } {
  const used = new Set<Justification>()
  const judged = patches.map((patch) => ({
    file: patch.file,
    findings: patch.findings.map((finding) => {
      const entry = justifications.find((one) => fits(one, patch.file, finding))
      if (!entry) return finding
      used.add(entry)
      return { ...finding, justified: finding.justified ?? entry.why }
    }),
  }))
  const looked = (entry: Justification): boolean => {
    const patch = patches.find(({ file }) => isPatch(entry, file))
    if (entry.patch === undefined) return patches.length === files.length
    // A tool that was not there can have found nothing.
    return patch
      ? !patch.skipped.some(({ tool }) => tool === entry.tool)
      : !files.some((file) => isPatch(entry, file))
  }
  const unused = justifications
    .filter((entry) => !used.has(entry) && looked(entry))
    .map((entry) => ({
      tool: 'justification',
      level: 'warning' as const,
      message: `it justifies nothing: ${entry.tool}, ${entry.patch ?? 'any patch'}, ${JSON.stringify(entry.match)}`,
    }))
  return { patches: judged, unused }
}

function fits(entry: Justification, file: string, finding: CheckFinding): boolean {
  if (entry.tool !== finding.tool || finding.level === 'note' || !isPatch(entry, file)) return false
  return `${finding.file ?? ''}: ${finding.message}`.includes(entry.match)
}

function isPatch(entry: Justification, file: string): boolean {
  if (entry.patch === undefined) return true
  const bare = (name: string): string => name.replace(/^\d+-/, '')
  return /^\d/.test(entry.patch) ? entry.patch === file : entry.patch === bare(file)
}
