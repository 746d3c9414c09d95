// SPDX-License-Identifier: GPL-2.0-only
import { UsageError } from '../lib/errors.ts'
import type { Project } from '../lib/project.ts'
import { listMachines, loadMachine, type Machine } from '../machine/machine.ts'
import { listSuites, loadSuite, type Suite } from '../suite/suite.ts'

/** One boot to be done. */
export interface Cell {
  readonly machine: Machine
  readonly suite: Suite
}

/**
 * The boots that a choice of machines and suites comes to, machine by machine.
 *
 * @param choice.machines undefined: for each suite the first machine that it fits.
 * @param choice.suites undefined: every suite that fits the machine and the architecture.
 * @throws UsageError for unknown names, bad files, and a suite that was asked for and fits nothing asked for.
 */
export function matrixOf(
  project: Project,
  choice: {
    readonly machines: readonly string[] | undefined
    readonly suites: readonly string[] | undefined
    readonly arch: 'x86_64' | 'i386'
  },
): Cell[] {
  const suites = unique(choice.suites ?? listSuites(project.suites)).map((name) =>
    loadSuite(name, project.suites, project.fio),
  )
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
  // One machine a suite: the first that fits.
  return cells.filter((cell, i) => cells.findIndex((other) => other.suite === cell.suite) === i)
}

/** The plainest machine first: it is the one that a suite runs on when none is named. */
function preferred(names: readonly string[]): string[] {
  return names.toSorted((a, b) => Number(b === 'virtio') - Number(a === 'virtio'))
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)]
}
