// SPDX-License-Identifier: GPL-2.0-only
import { git, gitOk } from '../base/repo.ts'

/** What a patch does to one file. */
export interface TouchedFile {
  readonly path: string
  readonly change: 'added' | 'modified' | 'deleted'
}

/** A patch at its place: the mail, and the tree before and after it. */
export interface Point {
  /** The whole mail. */
  readonly text: string
  /** A patch of patches/, not a mail on its way out: nobody has signed off yet. */
  readonly stored: boolean
  /** A repository that has both trees. */
  readonly repo: string
  /** For git in that repository; empty for one of phyr's own. */
  readonly env: Readonly<Record<string, string>>
  /** Commit or tree without and with the patch. */
  readonly before: string
  readonly after: string
  /** A work tree with the patch, or with the series that it is part of. */
  readonly treeDir: string
  /** The series' last point: MAINTAINERS may list a file later than it comes. */
  readonly tip: string
  readonly touched: readonly TouchedFile[]
  readonly signal?: AbortSignal
}

/** What changed between two trees; a rename is a file that goes and one that comes. */
export async function touchedFiles(
  repo: string,
  before: string,
  after: string,
  env: Readonly<Record<string, string>> = {},
): Promise<TouchedFile[]> {
  const args = ['diff-tree', '-r', '--no-renames', '--name-status', '-z', before, after]
  const fields = (await gitOk(repo, args, { env })).split('\0')
  const touched: TouchedFile[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [status, path = ''] = [fields[i], fields[i + 1]]
    touched.push({ path, change: status === 'A' ? 'added' : status === 'D' ? 'deleted' : 'modified' })
  }
  return touched
}

/** A file before or after the patch; undefined when it is not there. */
export async function fileAt(
  point: Point,
  side: 'before' | 'after',
  path: string,
): Promise<string | undefined> {
  const shown = await git(point.repo, ['cat-file', 'blob', `${point[side]}:${path}`], { env: point.env })
  return shown.code === 0 ? shown.stdout : undefined
}
