// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'
import type { Project } from '../lib/project.ts'
import { listMachines, loadMachine, type Machine } from '../machine/machine.ts'
import { listSuites, loadSuite, type Settings, type Suite } from '../suite/suite.ts'

/** One boot to be done. */
export interface Cell {
  readonly machine: Machine
  readonly suite: Suite
}

/**
 * The boots that a choice of machines and suites comes to, machine by machine.
 *
 * @param choice.machines undefined: every machine that a suite names, and the plainest for one that fits all.
 * @param choice.suites undefined: every suite that fits the machine and the architecture.
 * @param choice.settings of the suites' variables; undefined: the usual values.
 * @throws UsageError for unknown names, bad files, a suite that was asked for and fits nothing asked for, and a
 *   variable that no suite has.
 */
export function matrixOf(
  project: Project,
  choice: {
    readonly machines: readonly string[] | undefined
    readonly suites: readonly string[] | undefined
    readonly arch: 'x86_64' | 'i386'
    readonly settings?: Settings | undefined
  },
): Cell[] {
  const suites = unique(choice.suites ?? listSuites(project.suites)).map((name) =>
    loadSuite(name, project.suites, project.fio, choice.settings),
  )
  assertKnown(suites, choice.settings)
  const machines = unique(choice.machines ?? preferred(listMachines(project.machines))).map((name) =>
    loadMachine(name, project.machines),
  )
  const fits = (suite: Suite, machine: Machine): boolean =>
    suite.archs.includes(choice.arch) && (suite.machines === '*' || suite.machines.includes(machine.name))
  const cells = machines.flatMap((machine) =>
    suites.filter((suite) => fits(suite, machine)).map((suite) => ({ machine, suite })),
  )
  if (choice.suites !== undefined) {
    const lonely = suites.find((suite) => !cells.some((cell) => cell.suite === suite))
    if (lonely) {
      const where = lonely.machines === '*' ? 'any' : lonely.machines.join(', ')
      throw new UsageError(
        `the suite ${lonely.name} does not run on ${machines.map((m) => m.name).join(', ')} (${choice.arch})`,
        `machines it fits: ${where}; architectures: ${lonely.archs.join(', ')}`,
      )
    }
  }
  if (choice.machines !== undefined) return cells
  // A suite that names its machines needs each of them; to one that does not they are alike.
  return cells.filter(
    ({ suite }, i) => suite.machines !== '*' || cells.findIndex((other) => other.suite === suite) === i,
  )
}

function assertKnown(suites: readonly Suite[], settings: Settings | undefined): void {
  const known = suites.flatMap((suite) => Object.keys(suite.variables))
  const unknown = [...(settings?.set.keys() ?? [])].find((name) => !known.includes(name))
  const names = suites.map((suite) => suite.name).join(', ')
  if (unknown !== undefined)
    throw new UsageError(
      `no variable ${unknown} in ${names}`,
      known.length > 0 ? `variables: ${unique(known).join(', ')}` : 'these suites have none',
    )
  if (settings?.length === 'long' && known.length === 0)
    throw new UsageError(`--long changes nothing of ${names}`, 'leave it out: these suites have no variables')
}

/** The plainest machine first: it is the one that a suite runs on when none is named. */
function preferred(names: readonly string[]): string[] {
  return names.toSorted((a, b) => Number(b === 'virtio') - Number(a === 'virtio'))
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)]
}
