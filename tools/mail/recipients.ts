// SPDX-License-Identifier: GPL-2.0-only
import { addressKey, checkAddress, parseAddress, uniqueAddresses, type Address } from './address.ts'
import type { CoverFile } from './cover-file.ts'
import { isPerson, type Maintainer, type PatchMaintainers } from './maintainers.ts'
import type { PatchParts } from './patch-parts.ts'
import type { Choice } from './recipients-file.ts'

/** Who gets one mail. */
export interface Recipients {
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
}

/** Who gets what of a whole thread. */
export interface RecipientsPlan {
  /** By number of the mail; 0 is the cover, which goes to all who get any patch. */
  readonly byNumber: ReadonlyMap<number, Recipients>
  /** Files that nobody maintains, by the number of the patch. */
  readonly unmaintained: ReadonlyMap<number, readonly string[]>
  readonly warnings: readonly string[]
}

/** More than so many at once: list servers hold such mails back, and people wonder why they get it. */
export const MANY = 40

/**
 * Plans who gets what: a patch goes To its maintainers, with its reviewers, its lists and whom its trailers name in Cc,
 * and the cover goes to all of them.
 *
 * @throws UsageError for an address that is none.
 */
export function planRecipients(input: {
  readonly patches: readonly PatchParts[]
  /** As maintainersOf() gives it, in the patches' order; undefined when the tree could not be asked. */
  readonly maintainers: readonly PatchMaintainers[] | undefined
  readonly cover: Pick<CoverFile, 'to' | 'cc'>
  readonly choice: Choice
  /** Gets no Cc as the author of a patch. */
  readonly sender: Address
}): RecipientsPlan {
  const { patches, maintainers, cover, choice, sender } = input
  const always = { to: [...cover.to, ...choice.to], cc: [...cover.cc, ...choice.cc] }
  const own = patches.map((parts, i) => {
    const people = maintainers?.[i]?.people ?? []
    return {
      to: people.filter(isPerson).map(addressOf),
      cc: [...people.filter((one) => !isPerson(one)).map(addressOf), ...namedIn(parts, sender)],
    }
  })
  const all = { to: own.flatMap((one) => one.to), cc: own.flatMap((one) => one.cc) }
  const settle = (mail: Recipients): Recipients =>
    settled({ to: [...mail.to, ...always.to], cc: [...mail.cc, ...always.cc] }, choice.remove)
  const byNumber = new Map(own.map((mail, i) => [i + 1, settle(choice.everyone ? all : mail)]))
  byNumber.set(0, settle(all))
  const unmaintained = new Map(
    (maintainers ?? []).flatMap((one, i) => (one.unmaintained.length > 0 ? [[i + 1, one.unmaintained]] : [])),
  )
  return { byNumber, unmaintained, warnings: warningsOf(byNumber) }
}

function addressOf({ name, email }: Maintainer): Address {
  return checkAddress({ name, email }, 'MAINTAINERS')
}

const PEOPLE =
  /^(?:cc|reported-by|suggested-by|originally-by|co-developed-by|tested-by|reviewed-by|acked-by|debugged-by): +(.*)$/i

/** Whom the trailers of a patch name, and its author. */
function namedIn({ author, message, patch }: PatchParts, sender: Address): Address[] {
  const last = message.split(/\n\n+/).at(-1) ?? ''
  const named = last.split('\n').flatMap((line) => {
    // A comment may follow, as in "Cc: <stable@...> # 6.1+".
    const text = PEOPLE.exec(line)?.[1]
      ?.replace(/\s#.*$/, '')
      .trim()
    return text !== undefined && text.includes('@') ? [parseAddress(text, patch.file)] : []
  })
  const own = addressKey(author) === addressKey(sender)
  return [...named, ...(own ? [] : [checkAddress(author, patch.file)])]
}

/** Each mailbox once, To before Cc; who was taken out is out; a mail without To has its Cc there. */
function settled(mail: Recipients, remove: ReadonlySet<string>): Recipients {
  const wanted = (list: readonly Address[]): Address[] =>
    uniqueAddresses(list).filter((one) => !remove.has(addressKey(one)))
  const to = wanted(mail.to)
  const first = new Set(to.map(addressKey))
  const cc = wanted(mail.cc).filter((one) => !first.has(addressKey(one)))
  return to.length > 0 ? { to, cc } : { to: cc, cc: [] }
}

function warningsOf(byNumber: ReadonlyMap<number, Recipients>): string[] {
  const warnings: string[] = []
  const size = ({ to, cc }: Recipients): number => to.length + cc.length
  const cover = byNumber.get(0)
  if (cover && size(cover) > MANY) {
    warnings.push(
      `the cover letter goes to ${size(cover)} addresses (${cover.to.length} To, ${cover.cc.length} Cc): lists may hold ` +
        'it back; phyr split shows how the series can be mailed in parts',
    )
  }
  return warnings
}
