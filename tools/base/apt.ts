// SPDX-License-Identifier: GPL-2.0-only
import { beforeWork } from '../lib/dry-run.ts'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, runOk, type RunResult } from '../lib/exec.ts'
import { LabError } from '../lib/errors.ts'
import { type Mirror, sourceStanza } from './apt-sources.ts'

/** One package as apt knows it after it has verified the suite's signature. */
export interface AptPackage {
  readonly name: string
  readonly version: string
  readonly sha256: string
  readonly suite: string
}

/**
 * A private apt: its own sources, lists and cache in one directory, for one suite. The machine's own apt is read
 * only (its keyrings, its proxy settings, dpkg's status); nothing under /etc/apt or /var/lib/apt is written, so it
 * works as root and as anybody. Signatures are apt's business and stay switched on.
 */
export class PrivateApt {
  readonly suite: string
  readonly #root: string
  readonly #signal: AbortSignal | undefined

  constructor(root: string, suite: string, mirrors: readonly Mirror[], signal?: AbortSignal) {
    this.#root = root
    this.#signal = signal
    this.suite = suite
    for (const dir of ['etc', 'state/lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(root, dir), { recursive: true })
    }
    writeFileSync(join(root, 'etc/phyr.sources'), mirrors.map((m) => sourceStanza(m, suite)).join(''))
    writeFileSync(join(root, 'apt.conf'), this.#config())
  }

  /**
   * Fetches the suite's index. False when the suite cannot be had from these mirrors; `why` then tells.
   */
  async update(): Promise<{ readonly ok: boolean; readonly why: string }> {
    const result = await this.#apt('apt-get', ['update'])
    // Errors before warnings: those say why.
    const errors = result.stderr
      .split('\n')
      .filter((line) => /^[EW]: /.test(line))
      .toSorted()
    if (result.code !== 0) return { ok: false, why: errors[0] ?? `apt-get exit code ${result.code}` }
    const origins = await this.#apt('apt-get', ['indextargets', '--format', '$(ORIGIN)'])
    const foreign = origins.stdout.split('\n').find((o) => o !== '' && !/^Debian(?: Backports)?$/.test(o))
    if (foreign !== undefined) return { ok: false, why: `the archive calls itself ${foreign}, not Debian` }
    // With some mirrors failing apt warns and keeps what it has, which here is nothing.
    return origins.stdout.trim() === ''
      ? { ok: false, why: errors[0] ?? 'no index was fetched' }
      : { ok: true, why: '' }
  }

  /** The linux-source packages of the suite, whatever their version. */
  async linuxSources(): Promise<AptPackage[]> {
    const names = (await this.#apt('apt-cache', ['pkgnames', 'linux-source-'])).stdout.split('\n')
    const versioned = names.filter((name) => /^linux-source-\d+\.\d+$/.test(name))
    if (versioned.length === 0) return []
    const shown = await this.#apt('apt-cache', ['show', ...versioned])
    return shown.stdout.split('\n\n').flatMap((stanza) => {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? ''
      const pkg = { name: field('Package'), version: field('Version'), sha256: field('SHA256') }
      return pkg.name && /^[0-9a-f]{64}$/.test(pkg.sha256) ? [{ ...pkg, suite: this.suite }] : []
    })
  }

  /**
   * Downloads exactly this version into `dir`; apt checks it against the signed index.
   *
   * @throws LabError when it cannot be had.
   */
  async download(pkg: AptPackage, dir: string): Promise<void> {
    const args = ['-q', '-c', this.#conf, 'download', `${pkg.name}=${pkg.version}`]
    beforeWork('apt-get', args)
    await runOk('apt-get', args, {
      cwd: dir,
      ...this.#signalOption(),
    })
  }

  get #conf(): string {
    return join(this.#root, 'apt.conf')
  }

  async #apt(program: string, args: readonly string[]): Promise<RunResult> {
    return run(program, ['-q', '-c', this.#conf, ...args], this.#signalOption())
  }

  #signalOption(): { signal?: AbortSignal } {
    return this.#signal ? { signal: this.#signal } : {}
  }

  /**
   * apt reads a file given with -c after the machine's own configuration (apt.conf(5)), so the machine's proxy
   * stays and everything that would touch the machine's directories is replaced. The cleared hooks are what
   * desktops and container images run after an update of the *machine's* lists.
   */
  #config(): string {
    if (this.#root.includes('"')) {
      throw new LabError({
        what: 'apt cannot use this cache directory',
        why: `there is a quotation mark in ${this.#root}`,
        fix: 'point PHYR_CACHE at another directory',
      })
    }
    return [
      '#clear APT::Update::Pre-Invoke;',
      '#clear APT::Update::Post-Invoke;',
      '#clear APT::Update::Post-Invoke-Success;',
      'Dir::Etc::sourcelist "/dev/null";',
      `Dir::Etc::sourceparts "${this.#root}/etc";`,
      // A pin of the machine's must not hide a version that was asked for by its number.
      'Dir::Etc::preferences "/dev/null";',
      'Dir::Etc::preferencesparts "/dev/null";',
      `Dir::State "${this.#root}/state";`,
      `Dir::Cache "${this.#root}/cache";`,
      'Dir::State::status "/var/lib/dpkg/status";',
      'Acquire::Languages "none";',
      'Acquire::Retries "2";',
      'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
      'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";',
      'APT::Get::AllowUnauthenticated "false";',
      'Acquire::AllowInsecureRepositories "false";',
      'Acquire::AllowWeakRepositories "false";',
      '',
    ].join('\n')
  }
}
