// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseDataFile } from '../lib/data-file.ts'
import { editDistance } from '../lib/edit-distance.ts'
import { UsageError } from '../lib/errors.ts'
import { loadTargets, type TargetTable } from '../result/targets.ts'

/** Part of a case's name: safe as a file name, in the guest's shell and in a job file. */
const word = z.string().regex(/^[a-z0-9][a-z0-9._+-]{0,47}$/, 'lower-case letters, digits, dot, plus, dash')

/** One argument of a guest program. $N, $DISK and $CASE are put in by the guest's shell, nothing else is. */
const argument = z
  .string()
  .regex(/^(?:[A-Za-z0-9_./=:,+%-]|\$N\b|\$DISK\b|\$CASE\b)+$/, 'one word, with $N, $DISK and $CASE at most')

/** Shell lines of the guest; the file is part of the toolkit or of the user's project, as suites' scripts are. */
const shell = z.string()

/** A kernel symbol. */
const symbol = z.string().regex(/^[A-Za-z_][\w.]*$/, 'a function of the kernel')

const caseShape = z
  .strictObject({
    /** What one operation is, for people. */
    what: z.string().min(1),
    /** A job of a fio job file beside this one... */
    fio: z.strictObject({ file: z.string().regex(/^[a-z0-9-]+\.fio$/), job: word }).optional(),
    /** ...or a program of the guest that marks its region itself. */
    run: z.array(argument).min(1).optional(),
    /** ...or the boot itself: from power-on to the guest's script. */
    boot: z.literal(true).optional(),
    /** Operations of a short and a long measurement. Their difference is what is counted: set-up cancels. */
    lengths: z.tuple([z.int().min(1), z.int().min(2)]).optional(),
    /**
     * Count the long measurement alone, step by step, and take what is usual: from one step mark of
     * the program to the next ("mark"), or from entry to entry of a function of the kernel, for fio on devices that
     * answer in the host's time. What is not the operation's (set-up, a late wake-up) is in no step, or in few.
     */
    steps: z
      .strictObject({
        at: z.union([z.literal('mark'), symbol]),
        /** Entries that make a step where a request has to be waited for by another call; else one does. */
        entries: z.int().min(1).default(1),
        /** Operations in a step. */
        operations: z.int().min(1).default(1),
      })
      .optional(),
    /** Limit to some of the file's places; default: all. */
    on: z.array(word).optional(),
    /** False: instructions only; the time of so short a thing is noise. */
    clock: z.boolean().default(true),
    /** What the case counts as "entries" is the record's entries of this name. */
    entries: word.optional(),
    /**
     * Another case of the file, which does the same by another way that the same kernel has: the base figure is what
     * that one costs at the series point, in the same boot, and not what this one costs at the base.
     */
    against: word.optional(),
  })
  .superRefine((value, context) => {
    if ([value.fio, value.run, value.boot].filter((way) => way !== undefined).length !== 1)
      context.addIssue({ code: 'custom', path: ['run'], message: 'give one of fio, run and boot' })
    if (value.lengths !== undefined && value.lengths[1] <= value.lengths[0])
      context.addIssue({ code: 'custom', path: ['lengths'], message: 'the second has to be longer' })
  })

const fileShape = z.strictObject({
  description: z.string().min(1),
  /** What one operation is called in units: instructions/IO, ns/IO. */
  operation: z.string().regex(/^[A-Za-z]{1,16}$/, 'a short word'),
  /** Where the cases are measured; the key begins their names. */
  places: z.record(
    word,
    z.strictObject({
      /** Machine of qemu/bench/machines on which instructions are counted. */
      machine: word,
      /** Serial of the disk, or a device by its path; the guest has it as $DISK. */
      disk: z
        .string()
        .regex(/^(?:\/dev\/)?[a-z0-9-]+$/)
        .optional(),
      /** What the guest does once before the first case, and after the last. */
      setup: shell.default(''),
      teardown: shell.default(''),
      lengths: z.tuple([z.int().min(1), z.int().min(2)]).default([200, 1200]),
      /** Job of each fio file that is run first and not measured: it takes the device out of a state left to chance. */
      prime: word.optional(),
      /** Whether a request is answered within the call that submits it, or has to be waited for by another one. */
      answers: z.enum(['at once', 'later']).default('later'),
    }),
  ),
  /** Programs of the host that go into the guest, beside fio where a case uses it. */
  programs: z.array(z.string().regex(/^[\w.+-]+$/)).default([]),
  /** Programs of qemu/bench and qemu/guest, see tools/guest/tools.ts. */
  tools: z.array(word).default([]),
  cases: z.record(word, caseShape),
})

export type Place = z.output<typeof fileShape>['places'][string]

/** One thing to measure, in one place. */
export interface Case {
  /** PLACE/NAME */
  readonly name: string
  readonly what: string
  /** "IO": the unit is then instructions/IO and ns/IO. */
  readonly operation: string
  readonly placeName: string
  readonly place: Place
  readonly fio: { readonly file: string; readonly job: string } | undefined
  readonly run: readonly string[] | undefined
  readonly boot: boolean
  readonly lengths: readonly [number, number]
  /** Undefined: by slope. */
  readonly steps: { readonly at: string; readonly entries: number; readonly operations: number } | undefined
  readonly clock: boolean
  readonly entries: string | undefined
  /** Name of the case that it is compared with; undefined: with itself at the base point. */
  readonly against: string | undefined
  readonly programs: readonly string[]
  readonly tools: readonly string[]
}

/**
 * Reads every case file of a directory: one a kind of work, qemu/bench/*.yaml.
 *
 * @throws UsageError for faults in a file (file:line:col), and for two cases of one name.
 */
export function loadCases(dir: string): Case[] {
  const cases = readdirSync(dir)
    .filter((file) => file.endsWith('.yaml'))
    .toSorted()
    .flatMap((file) => parseCases(readFileSync(join(dir, file), 'utf8'), join(dir, file)))
  const seen = new Set<string>()
  for (const { name, fio } of cases) {
    if (seen.has(name)) throw new UsageError(`${dir}: there are two cases ${name}`, 'rename one of them')
    seen.add(name)
    if (fio && !existsSync(join(dir, fio.file)))
      throw new UsageError(
        `${dir}: ${name}: there is no ${fio.file}`,
        'name a fio job file of that directory',
      )
  }
  return cases
}

/**
 * The tables of targets of a directory of cases: its targets/*.yaml.
 *
 * @throws UsageError for faults in a file, and for a target of a case that there is not.
 */
export function loadCaseTargets(dir: string, cases: readonly Case[]): TargetTable[] {
  const tables = loadTargets(join(dir, 'targets'))
  for (const { file, targets } of tables) {
    const lost = targets.find((target) => !cases.some((one) => one.name === target.case))
    if (lost)
      throw new UsageError(`${file}: there is no case ${lost.case}`, './phyr bench --list shows every case')
  }
  return tables
}

/** The cases of one file's text; `path` is what messages call it. @throws UsageError as loadCases(). */
export function parseCases(text: string, path: string): Case[] {
  const cases = casesOf(parseDataFile(text, path, fileShape))
  for (const { name, against } of cases) {
    const other = cases.find((one) => one.name === against)
    if (against === undefined || (other && other.against === undefined)) continue
    throw new UsageError(
      `${path}: ${name} is against ${against}, ${other ? `which is against ${other.against} itself` : 'which is no case'}`,
      'name a case of the file that is in the same places and against none',
    )
  }
  return cases
}

function casesOf(file: z.output<typeof fileShape>): Case[] {
  return Object.entries(file.places).flatMap(([placeName, place]) =>
    Object.entries(file.cases)
      .filter(([, value]) => value.on === undefined || value.on.includes(placeName))
      .map(([name, value]) => ({
        name: `${placeName}/${name}`,
        what: value.what,
        operation: file.operation,
        placeName,
        place,
        fio: value.fio,
        run: value.run,
        boot: value.boot ?? false,
        lengths: value.lengths ?? place.lengths,
        steps: value.steps && {
          ...value.steps,
          entries: place.answers === 'at once' ? 1 : value.steps.entries,
        },
        clock: value.clock,
        entries: value.entries,
        against: value.against === undefined ? undefined : `${placeName}/${value.against}`,
        programs: value.fio ? ['fio', ...file.programs] : file.programs,
        tools: file.tools,
      })),
  )
}

/**
 * The cases that names choose: a whole name, a place ("nvme": all of its cases), a table of targets (all of its
 * cases), or a pattern with `*`. A table and a place of one name are both meant. What a case is against comes with it.
 *
 * @throws UsageError for a name that chooses none, with the nearest that there is.
 */
export function selectCases(
  cases: readonly Case[],
  names: readonly string[],
  tables: readonly Pick<TargetTable, 'name' | 'targets'>[] = [],
): Case[] {
  if (names.length === 0) return [...cases]
  const chosen = new Set<Case>()
  for (const name of names) {
    const promised = tables.filter((table) => table.name === name).flatMap((table) => table.targets)
    const found = cases.filter(
      (c) =>
        c.name === name ||
        c.placeName === name ||
        promised.some((target) => target.case === c.name) ||
        matches(name, c.name),
    )
    if (found.length === 0) {
      const near = [...new Set(cases.flatMap((c) => [c.name, c.placeName]))]
        .map((known) => ({ name: known, distance: editDistance(name, known) }))
        .sort((a, b) => a.distance - b.distance)[0]
      throw new UsageError(
        `there is no benchmark case ${JSON.stringify(name)}${near && near.distance <= 4 ? `; did you mean ${near.name}?` : ''}`,
        `groups: ${[...new Set(cases.map((c) => c.placeName))].join(', ')}; ./phyr bench --list shows every case`,
      )
    }
    for (const one of found) chosen.add(one)
  }
  const others = new Set([...chosen].map((one) => one.against))
  return cases.filter((c) => chosen.has(c) || others.has(c.name))
}

function matches(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) return false
  const parts = pattern.split('*').map((part) => part.replace(/[.+]/g, '\\$&'))
  return /^[a-z0-9._+/*-]+$/.test(pattern) && new RegExp(`^${parts.join('.*')}$`).test(name)
}
