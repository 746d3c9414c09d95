// SPDX-License-Identifier: GPL-2.0-only

/**
 * What the tool says while it works. Everything goes to stderr: stdout belongs to a verb's own answer (a table
 * or one JSON object).
 */
class Log {
  #verbose = 0
  #quiet = false
  #bar = ''

  configure(options: { verbose: number; quiet: boolean }): void {
    this.#verbose = options.verbose
    this.#quiet = options.quiet
  }

  get verbose(): number {
    return this.#verbose
  }

  /** One line about what happened; always shown unless --quiet. */
  info(line: string): void {
    if (!this.#quiet) this.#print(line)
  }

  /** Shown even with --quiet. */
  warn(line: string): void {
    this.#print(line)
  }

  /** Shown with -v. */
  detail(line: string): void {
    if (this.#verbose > 0) this.#print(line)
  }

  /** A program about to be run; shown with -v. */
  command(file: string, args: readonly string[], cwd: string | undefined): void {
    if (this.#verbose > 0) this.#print(`+ ${[file, ...args].join(' ')}${cwd ? `   (in ${cwd})` : ''}`)
  }

  /**
   * The state of a long step, redrawn in place on a terminal. In a log file the bar is left out: a step says
   * there what it did when it ends.
   */
  progress(text: string): void {
    if (this.#quiet || !process.stderr.isTTY) return
    const width = Math.max(20, (process.stderr.columns ?? 80) - 1)
    const line = text.slice(0, width)
    process.stderr.write(`\r${line}\x1b[K`)
    this.#bar = line
  }

  /** Removes the bar, so that what follows starts on a clean line. */
  progressDone(): void {
    if (this.#bar === '') return
    process.stderr.write('\r\x1b[K')
    this.#bar = ''
  }

  #print(line: string): void {
    const bar = this.#bar
    this.progressDone()
    process.stderr.write(`${printable(line)}\n`)
    if (bar !== '') this.progress(bar)
  }
}

export const log = new Log()

/**
 * Untrusted text made safe for a terminal: control characters other than newline and tab are shown as \xNN,
 * so that a patch's subject or a guest's console cannot move the cursor or set the title.
 */
export function printable(text: string): string {
  return text.replace(
    /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
