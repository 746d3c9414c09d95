// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseDataFile } from '../lib/data-file.ts'
import { UsageError } from '../lib/errors.ts'
import { sha256 } from '../lib/hash.ts'
import { staysInside, toolRoot } from '../lib/paths.ts'

/** A word that is safe as a file name, in a kernel command line and in the guest's shell. */
const word = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dot, dash and underscore')

/** One argument of the kernel's command line: no blanks, no quotes. */
const argument = z.string().regex(/^[\x21\x23-\x26\x28-\x7e]+$/, 'one word without quotes')

const fioFile = z.strictObject({
  file: word.endsWith('.fio'),
  /** Serial number of the disk that it runs on. */
  disk: word,
})

const variable = z
  .strictObject({
    /** What it is the number of, for people. */
    what: z.string().min(1),
    usual: z.int().min(0).max(1e9),
    /** In `phyr run`, and with --long; default: the usual one. */
    short: z.int().min(0).max(1e9).optional(),
    long: z.int().min(0).max(1e9).optional(),
    /** What one of it adds to the suite's `seconds`. */
    seconds: z.number().positive().max(60).optional(),
    /** It is a time in seconds by the guest's clock: as long on a slow machine as on a fast one. */
    clock: z.boolean().default(false),
  })
  .refine((value) => !value.clock || value.seconds === undefined, {
    path: ['seconds'],
    message: 'with clock, the value itself is seconds',
  })

const schema = z
  .strictObject({
    name: word,
    kind: z.enum(['kunit', 'kselftest', 'fio', 'script']),
    description: z.string().min(1),
    machines: z.union([z.literal('*'), z.array(word).min(1)]),
    archs: z.array(z.enum(['x86_64', 'i386'])).min(1),
    /**
     * Programs of the host that go into the guest with their libraries: the first of that name on $PATH, or, where the
     * distribution's own is meant, the one in /usr/bin.
     */
    programs: z
      .array(z.string().regex(/^(\/usr\/bin\/)?[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a name, or /usr/bin/NAME'))
      .default([]),
    /**
     * Files and directories that those programs open by name, so that they are not among their libraries: below /etc
     * and /usr/share, and what they load, by its place below a directory of the loader (libibverbs/librxe-*.so, or
     * python3.* with its modules). `*` is part of a name.
     */
    carry: z
      .array(
        z
          .string()
          .regex(
            /^(\/etc\/|\/usr\/share\/)?[A-Za-z0-9][A-Za-z0-9._*-]*(\/[A-Za-z0-9][A-Za-z0-9._*-]*)*$/,
            '/etc/FILE, /usr/share/FILE, or DIR/FILE of a directory that the loader looks in',
          ),
      )
      .default([]),
    /** C programs of qemu/guest, built for the guest. */
    tools: z.array(word).default([]),
    /** Shell functions that the script uses: qemu/guest/NAME.sh, put in front of it. */
    shell: z.array(word).default([]),
    files: z.array(fioFile).default([]),
    /** Of tools/testing/selftests: a collection (phyr), or one program of it (mm:gup_phyrs). */
    selftests: z
      .array(
        z.string().regex(/^[a-z0-9_]+(\/[a-z0-9_]+)*(:[a-z0-9_]+)?$/, 'COLLECTION or COLLECTION:PROGRAM'),
      )
      .default([]),
    /** Whole numbers that the script has as shell variables, and that `phyr test --set NAME=N` changes. */
    variables: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'lower-case letters, digits and underscores'),
        variable,
      )
      .default({}),
    cmdline: z.array(argument).default([]),
    /** KUnit: glob of the suites to run, with an optional `.glob` of their tests (lib/kunit/executor.c). */
    filter: argument.optional(),
    /** Kernel options, without CONFIG_: a kernel that has none of them has nothing for this suite to run. */
    options: z.array(z.string().regex(/^[A-Z0-9_]+$/)).default([]),
    /** What the guest runs, sh; its output is the results. Empty: only the kernel runs. */
    script: z.string().default(''),
    /** Time from init to the guest's end on an idle machine without hardware virtualisation, without the variables'. */
    seconds: z.number().int().positive().max(3600),
  })
  .superRefine((suite, context) => {
    const wrong = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (suite.kind === 'kunit' && suite.filter === undefined) wrong('filter', 'a kunit suite needs a filter')
    if (suite.kind !== 'kunit' && suite.filter !== undefined)
      wrong('filter', 'only a kunit suite has a filter')
    if (suite.kind !== 'kunit' && suite.script.trim() === '')
      wrong('script', `a ${suite.kind} suite needs a script`)
    if (suite.kind === 'fio' && suite.files.length === 0) wrong('files', 'a fio suite needs job files')
    if (suite.kind === 'kselftest' && suite.selftests.length === 0)
      wrong('selftests', 'a kselftest suite needs targets')
    if (Object.keys(suite.variables).length > 0 && suite.script.trim() === '')
      wrong('variables', 'there is no script to use them')
    if (suite.kind !== 'kunit' && suite.archs.includes('i386'))
      wrong('archs', 'an i386 guest has no shell: only kunit runs there')
  })

type SuiteFile = z.infer<typeof schema>

/** A fio job file of a suite. */
export interface SuiteJob {
  /** Absolute path on the host; in the guest it is /phyr/fio/FILE. */
  readonly path: string
  readonly file: string
  readonly disk: string
  /** Names of the jobs in it: each must come back with a result. */
  readonly jobs: readonly string[]
  /** SHA-256 of the job file: a changed option is another suite, and no stored result is of it. */
  readonly sha256: string
}

/** What was asked of suites that have variables. */
export interface Settings {
  /** Which of each variable's values. */
  readonly length: 'short' | 'usual' | 'long'
  /** By name; goes before `length`. */
  readonly set: ReadonlyMap<string, number>
}

/** What runs in the guest: qemu/suites/NAME.yaml. */
export interface Suite extends Omit<
  Readonly<SuiteFile>,
  'files' | 'cmdline' | 'script' | 'shell' | 'variables'
> {
  /** Values of its variables, by name. */
  readonly variables: Readonly<Record<string, number>>
  /** Of them, those that are seconds by the guest's clock, added up: on no machine does it take less. */
  readonly clockSeconds: number
  readonly files: readonly SuiteJob[]
  /** With KUnit's own parameters: it is on for a kunit suite and off for every other. */
  readonly cmdline: readonly string[]
  /** Complete sh script for /phyr/run; empty when only the kernel runs. */
  readonly script: string
}

/** Where the suite files are. */
const suitesDir = join(toolRoot, 'qemu/suites')

/** Names of all suites, sorted. */
export function listSuites(dir: string = suitesDir): string[] {
  return readdirSync(dir)
    .filter((f) => f.endsWith('.yaml'))
    .map((f) => f.slice(0, -'.yaml'.length))
    .toSorted()
}

/**
 * Reads and checks one suite. Of `settings` it takes what it has.
 *
 * @throws UsageError for an unknown name, and for a fault in the file, as file:line:column.
 */
export function loadSuite(
  name: string,
  dir: string = suitesDir,
  fioDir: string = join(toolRoot, 'qemu/fio'),
  settings: Settings = { length: 'usual', set: new Map() },
): Suite {
  const path = join(dir, `${name}.yaml`)
  if (!staysInside(`${name}.yaml`) || name.includes('/') || !existsSync(path)) {
    throw new UsageError(`there is no suite "${name}"`, `known: ${listSuites(dir).join(', ')}`)
  }
  const file = parseSuite(readFileSync(path, 'utf8'), path)
  if (file.name !== name) throw new UsageError(`${path}:1:1: name: "${file.name}" is not the file's name`)
  const files = file.files.map((f) => {
    const job = join(fioDir, f.file)
    if (!existsSync(job)) throw new UsageError(`${path}:1:1: files: there is no ${job}`)
    const text = readFileSync(job, 'utf8')
    return { ...f, path: job, jobs: jobNames(text), sha256: sha256(text) }
  })
  const functions = file.shell.map((functionFile) => {
    const from = join(toolRoot, 'qemu/guest', `${functionFile}.sh`)
    if (!existsSync(from)) throw new UsageError(`${path}:1:1: shell: there is no ${from}`)
    return readFileSync(from, 'utf8')
  })
  const variables = valuesOf(file, settings)
  const sum = (of: (key: string, value: number) => number): number =>
    Object.entries(variables).reduce((total, [key, value]) => total + of(key, value), 0)
  const { shell: _, ...rest } = file
  return {
    ...rest,
    files,
    variables,
    seconds: file.seconds + sum((key, value) => value * (file.variables[key]?.seconds ?? 0)),
    clockSeconds: sum((key, value) => (file.variables[key]?.clock ? value : 0)),
    cmdline: [...kunitParameters(file.filter), ...file.cmdline],
    script: scriptOf(file, functions, variables),
  }
}

/** A suite as an input of a key: where its files lie does not matter, so that every clone of a project finds the result. */
export function suiteInput(suite: Suite): unknown {
  const files = suite.files.map((job) => {
    const { path: _, ...rest } = job
    return rest
  })
  return { ...suite, files }
}

function valuesOf(file: SuiteFile, { length, set }: Settings): Record<string, number> {
  return Object.fromEntries(
    Object.entries(file.variables).map(([name, one]) => [name, set.get(name) ?? one[length] ?? one.usual]),
  )
}

/** Checks a suite file's text; `path` is for the messages. */
export function parseSuite(text: string, path: string): SuiteFile {
  return parseDataFile(text, path, schema)
}

/**
 * KUnit's parameters in 7.3: `enable` (lib/kunit/test.c) switches all of it; `autorun` and `filter_glob`
 * (lib/kunit/executor.c) decide what built-in suites run before init. A filter is given always: without it every
 * built-in suite of the kernel would run.
 */
function kunitParameters(filter: string | undefined): string[] {
  if (filter === undefined) return ['kunit.enable=0']
  return ['kunit.enable=1', 'kunit.autorun=1', `kunit.filter_glob=${filter}`]
}

/** The script with its functions and the suite's lists as shell variables in front: only the yaml names them. */
function scriptOf(file: SuiteFile, functions: readonly string[], variables: Suite['variables']): string {
  if (file.script.trim() === '') return ''
  return [
    '#!/bin/sh',
    '. /phyr/lib.sh',
    `FIO_JOBS='${file.files.map((f) => `${f.file}:${f.disk}`).join(' ')}'`,
    `SELFTESTS='${file.selftests.join(' ')}'`,
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    ...functions,
    file.script,
  ].join('\n')
}

/** Section names of a fio job file, without `[global]`. */
function jobNames(text: string): string[] {
  return [...text.matchAll(/^\[([^\]\n]+)\]/gm)].map((m) => m[1] ?? '').filter((n) => n !== 'global')
}
