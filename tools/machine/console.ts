// SPDX-License-Identifier: GPL-2.0-only

/** A line longer than this is cut into several: a guest may write for ever without a newline. */
const longestLine = 4096
/** How much of the newest text is searched for the marks. */
const windowSize = 8192

/**
 * A printk line, from its timestamp to its end. The kernel writes its messages between the bytes that init writes to
 * the same port, so that one may stand in the middle of another's line.
 */
const printkLine = /\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? [^\n]*\n/g

export interface ConsoleMarks {
  readonly firstByte: number | undefined
  readonly banner: number | undefined
  readonly init: number | undefined
}

/**
 * Reads a guest's console as it comes, byte by byte if need be: cleans it, cuts it into lines, and notes when the
 * guest got where. Keeps the last lines only, so that a guest that floods its console costs no memory.
 */
export class ConsoleReader {
  readonly #decoder = new TextDecoder('utf-8')
  readonly #token: RegExp
  readonly #onLine: (line: string) => void
  readonly #last: string[] = []
  readonly #keep: number
  #partial = ''
  #escape = ''
  #window = ''
  #firstByte: number | undefined
  #banner: number | undefined
  #init: number | undefined
  #status: number | undefined

  /**
   * @param options.token the secret that the guest's end prints.
   * @param options.onLine called with each cleaned line.
   * @param options.keep how many of the last lines tail() gives; default 30.
   */
  constructor(options: { token: string; onLine?: (line: string) => void; keep?: number }) {
    if (!/^[0-9a-f]{32}$/.test(options.token)) throw new Error('a token is 32 hex digits')
    this.#token = new RegExp(`phyr: end ${options.token} status=(\\d{1,3})\\n`, 'g')
    this.#onLine = options.onLine ?? ((): void => {})
    this.#keep = options.keep ?? 30
  }

  /** More bytes of the console; `ms` is when they came. */
  feed(bytes: Uint8Array, ms: number): void {
    if (bytes.length === 0) return
    this.#firstByte ??= ms
    this.#take(this.#clean(this.#decoder.decode(bytes, { stream: true })), ms)
  }

  /** The console is over: what stands on its last line counts as a line for onLine and tail(), never as the token's. */
  end(): void {
    if (this.#partial !== '') this.#line(this.#partial)
    this.#partial = ''
  }

  /** When, in the milliseconds given to feed(), the guest got where. */
  get marks(): ConsoleMarks {
    return { firstByte: this.#firstByte, banner: this.#banner, init: this.#init }
  }

  /** The status that stood beside the token, 0 to 100; undefined when the token has not come. */
  get status(): number | undefined {
    return this.#status
  }

  /** The last lines, the unfinished one included. */
  tail(): string[] {
    const lines = this.#partial === '' ? this.#last : [...this.#last, this.#partial]
    return lines.slice(-this.#keep)
  }

  #take(text: string, ms: number): void {
    this.#window = (this.#window + text).slice(-windowSize - text.length)
    this.#look(this.#window, ms)
    // Once more without the kernel's messages, which may have cut one of init's lines in two.
    const without = this.#window.replace(printkLine, '')
    if (without !== this.#window) this.#look(without, ms)
    this.#window = this.#window.slice(-windowSize)

    const lines = (this.#partial + text).split('\n')
    this.#partial = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
    while (this.#partial.length > longestLine) {
      this.#line(this.#partial.slice(0, longestLine))
      this.#partial = this.#partial.slice(longestLine)
    }
  }

  #look(text: string, ms: number): void {
    if (this.#banner === undefined && /(?:^|[\n\] ])Linux version \d/.test(text)) this.#banner = ms
    if (this.#init === undefined && /phyr: init \d+(?:\.\d+)?\n/.test(text)) this.#init = ms
    for (const match of text.matchAll(this.#token)) {
      const status = Number(match[1])
      if (status <= 100) this.#status = status
    }
  }

  #line(line: string): void {
    for (let at = 0; at === 0 || at < line.length; at += longestLine) {
      const piece = line.slice(at, at + longestLine)
      this.#last.push(piece)
      if (this.#last.length > this.#keep) this.#last.shift()
      this.#onLine(piece)
    }
  }

  /** Without terminal sequences, carriage returns, NULs and other control characters; tabs and newlines stay. */
  #clean(text: string): string {
    const whole = this.#escape + text
    // A sequence cut off by the end of the chunk waits for the next one; 64 characters are longer than any real one.
    const cut = /\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b\n]*)?$/.exec(whole)
    const hold = cut !== null && cut[0].length < 64 ? cut.index : whole.length
    this.#escape = whole.slice(hold)
    return whole
      .slice(0, hold)
      .replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[ -/]*[0-~])/g, '')
      .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '')
  }
}
