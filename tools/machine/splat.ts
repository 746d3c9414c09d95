// SPDX-License-Identifier: GPL-2.0-only
import type { Splat } from './boot.ts'

type Kind = Splat['kind']

/** Lines of a report that are kept, and reports of a boot: a warning in a loop has said it all by then. */
const mostLines = 80
const mostSplats = 50

/**
 * Headlines of the kernel's reports, as they stand after timestamp and caller. First match wins: what a more general
 * line would take comes before it.
 */
const headlines: readonly (readonly [Kind, RegExp])[] = [
  ['panic', /^Kernel panic - not syncing/],
  ['kasan', /^BUG: KASAN: /],
  ['soft-lockup', /^(?:NMI )?watchdog: (?:BUG: soft lockup|.*hard LOCKUP)/],
  ['soft-lockup', /^BUG: workqueue lockup/],
  ['oops', /^BUG: (?:unable to handle|kernel NULL pointer dereference)/],
  [
    'oops',
    /^(?:Oops|general protection fault|double fault|divide error|invalid opcode|stack segment|int3)\b.*: [0-9a-f]{4} \[#\d+\]/,
  ],
  ['oops', /^(?:traps: )?PANIC: /],
  ['bug', /^kernel BUG at /],
  [
    'lockdep',
    /^WARNING: (?:possible (?:circular|recursive|irq lock)|chain_key collision|inconsistent lock state|suspicious RCU usage|bad unlock balance|bad contention|[A-Z]+-safe -> [A-Z]+-unsafe lock order|lock held when returning|Nested lock was not taken|held lock freed)/i,
  ],
  ['lockdep', /^INFO: (?:possible |trying to register non-static key|inconsistent lock|suspicious RCU)/],
  [
    'lockdep',
    /^(?:\[ )?(?:WARNING|BUG): (?:Invalid wait context|.*still has locks held|held lock freed|MAX_LOCK)/,
  ],
  ['lockdep', /^DEBUG_LOCKS_WARN_ON\(/],
  ['hung-task', /^INFO: task .+:\d+ (?:is )?blocked (?:on .*)?(?:for|in .*) more than \d+ seconds/],
  [
    'rcu-stall',
    /^(?:rcu: )?(?:INFO: rcu_\w+ (?:self-)?detected|INFO: rcu_\w+ .*\bstall|rcu_\w+ kthread (?:starved|timer wakeup didn't happen))/,
  ],
  ['kmemleak', /^kmemleak: \d+ new suspected memory leaks?/],
  ['kmemleak', /^unreferenced object 0x[0-9a-f]+ /],
  ['bug', /^UBSAN: /],
  ['bug', /^BUG(?::|\s+\S.*\((?:Not tainted|Tainted).*\):) /],
  // Linux 7.3 says "WARNING: file:line at func, CPU#0: comm/1", older ones "WARNING: CPU: 0 PID: 1 at file:line func".
  // Most other lines that begin so are advice ("WARNING: Unprivileged eBPF is enabled").
  ['warning', /^WARNING: (?:CPU: \d+ |at |\S+:\d+ at |kernel stack (?:regs|frame)|stack recursion)/],
  ['warning', /^refcount_t: /],
]

const cutHere = /^-{6,}\[ cut here \]-{6,}/
const endTrace = /^---\[ end (?:trace|Kernel panic)/
/** The line of = signs around or above a report. */
const rule = /^={20,}$/
/** What follows a call trace and still belongs to it: frames, stack marks, registers and code of 32 and 64 bits. */
const traceLine =
  /^(?:\s|$|<\/?[A-Z]+>|(?:[RE]IP|[RE]SP|[RE][A-D]X|RBP|R\d\d|[DEFGCS]S|CR[0-8]|DR\d|FS|Code|Modules linked in|PKRU|Call Trace|note):)/

interface Open {
  kind: Kind
  title: string | undefined
  readonly lines: string[]
  /** What ends it besides the next report: an end mark, a closing rule, or the end of its call trace. */
  readonly until: 'end-trace' | 'rule' | 'trace'
  inTrace: boolean
}

/** Finds kernel reports in a console, line by line as it comes. */
export class SplatFinder {
  readonly #splats: Splat[] = []
  #open: Open | undefined
  /** The line of = signs just before: the first line of a report, when one follows. */
  #rule: string | undefined

  /** One line of the console, cleaned (see ConsoleReader). */
  line(raw: string): void {
    const text = message(raw)
    const kind = kindOf(text)
    const previousRule = this.#rule
    this.#rule = rule.test(text) ? text : undefined

    if (this.#open !== undefined && this.#belongs(this.#open, text, kind)) {
      this.#add(this.#open, text)
      if (kind !== undefined) this.#name(this.#open, kind, text)
      else if (this.#open.kind === 'warning' && text.startsWith('DMA-API: '))
        this.#name(this.#open, 'dma-api', text)
      if (this.#ends(this.#open, text)) {
        this.#close()
        this.#rule = undefined // it closed this report and opens no other
      }
      return
    }
    this.#close()
    if (cutHere.test(text)) {
      this.#open = { kind: 'warning', title: undefined, lines: [text], until: 'end-trace', inTrace: false }
    } else if (kind !== undefined) {
      this.#start(kind, text, previousRule)
    }
  }

  /** All reports so far; one that is still open is taken as it stands. */
  finish(): Splat[] {
    this.#close()
    return [...this.#splats]
  }

  #start(kind: Kind, text: string, previousRule: string | undefined): void {
    // kmemleak's own line names the number; the objects follow, if at all, from the suite that asks for them.
    if (kind === 'kmemleak' && text.startsWith('kmemleak:')) {
      this.#keep({ kind, title: text, lines: [text] })
      return
    }
    const until = endOf(kind, text)
    const lines = previousRule === undefined ? [text] : [previousRule, text]
    this.#open = { kind, title: text, lines, until, inTrace: false }
  }

  /** Whether a line goes on with the open report. */
  #belongs(open: Open, text: string, kind: Kind | undefined): boolean {
    if (cutHere.test(text) || kind === 'panic') return false
    // An Oops line inside a report of a bad access, and a headline inside a cut, tell the same story.
    if (kind !== undefined) {
      if (open.until !== 'end-trace') return false
      return open.title === undefined || !open.inTrace || kind === 'oops'
    }
    if (open.until !== 'trace') return true
    // lockdep closes its headline with a second rule, and goes on.
    if (rule.test(text)) return open.kind === 'lockdep' && !open.inTrace
    return !open.inTrace || traceLine.test(text)
  }

  #add(open: Open, text: string): void {
    if (open.lines.length < mostLines) open.lines.push(text)
    if (/^\s*Call Trace:|^\s*<(?:TASK|IRQ)>/.test(text)) open.inTrace = true
  }

  #ends(open: Open, text: string): boolean {
    if (open.until === 'end-trace') return endTrace.test(text)
    if (open.until === 'rule') return rule.test(text)
    return /^\s*<\/TASK>/.test(text)
  }

  /** Gives a cut its name; a report that has one keeps it. */
  #name(open: Open, kind: Kind, text: string): void {
    // refcount_t and DMA-API say what is wrong, before or after the line that says where.
    if (open.title !== undefined && kind !== 'dma-api') return
    open.kind = kind
    open.title = text
  }

  #close(): void {
    const open = this.#open
    this.#open = undefined
    if (open === undefined) return
    while (open.lines.at(-1) === '') open.lines.pop()
    // A cut without a known headline: its first line is the text of a WARN(1, ...).
    this.#keep({
      kind: open.kind,
      title: open.title ?? open.lines[1] ?? open.lines[0] ?? '',
      lines: open.lines,
    })
  }

  #keep(splat: Splat): void {
    if (this.#splats.length < mostSplats) this.#splats.push(splat)
  }
}

/** The reports in a whole log. */
export function findSplats(lines: Iterable<string>): Splat[] {
  const finder = new SplatFinder()
  for (const line of lines) finder.line(line)
  return finder.finish()
}

// --- internal ---

/**
 * A console line without level, timestamp and caller ("<4>[    1.234567][  T123] "). A timestamp in mid-line follows
 * what a program left there without a newline.
 */
function message(raw: string): string {
  const stamps = [...raw.matchAll(/(?:<\d+>)?\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? ?/g)]
  const last = stamps.at(-1)
  return (last === undefined ? raw : raw.slice(last.index + last[0].length)).trimEnd()
}

/** Which mark ends a report that starts with this headline. */
function endOf(kind: Kind, headline: string): Open['until'] {
  if (kind === 'panic' || kind === 'oops' || headline.startsWith('kernel BUG')) return 'end-trace'
  // KASAN, KCSAN, KMSAN and KFENCE frame theirs; SLUB and lockdep only open with a rule.
  return /^BUG: K(?:[ACM]SAN|FENCE)/.test(headline) ? 'rule' : 'trace'
}

function kindOf(text: string): Kind | undefined {
  return headlines.find(([, pattern]) => pattern.test(text))?.[0]
}
