// SPDX-License-Identifier: GPL-2.0-only
import type { BenchOutput } from './bench-record.ts'

/**
 * Processors' worth of work of others above which times are not trusted.
 *
 * A quarter of a processor, over some seconds: an idle desktop or a CI machine stays under 0.1, a compiler or a
 * browser with one page that moves is above. Below, what is taken away comes in short pieces, hits both kernels of
 * an A B B A round and widens the interval honestly.
 */
const TRUSTED_LOAD = 0.25

/** Why times that were measured under this load are not to be trusted; undefined when they are. */
export function tooMuchLoad(load: BenchOutput['host']['load']): string | undefined {
  const most = Math.max(load.before, load.highest, load.after)
  if (most <= TRUSTED_LOAD) return undefined
  const when = most === load.highest ? 'while this measured' : most === load.before ? 'before' : 'after'
  return `others used ${most.toFixed(2)} processors ${when}, more than ${TRUSTED_LOAD}`
}

/** What the records' cases[] hold, where it is the same in both: with mode both it is instructions. */
type Kind = 'deterministic' | 'wall-clock'

/**
 * Why two records must not be compared; empty when they may. `a` is the older one: "QEMU 7.2.22 there, 10.0.2 here".
 *
 * Instruction counts depend on QEMU, the compiler, fio and the config. They do not on the host's CPU and load, as far
 * as is known (under TCG `-cpu max` is what QEMU has), but how long a device takes does, so another CPU is refused in
 * both modes. Load never is the same twice: what is refused is comparing times of which one was measured above the
 * bound of tooMuchLoad().
 *
 * @param kind which figures are to be compared; left out: those of cases[].
 */
export function whyNotComparable(a: BenchOutput, b: BenchOutput, kind?: Kind): string[] {
  const reasons: string[] = []
  const differ = (what: string, there: string | number, here: string | number): void => {
    if (there !== here) reasons.push(`${what} ${there} there, ${here} here`)
  }
  const figures = kind ?? kindOf(b)
  if (!has(a, figures) || !has(b, figures)) {
    const only = (output: BenchOutput): string => (has(output, figures) ? figures : `no ${figures}`)
    return [`${only(a)} figures there, ${only(b)} here`]
  }
  if (kind === undefined) differ('cases measured in', kindOf(a), kindOf(b))
  differ('QEMU', ...versions(a.qemu, b.qemu))
  // A record without fio has no case that depends on it, so what both have does not.
  if (a.fio !== null && b.fio !== null) differ('fio', a.fio.replace(/^fio-/, ''), b.fio.replace(/^fio-/, ''))
  differ('host CPU', a.host.cpu, b.host.cpu)
  differ('host CPUs', a.host.cpus, b.host.cpus)
  differ('host architecture', a.host.arch, b.host.arch)
  differ('accelerator', accel(a, figures), accel(b, figures))
  differ('compiler', a.compiler, b.compiler)
  differ('config', a.config, b.config)
  if (figures === 'wall-clock') {
    const load = { there: tooMuchLoad(a.host.load), here: tooMuchLoad(b.host.load) }
    if (load.there !== undefined) reasons.push(`there ${load.there}`)
    if (load.here !== undefined) reasons.push(`here ${load.here}`)
  }
  return reasons
}

function kindOf(output: BenchOutput): Kind {
  return output.mode === 'wall-clock' ? 'wall-clock' : 'deterministic'
}

function has(output: BenchOutput, kind: Kind): boolean {
  return output.mode === 'both' || output.mode === kind
}

function accel(output: BenchOutput, kind: Kind): string {
  const used = kind === 'deterministic' ? output.accel.deterministic : output.accel.wallClock
  return used?.used ?? 'none'
}

/** Version numbers out of QEMU's version lines, when they alone tell the two apart. */
function versions(there: string, here: string): [string, string] {
  const number = (line: string): string | undefined => /\b\d+(?:\.\d+)+/.exec(line)?.[0]
  const short: [string | undefined, string | undefined] = [number(there), number(here)]
  return short[0] !== undefined && short[1] !== undefined && short[0] !== short[1]
    ? [short[0], short[1]]
    : [there, here]
}
