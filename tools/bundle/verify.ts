// SPDX-License-Identifier: GPL-2.0-only
import { keyOf, sha256 } from '../lib/hash.ts'
import { proofSchema, type Proof } from '../result/proof-record.ts'
import { weakness } from '../result/proof-store.ts'
import { listedPatches } from '../series/read.ts'
import { PROOF } from './collect.ts'
import { MANIFEST, manifestSchema, type Manifest } from './manifest.ts'
import { readBundle, type Limits, type Opened } from './read.ts'

/** What a bundle is worth. */
export interface Verified {
  readonly manifest: Manifest | undefined
  /** SHA-256 of the manifest: to be compared with what the sender says. */
  readonly sha256: string | undefined
  readonly proof: Proof | undefined
  readonly files: number
  /** What was tampered with, lost or added; empty for a sound bundle. */
  readonly problems: readonly string[]
  /** What the evidence lacks, in a bundle that is sound. */
  readonly gaps: readonly string[]
  readonly contents: ReadonlyMap<string, Uint8Array>
}

/**
 * Checks a bundle: every file against the manifest (missing, extra, changed), names and kinds of its entries, that the
 * proof is of the patches that are in it, and that the mails carry these patches. Nothing is unpacked.
 *
 * A manifest that was written anew for other files is told by the patches' hash, which the proof names; one whose proof
 * was forged as well is told by running it again, and by the manifest's own hash.
 *
 * @throws UsageError when there is no such file.
 */
export async function verifyBundle(file: string, limits?: Limits, signal?: AbortSignal): Promise<Verified> {
  const opened = await readBundle(file, limits, signal)
  const problems = [...opened.problems]
  const manifest = readManifest(opened, problems)
  const bytes = opened.contents.get(MANIFEST)
  const verified = {
    manifest,
    sha256: bytes && sha256(bytes),
    files: opened.entries.size,
    contents: opened.contents,
  }
  if (manifest === undefined) return { ...verified, proof: undefined, problems, gaps: [] }
  compare(manifest, opened, problems)
  checkPatches(manifest, opened, problems)
  const proof = readProof(manifest, opened, problems)
  checkMail(opened, problems)
  const gaps = proof ? weakness(proof) : ['it holds no proof']
  return { ...verified, proof, problems, gaps }
}

function readManifest({ contents }: Opened, problems: string[]): Manifest | undefined {
  const bytes = contents.get(MANIFEST)
  if (bytes === undefined) {
    problems.push(`${MANIFEST} is missing`)
    return undefined
  }
  const parsed = manifestSchema.safeParse(jsonOf(bytes))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  problems.push(`${MANIFEST} is not one of phyr: ${issue?.path.join('.')}: ${issue?.message}`)
  return undefined
}

function compare(manifest: Manifest, { entries }: Opened, problems: string[]): void {
  const listed = new Map(manifest.files.map((file) => [file.path, file]))
  if (listed.size !== manifest.files.length) problems.push(`${MANIFEST} lists a file twice`)
  for (const { path, bytes, sha256: hash } of manifest.files) {
    const entry = entries.get(path)
    if (entry === undefined) problems.push(`${JSON.stringify(path)}: is missing`)
    else if (entry.bytes !== bytes || entry.sha256 !== hash) problems.push(`${path}: was changed`)
  }
  for (const path of entries.keys())
    if (path !== MANIFEST && !listed.has(path)) problems.push(`${path}: is not in the manifest`)
}

/** The patches have to have the hash that everything else names: computed as readSeries() does. */
function checkPatches(manifest: Manifest, { contents }: Opened, problems: string[]): void {
  const names = seriesNames(contents)
  const texts = names.map((name) => contents.get(`patches/${name}`))
  const lost = names.filter((_, i) => texts[i] === undefined)
  if (lost.length > 0) problems.push(`patches/series lists what is not there: ${lost.join(', ')}`)
  const hash = keyOf(names.map((name, i) => [name, sha256(texts[i] ?? '')]))
  if (hash !== manifest.series.hash || names.length !== manifest.series.patches)
    problems.push(
      `the patches are not those of the manifest: their hash is ${hash}, not ${manifest.series.hash}`,
    )
}

function seriesNames(contents: ReadonlyMap<string, Uint8Array>): string[] {
  const bytes = contents.get('patches/series')
  try {
    return bytes === undefined ? [] : listedPatches(Buffer.from(bytes).toString('utf8'))
  } catch {
    return []
  }
}

function readProof(manifest: Manifest, { contents }: Opened, problems: string[]): Proof | undefined {
  const bytes = contents.get(PROOF)
  if (bytes === undefined) return undefined
  const parsed = proofSchema.safeParse(jsonOf(bytes))
  if (!parsed.success) {
    problems.push(`${PROOF} is no proof: ${parsed.error.issues[0]?.message}`)
    return undefined
  }
  const proof = parsed.data
  if (proof.series.hash !== manifest.series.hash)
    problems.push(`the proof is of other patches: ${proof.series.hash}, not ${manifest.series.hash}`)
  if (proof.base.tree !== manifest.base.tree) problems.push('the proof is of another base')
  const names = seriesNames(contents)
  for (const { number, file } of proof.patches)
    if (names[number - 1] !== file)
      problems.push(`the proof's patch ${number} is ${file}, the series has another`)
  const failed = proof.patches.some((patch) => patch.outcome !== 'pass')
  if (proof.outcome === 'pass' && failed) problems.push('the proof says pass, and one of its patches did not')
  return proof
}

/** The mails' diffs are those of the patches, in the same order; their plan is of these very files. */
function checkMail({ contents, entries }: Opened, problems: string[]): void {
  const plan = contents.get('mail/plan.json')
  const mails = [...contents.keys()].filter((name) => /^mail\/\d{4}-/.test(name)).toSorted()
  if (plan === undefined) {
    if (mails.length > 0) problems.push('there are mails, and no mail/plan.json')
    return
  }
  const messages = (jsonOf(plan) as { messages?: unknown } | undefined)?.messages
  const list = Array.isArray(messages)
    ? (messages as { file?: unknown; sha256?: unknown; patch?: unknown }[])
    : []
  if (list.length !== mails.length)
    problems.push(`mail/plan.json is of ${list.length} mails, and there are ${mails.length}`)
  for (const { file, sha256: hash, patch } of list) {
    const name = `mail/${String(file)}`
    if (entries.get(name)?.sha256 !== hash) problems.push(`${name}: is not the mail of the plan`)
    if (typeof patch !== 'string') continue
    const mail = contents.get(name)
    const source = contents.get(`patches/${patch}`)
    if (mail && source && diffOf(mail) !== diffOf(source))
      problems.push(`${name}: does not carry the diff of patches/${patch}`)
  }
}

/** The lines of a patch's hunks and file headers, without what differs from one way of writing it to another. */
function diffOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8')
  const start = text.indexOf('\ndiff --git ')
  return text
    .slice(start)
    .replace(/\n-- \n[\s\S]*$/, '\n')
    .replace(/^index [0-9a-f]+\.\.[0-9a-f]+/gm, 'index')
    .trimEnd()
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}
