// SPDX-License-Identifier: GPL-2.0-only
import type { SymbolComparison } from './symbol-compare.ts'

/** What a patch says and what its objects say. */
export interface Nfc {
  /** Its changelog says that nothing changes in function. */
  readonly claimed: boolean
  /** It says so of what was intended: symbols that differ are then worth a look, and do not contradict it. */
  readonly intended: boolean
  /** "block/bio.o: bio_init (code)": symbols that are not as before. Empty: the claim holds. */
  readonly changed: readonly string[]
}

/**
 * Holds a patch's claim of no functional change against the symbols before and after it. These do not count: code that
 * only moved to another object; symbols that are called otherwise, and what refers to them; the number of a line as
 * an argument, as messages have it.
 *
 * What is left may still do the same: a compiler that is asked in another way orders operands and registers in
 * another way. Such a claim is not proved by its code, and "intended" is the word for it.
 *
 * @param message subject and changelog, without the diff.
 */
export function nfcOf(message: string, comparison: SymbolComparison): Nfc {
  const { added, removed, changed } = comparison
  return {
    claimed: claimsNfc(message),
    intended: INTENT.test(message.replaceAll(/\s+/g, ' ')),
    changed: [
      ...changed
        .filter(({ kind }) => kind === 'code' || kind === 'data')
        .map(({ object, symbol, kind }) => `${object}: ${symbol} (${kind})`),
      ...removed.map(({ object, symbol }) => `${object}: ${symbol} (removed)`),
      ...added.map(({ object, symbol }) => `${object}: ${symbol} (added)`),
    ],
  }
}

/**
 * Whether a changelog claims that nothing changes in function: "No functional change", "no functional changes
 * intended", "without functional change", "NFC" in capitals.
 */
export function claimsNfc(message: string): boolean {
  const text = message.replaceAll(/\s+/g, ' ')
  return CLAIM.test(text) || /\bNFC\b/.test(text)
}

const CLAIM =
  /\b(?:no|without(?: any)?) (?:intended |intentional |other )?(?:functional(?:ity)?(?: or [\w-]+)? changes?|changes? in functionality)\b/i

const INTENT =
  /\b(?:no|without(?: any)?) (?:(?:intended|intentional) functional(?:ity)? changes?|functional(?:ity)? changes? (?:is |are |was |were )?intended)\b/i
