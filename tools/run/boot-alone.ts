// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildInitramfs, withToken } from '../guest/initramfs.ts'
import { toolLibraries, toolNames } from '../guest/tools.ts'
import { log } from '../lib/log.ts'
import type { Project } from '../lib/project.ts'
import { probeAccelerator } from '../machine/accel.ts'
import type { BootOutcome } from '../machine/boot.ts'
import { loadMachine } from '../machine/machine.ts'
import { bootSteadily } from './boot-steadily.ts'
import { deadlinesOf } from './deadlines.ts'
import { getKernel, type KernelChoice } from './kernel.ts'
import { matrixOf } from './matrix.ts'
import { ready } from './ready.ts'
import { getApplied, type SourceChoice } from './sources.ts'

export interface BootChoice extends SourceChoice, KernelChoice {
  readonly machine: string
  readonly accel: 'kvm' | 'tcg' | undefined
  readonly shell: boolean
  readonly gdb: string | undefined
  readonly cmdline: readonly string[]
}

/**
 * Boots the series' kernel by itself: to init and out again, or into a shell. The guest has everything that the
 * suites' guests have: busybox, fio, the selftests, phyr's tools.
 */
export async function bootAlone(
  project: Project,
  choice: BootChoice,
  signal: AbortSignal,
): Promise<BootOutcome> {
  const machine = loadMachine(choice.machine, project.machines)
  const cells = matrixOf(project, { machines: [machine.name], suites: undefined, arch: choice.arch })
  const full = choice.shell && choice.arch === 'x86_64'
  const suites = full ? cells.map((cell) => cell.suite) : []
  await ready(
    signal,
    suites.map((suite) => suite.name),
  )
  const accel = await probeAccelerator({ ...(choice.accel ? { force: choice.accel } : {}), signal })
  log.info(`accel   ${accel.used}: ${accel.reason}`)
  const applied = await getApplied(project, choice, signal)
  const { kernel, treeDir, treeId } = await getKernel(project, applied, choice, cells, signal)
  // A tool with libraries of its own is for those suites alone that have asked for them.
  const tools = toolNames.filter(
    (name) => toolLibraries(name).length === 0 || suites.some((suite) => suite.tools.includes(name)),
  )
  const initramfs = await buildInitramfs({
    arch: choice.arch,
    treeDir,
    treeId,
    programs: [...new Set(suites.flatMap((suite) => suite.programs))],
    carry: [...new Set(suites.flatMap((suite) => suite.carry))],
    tools: full ? tools : [],
    directories: full && kernel.selftests ? [{ path: '/selftests', source: kernel.selftests }] : [],
    signal,
  })
  const workDir = mkdtempSync(join(tmpdir(), 'phyr-boot-'))
  try {
    const script = initramfs.shell ? 'exit 0' : undefined
    const sealed = await withToken(initramfs, script, workDir)
    const { outcome } = await bootSteadily({
      arch: kernel.arch,
      image: kernel.image,
      initramfs: sealed.initramfs,
      cmdline: ['kunit.enable=0', ...choice.cmdline],
      token: sealed.token,
      machine,
      accel,
      workDir,
      deadlines: deadlinesOf(machine, kernel.config, 60),
      shell: choice.shell,
      ...(choice.gdb === undefined ? {} : { gdb: choice.gdb }),
      signal,
    })
    return outcome
  } finally {
    rmSync(workDir, { recursive: true, force: true })
  }
}
