// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseDataFile } from '../lib/data-file.ts'
import type { Project } from '../lib/project.ts'
import { addressKey, parseAddress, type Address } from './address.ts'

const NAME = 'patches/recipients.yaml'

const addresses = z.array(z.string()).default([])

const RecipientsFile = z.strictObject({
  /** Who gets every mail of the series, whatever MAINTAINERS says. */
  add: z.strictObject({ to: addresses, cc: addresses }).default({ to: [], cc: [] }),
  /** Who gets none. */
  remove: addresses,
  /** Whether everyone who gets a patch gets them all. */
  everyone: z.boolean().default(false),
})

/** The author's choice of who gets what. */
export interface Choice {
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
  /** Keys of addresses (addressKey()). */
  readonly remove: ReadonlySet<string>
  readonly everyone: boolean
}

/**
 * Reads patches/recipients.yaml, if there is one.
 *
 * @throws UsageError with file and line for what is wrong in it.
 */
export function recipientsChoice(project: Pick<Project, 'patches'>): Choice {
  const file = join(project.patches, 'recipients.yaml')
  return parseChoice(existsSync(file) ? readFileSync(file, 'utf8') : '{}')
}

export function parseChoice(text: string): Choice {
  const { add, remove, everyone } = parseDataFile(text, NAME, RecipientsFile)
  const parse = (one: string): Address => parseAddress(one, NAME)
  return {
    to: add.to.map(parse),
    cc: add.cc.map(parse),
    remove: new Set(remove.map((one) => addressKey(parse(one)))),
    everyone,
  }
}
