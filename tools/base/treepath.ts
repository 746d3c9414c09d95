// SPDX-License-Identifier: GPL-2.0-only
import { posix } from 'node:path'
import { staysInside } from '../lib/paths.ts'

/**
 * Why a path from outside (an archive's entry, a patch) may not become a file of a source tree; undefined when it
 * may. Refused: empty and absolute paths, `..` and `.` as a component, control characters, and every spelling of
 * `.git` that some file system takes for it (git's verify_path(), core.protectHFS and core.protectNTFS).
 */
export function badTreePath(path: string): string | undefined {
  if (path === '') return 'it is empty'
  if (path.startsWith('/')) return 'it is absolute'
  if (/[\x00-\x1f\x7f]/.test(path)) return 'it has a control character in it'
  for (const part of path.split('/')) {
    if (part === '..') return 'it has .. in it'
    if (part === '' || part === '.') return 'it has an empty component in it'
    if (isDotGit(part)) return 'it is inside .git'
  }
  return staysInside(path) ? undefined : 'it is outside the tree'
}

/**
 * Why a symbolic link at `path` may not point to `target`: it must stay inside the tree, or a later patch or
 * archive entry could write through it. Undefined when it may.
 */
export function badLinkTarget(path: string, target: string): string | undefined {
  if (target === '') return 'it points nowhere'
  if (target.startsWith('/')) return 'it points to an absolute path'
  if (target.includes('\0')) return 'its target has a control character in it'
  const landed = posix.normalize(posix.join(posix.dirname(path), target))
  if (landed === '..' || landed.startsWith('../')) return 'it points outside the tree'
  return landed.split('/').some(isDotGit) ? 'it points into .git' : undefined
}

function isDotGit(part: string): boolean {
  // HFS+ ignores these code points in names, NTFS ignores trailing blanks and dots and takes the short name.
  const plain = part
    .replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '')
    .toLowerCase()
    .replace(/[ .]+$/, '')
  return plain === '.git' || plain === 'git~1' || plain.startsWith('.git:')
}
