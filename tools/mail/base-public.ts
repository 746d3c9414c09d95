// SPDX-License-Identifier: GPL-2.0-only
import type { BaseIdentity } from '../base/base.ts'
import { splitRev } from '../base/git.ts'
import { run } from '../lib/exec.ts'
import { wrap } from '../result/plain-text.ts'

/** What a cover letter says of its base: a commit that everybody can get, or a sentence on which base it is. */
export interface BaseWord {
  readonly commit: string | undefined
  readonly sentence: string
}

/**
 * Looks whether the base is public: its commit is on a branch of a remote that the checkout fetched from, over a
 * protocol that needs no account. A base-commit that nobody can fetch makes the robots that apply series fail silently,
 * so without one the letter says in words what it applies to.
 *
 * @param linux what the user gave as --linux, if anything.
 */
export async function baseWord(
  identity: BaseIdentity,
  linux: string | undefined,
  signal?: AbortSignal,
): Promise<BaseWord> {
  if (identity.provider === 'git' && linux !== undefined) {
    const remote = await publicRemote(splitRev(linux).dir, identity.commit, signal)
    if (remote !== undefined) return { commit: identity.commit, sentence: '' }
  }
  return { commit: undefined, sentence: wrap(sentenceOf(identity)).join('\n') }
}

function sentenceOf({ version, tree, commit, package: deb, archive }: BaseIdentity): string {
  if (deb) {
    return (
      `Applies to Linux ${version} as Debian packages it: ${deb.name} ${deb.version}, SHA-256 ${deb.sha256}, which is ` +
      `git tree ${tree} when unpacked. There is no base-commit, since a package is no commit that anybody could fetch; ` +
      `apt-get download ${deb.name} gets it.`
    )
  }
  if (archive) {
    return `Applies to Linux ${version} from ${archive.name}, SHA-256 ${archive.sha256}, which is git tree ${tree}. There is no base-commit, since an archive is no commit that anybody could fetch.`
  }
  return `Applies to Linux ${version}, git tree ${tree}. There is no base-commit, since commit ${commit} is in no public repository.`
}

/** The name of a remote that anybody can fetch from and that has the commit on a branch. */
async function publicRemote(
  dir: string,
  commit: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const ask = async (...args: string[]): Promise<string[]> => {
    const said = await run('git', ['-C', dir, '-c', 'core.fsmonitor=false', ...args], {
      env: { GIT_OPTIONAL_LOCKS: '0', GIT_DIR: undefined, GIT_WORK_TREE: undefined },
      ...(signal ? { signal } : {}),
    })
    return said.code === 0 ? said.stdout.split('\n').filter(Boolean) : []
  }
  for (const remote of await ask('remote')) {
    const urls = await ask('remote', 'get-url', remote)
    if (!urls.some(isPublic)) continue
    const refs = await ask('for-each-ref', '--count=1', `--contains=${commit}`, `refs/remotes/${remote}/`)
    if (refs.length > 0) return remote
  }
  return undefined
}

/** https or git, and a host with a domain: no path, no ssh account, no machine of the local network. */
export function isPublic(url: string): boolean {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    return false
  }
  const { protocol, hostname, username, password } = parsed
  if (!['https:', 'http:', 'git:'].includes(protocol) || username !== '' || password !== '') return false
  if (!hostname.includes('.') || /^[\d.]+$|^\[/.test(hostname)) return false
  return !/\.(?:local|lan|internal|home|corp|localdomain|test|invalid)$/i.test(hostname)
}
