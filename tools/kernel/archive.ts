// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { LabError } from '../lib/errors.ts'

const MAGIC = '!<thin>\n'
const HEADER = 60

/**
 * The members of a thin archive (`ar rcT`), which is a list of files, as kbuild makes of all objects. The format is
 * that of ar(5) with the names in a member "//"; sourceware's binutils manual, "ar", option T.
 *
 * @returns paths as they are written, relative to where the archive is, joined with the archive's own directory.
 * @throws LabError when it is no thin archive, is damaged, or names a file that is not there.
 */
export function thinMembers(archive: string): readonly string[] {
  const data = readFileSync(archive)
  const fail = (why: string): LabError =>
    new LabError({ what: `cannot read ${archive}`, why, fix: 'remove it and build again' })
  if (data.toString('latin1', 0, MAGIC.length) !== MAGIC) throw fail('it is no thin archive')
  const members: string[] = []
  let names = ''
  for (let pos = MAGIC.length; pos + HEADER <= data.length;) {
    const name = data.toString('latin1', pos, pos + 16).trimEnd()
    const size = Number(data.toString('latin1', pos + 48, pos + 58).trim())
    if (data.toString('latin1', pos + 58, pos + HEADER) !== '`\n' || !Number.isInteger(size)) {
      throw fail('it is damaged')
    }
    pos += HEADER
    if (name === '/' || name === '/SYM64/' || name === '//') {
      if (name === '//') names = data.toString('utf8', pos, pos + size)
      pos += size + (size % 2)
      continue
    }
    // "/123": at that offset of the member "//"; ends in "/\n". ar sometimes puts one more slash into the last byte.
    const at = /^\/(\d+)\s*\/?$/.exec(name)?.[1]
    const path = at === undefined ? name : names.slice(Number(at), names.indexOf('\n', Number(at)))
    const member = normalize(join(dirname(archive), path.replace(/\/$/, '')))
    if (!existsSync(member)) throw fail(`its member ${member} is not there`)
    members.push(member)
  }
  return members
}
