// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Finding, UsageError } from '../lib/errors.ts'
import { run, type RunResult } from '../lib/exec.ts'
import { log } from '../lib/log.ts'
import { staysInside } from '../lib/paths.ts'
import type { MakeCommand } from './make-args.ts'

/**
 * Selftests as kselftest names them: a collection ("phyr": all that its Makefile builds), or one program of it
 * ("mm:gup_phyrs", as in `run_kselftest.sh -t`).
 */
interface Selftest {
  readonly collection: string
  /** Undefined: all of them. */
  readonly program: string | undefined
}

/**
 * The selftests that the tree has. One of the series is not there in the base alone: it is left out and named.
 *
 * @throws UsageError for a name that is neither a path below tools/testing/selftests nor a program in one.
 * @throws Finding for a program whose source is there and that its Makefile does not build.
 */
export function presentTargets(source: string, targets: readonly string[]): readonly string[] {
  return [...new Set(targets)].sort().filter((target) => {
    const { collection, program } = selftestOf(target)
    const dir = join(source, 'tools', 'testing', 'selftests', collection)
    const makefile = join(dir, 'Makefile')
    const there = existsSync(makefile) && (program === undefined || existsSync(join(dir, `${program}.c`)))
    if (!there) log.info(`kernel  selftests: this tree has no target ${target}`)
    else if (program !== undefined) assertBuilt(makefile, program)
    return there
  })
}

/** Which of `targets` are not among the installed selftests. */
export function missingTargets(installed: string | undefined, targets: readonly string[]): readonly string[] {
  return targets.filter(
    (target) => installed === undefined || !existsSync(join(installed, ...target.split(':'))),
  )
}

/**
 * Builds selftests against the tree's own headers and installs them into `destination`, with run_kselftest.sh.
 * The first step that fails ends it; its result is the caller's to judge.
 *
 * Of a collection that is named by programs only those are built: the command line takes the place of the Makefile's
 * lists (lib.mk), and all other rules of the Makefile hold. Some collections, mm for one, want libraries for
 * programs that nobody asked for.
 */
export async function installSelftests(options: {
  readonly make: MakeCommand
  readonly targets: readonly string[]
  readonly destination: string
  readonly logFile: string
  readonly signal?: AbortSignal | undefined
}): Promise<RunResult> {
  const { make, destination, logFile, signal } = options
  const runOptions = { env: make.env, logFile, cwd: make.object, ...(signal ? { signal } : {}) }
  const install = [
    '-C',
    join(make.source, 'tools', 'testing', 'selftests'),
    ...make.args.filter((arg) => /^(?:O=|-j|CC=|--output-sync)/.test(arg)),
    `KSFT_INSTALL_PATH=${destination}`,
    'install',
  ]
  const selftests = options.targets.map(selftestOf)
  const whole = selftests.filter((one) => one.program === undefined).map((one) => one.collection)
  const steps: string[][] = [[...make.args, 'headers']]
  const parts = selftests.filter((one) => one.program !== undefined && !whole.includes(one.collection))
  for (const collection of new Set(parts.map((one) => one.collection))) {
    const programs = parts
      .filter((one) => one.collection === collection)
      .map((one) => join(make.object, 'kselftest', collection, one.program!))
    // Their Makefile need not know every header that they include, and an older one is of another tree.
    for (const program of programs) rmSync(program, { force: true })
    steps.push([`TARGETS=${collection}`, ...onlyThese(programs), ...install])
  }
  // From scratch: their warnings are then those of this tree, whatever was built here before.
  for (const collection of whole)
    rmSync(join(make.object, 'kselftest', collection), { recursive: true, force: true })
  // Last: each installation writes kselftest-list.txt anew, and this is what run_kselftest.sh is used for.
  if (whole.length > 0) steps.push([`TARGETS=${whole.join(' ')}`, ...install])
  let result: RunResult | undefined
  let stderr = ''
  for (const step of steps) {
    result = await run('make', step, runOptions)
    stderr += result.stderr
    if (result.code !== 0) break
  }
  return { ...result!, stderr }
}

/** A Makefile gives its programs extra sources by either of the first two lists. */
function onlyThese(programs: readonly string[]): string[] {
  const none = [
    'TEST_CUSTOM_PROGS',
    'TEST_GEN_PROGS_EXTENDED',
    'TEST_PROGS',
    'TEST_PROGS_EXTENDED',
    'TEST_FILES',
    'TEST_GEN_MODS_DIR',
    'TEST_INCLUDES',
  ]
  return [
    ...['TEST_GEN_PROGS', 'TEST_GEN_FILES'].map((list) => `${list}=${programs.join(' ')}`),
    ...none.map((list) => `${list}=`),
  ]
}

function selftestOf(target: string): Selftest {
  const [collection = '', program, ...more] = target.split(':')
  const fine = staysInside(collection) && /^\w[\w-]*(?:\/\w[\w-]*)*$/.test(collection)
  if (!fine || more.length > 0 || (program !== undefined && !/^\w[\w-]*$/.test(program))) {
    throw new UsageError(
      `"${target}" is no selftest target`,
      'a directory below tools/testing/selftests, or DIRECTORY:PROGRAM',
    )
  }
  return { collection, program }
}

/** Without this a patch that forgets the Makefile is only noticed by those who build all of the kernel's selftests. */
function assertBuilt(makefile: string, program: string): void {
  if (
    readFileSync(makefile, 'utf8')
      .split(/[^\w-]+/)
      .includes(program)
  )
    return
  throw new Finding({
    stage: 'build',
    message: `${program}.c is there, and its Makefile does not name it`,
    detail: [makefile],
  })
}
