// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { isElf, readProgram } from '../lib/elf.ts'
import { run } from '../lib/exec.ts'
import { which } from '../lib/which.ts'
import { type Probe, type ProgramProbe, type Requirement, requirements } from './requirements.ts'
import { isAtLeast } from './version.ts'

/** One line of the doctor's table. */
export interface Row {
  readonly requirement: Requirement
  /** "12.2.0"; "there" for what has no version; undefined when it is not there. */
  readonly found: string | undefined
  /** Where a program was found. */
  readonly path: string | undefined
  /** `old`: there, and older than the minimum, or not of the kind that is needed. */
  readonly state: 'ok' | 'old' | 'missing'
}

export interface ExamineOptions {
  /** Instead of $PATH. */
  readonly path?: string
  /** Instead of /, for files. */
  readonly root?: string
  readonly signal?: AbortSignal
}

/** What this machine has of what the lab needs. Changes nothing. */
export async function examine(options: ExamineOptions = {}): Promise<Row[]> {
  return Promise.all(requirements.map((requirement) => examineOne(requirement, options)))
}

/** Whether the lab can work, and what is named, suites or verbs: nothing that is required is missing or too old. */
export function isComplete(rows: readonly Row[], users: readonly string[] = []): boolean {
  const required = (of: Requirement): boolean =>
    of.need === 'required' || (of.neededBy ?? []).some((user) => users.includes(user))
  return rows.every((row) => row.state === 'ok' || !required(row.requirement))
}

/** The rows that --install does something about. */
export function lacking(rows: readonly Row[]): readonly Row[] {
  return rows.filter((row) => row.state !== 'ok' && row.requirement.need !== 'optional')
}

async function examineOne(requirement: Requirement, options: ExamineOptions): Promise<Row> {
  const { probe, minimum } = requirement
  const path = options.path ?? process.env['PATH'] ?? ''
  if (probe.kind !== 'program') {
    const found = await isThere(probe, path, options)
    return {
      requirement,
      found: found ? 'there' : undefined,
      path: undefined,
      state: found ? 'ok' : 'missing',
    }
  }
  const file = which(probe.program, path)
  if (file === undefined) return { requirement, found: undefined, path: undefined, state: 'missing' }
  const version = await askVersion(file, probe, path, options.signal)
  // A program that does not say its version where it should is not the program that was meant.
  if (version === undefined) return { requirement, found: 'no version', path: file, state: 'old' }
  if (probe.isStatic === true && !isStatic(file)) {
    return { requirement, found: `${version}, needs libraries`, path: file, state: 'old' }
  }
  const isOld = minimum !== undefined && !isAtLeast(version, minimum)
  return { requirement, found: version, path: file, state: isOld ? 'old' : 'ok' }
}

/** Of what has no version. */
async function isThere(
  probe: Exclude<Probe, ProgramProbe>,
  path: string,
  { root = '/', signal }: ExamineOptions,
): Promise<boolean> {
  if (probe.kind === 'command') return which(probe.program, path) !== undefined
  if (probe.kind === 'file') return existsSync(join(root, probe.file))
  if (probe.kind === 'header') return hasHeader(probe.header, path, signal)
  return hasArchive(probe.archive, path, signal)
}

async function askVersion(
  file: string,
  probe: ProgramProbe,
  path: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const result = await run(file, probe.args, {
    timeoutMs: 20_000,
    env: { PATH: path },
    ...(signal ? { signal } : {}),
  })
  return probe.pattern.exec(`${result.stdout}\n${result.stderr}`)?.[1]
}

/** Asks the compiler, which knows its own include directories. Without a compiler no header is there. */
async function hasHeader(header: string, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  const gcc = which('gcc', path)
  if (gcc === undefined) return false
  const result = await run(gcc, ['-E', '-x', 'c', '-o', '/dev/null', '-'], {
    input: `#include <${header}>\n`,
    timeoutMs: 20_000,
    env: { PATH: path },
    ...(signal ? { signal } : {}),
  })
  return result.code === 0
}

/** Asks the compiler for a static library: it prints a path when it has one, and else the name. */
async function hasArchive(archive: string, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  const gcc = which('gcc', path)
  if (gcc === undefined) return false
  const result = await run(gcc, [`-print-file-name=${archive}`], {
    timeoutMs: 20_000,
    env: { PATH: path },
    ...(signal ? { signal } : {}),
  })
  return result.code === 0 && isAbsolute(result.stdout.trim())
}

function isStatic(file: string): boolean {
  if (!isElf(file)) return false
  const { interpreter, needed } = readProgram(file)
  return interpreter === undefined && needed.length === 0
}
