// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseDataFile } from '../lib/data-file.ts'
import { editDistance } from '../lib/edit-distance.ts'
import { UsageError } from '../lib/errors.ts'
import { toolRoot } from '../lib/paths.ts'
import { machineSchema, type MachineData } from './schema.ts'

/** A virtual computer as its file describes it; sizes are bytes. */
export interface Machine extends MachineData {
  readonly name: string
}

/** Where the tool keeps its machine files. */
const machinesDir = join(toolRoot, 'qemu/machines')

/** The names of all machines, sorted. */
export function listMachines(dir: string = machinesDir): string[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort()
}

/**
 * Reads `<dir>/<name>.yaml`.
 *
 * @throws UsageError when there is no such machine (naming the nearest one), or with every problem of the file as
 *   `file:line:col: path: message`.
 */
export function loadMachine(name: string, dir: string = machinesDir): Machine {
  const names = listMachines(dir)
  if (!names.includes(name)) {
    const near = nearest(name, names)
    throw new UsageError(
      `no machine ${JSON.stringify(name)}${near === undefined ? '' : `; did you mean ${near}?`}`,
      `machines: ${names.join(', ')}`,
    )
  }
  const file = join(dir, `${name}.yaml`)
  return { ...parseMachine(readFileSync(file, 'utf8'), file), name }
}

/** Checks the text of a machine file; `file` is what messages call it. @throws UsageError as loadMachine(). */
export function parseMachine(text: string, file: string): MachineData {
  return parseDataFile(text, file, machineSchema)
}

/** The name that most likely was meant, or undefined when none is near: at most a third of its letters differ. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best !== undefined && best.distance <= Math.max(1, Math.ceil(best.candidate.length / 3))
    ? best.candidate
    : undefined
}
