// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'
import { artefact } from '../lib/cache.ts'
import { Finding } from '../lib/errors.ts'
import type { Applied, Patch } from '../series/series.ts'
import { closure, reduced } from './closure.ts'
import { knownWords } from './known-words.ts'
import { ScratchIndex } from './scratch-index.ts'
import { symbolNeeds, type SymbolNeed } from './symbol-needs.ts'
import { textNeeds, type TextNeed } from './text-needs.ts'
import { treeOfPatch, treesOfFiles } from './trees.ts'

/** Raised when what is stored means something else. */
const VERSION = 1

/** One patch's needs of another, with everything that tells of it. */
export interface Need {
  /** Number of the earlier patch. */
  readonly on: number
  /** Hunks that do not apply without it; empty when it applies. */
  readonly text: readonly string[]
  /** Names that it brings and the later patch uses. */
  readonly symbols: readonly Omit<SymbolNeed, 'on'>[]
}

/** A patch and its place among the others. */
export interface Planned {
  readonly number: number
  readonly file: string
  readonly subject: string
  readonly tree: string | undefined
  readonly otherTrees: readonly string[]
  /** What it needs directly, however that was found. */
  readonly needs: readonly Need[]
  /** Everything it needs, by number: the patches that have to be there before it. */
  readonly all: readonly number[]
  /** It applies and builds on the base alone. */
  readonly alone: boolean
}

/**
 * Works out what every patch of an applied series needs: which earlier patches it does not apply without, and which
 * bring what it uses; and through which tree it goes. Cached by the base and the patches.
 */
export async function planPatches(applied: Applied, signal: AbortSignal): Promise<readonly Planned[]> {
  const { base, series } = applied
  const inputs = { version: VERSION, base: base.commit, series: series.hash }
  const { manifest } = await artefact('split', inputs, async () => ({
    text: await ScratchIndex.with(base, series.patches, signal, async (index) => [
      ...(await textNeeds(index, series.patches)),
    ]),
    symbols: [...(await symbolNeeds(series.patches, knownWords(base, signal)))],
  }))
  const stored = Stored.parse(manifest)
  const files = await treesOfFiles(applied, signal)
  return combine(series.patches, new Map(stored.text), new Map(stored.symbols)).map((planned, i) => {
    const { tree, others } = treeOfPatch(series.patches[i]!, files)
    return { ...planned, tree, otherTrees: others }
  })
}

const Stored = z.object({
  text: z.array(z.tuple([z.number(), z.array(z.object({ on: z.number(), where: z.array(z.string()) }))])),
  symbols: z.array(
    z.tuple([
      z.number(),
      z.array(
        z.object({
          on: z.number(),
          kind: z.enum(['function', 'type', 'macro', 'value', 'config', 'member', 'file', 'last-user']),
          name: z.string(),
          file: z.string(),
        }),
      ),
    ]),
  ),
})

/** Puts both kinds of needs together; one that is implied by another counts for `all` only. */
export function combine(
  patches: readonly Patch[],
  text: ReadonlyMap<number, readonly TextNeed[]>,
  symbols: ReadonlyMap<number, readonly SymbolNeed[]>,
): Omit<Planned, 'tree' | 'otherTrees'>[] {
  const edges = new Map(
    patches.map(({ number }) => [
      number,
      [...(text.get(number) ?? []), ...(symbols.get(number) ?? [])].map((need) => need.on),
    ]),
  )
  const direct = reduced(edges)
  return patches.map(({ number, file, subject }) => {
    const all = [...closure([number], edges)].filter((one) => one !== number).toSorted((a, b) => a - b)
    const needs = (direct.get(number) ?? []).map((on) => ({
      on,
      text: (text.get(number) ?? []).filter((need) => need.on === on).flatMap((need) => need.where),
      symbols: (symbols.get(number) ?? [])
        .filter((need) => need.on === on)
        .map(({ kind, name, file: where }) => ({ kind, name, file: where })),
    }))
    return { number, file, subject, needs, all, alone: all.length === 0 }
  })
}

/**
 * Makes sure that the patches, in another order, lead to the same files as the series.
 *
 * @throws Finding when they do not, or one does not apply.
 */
export async function checkOrder(
  applied: Applied,
  order: readonly Patch[],
  signal: AbortSignal,
): Promise<void> {
  const { base, series } = applied
  await ScratchIndex.with(base, series.patches, signal, async (index) => {
    const meant = await index.try(series.patches)
    const got = await index.try(order)
    if (meant.applies && got.applies && meant.tree === got.tree) return
    throw new Finding({
      stage: 'series',
      message: 'the groups, one after the other, do not lead to what the series leads to',
      detail: got.applies
        ? ['all patches apply, but the files differ']
        : got.message.trim().split('\n').slice(0, 6),
    })
  })
}
