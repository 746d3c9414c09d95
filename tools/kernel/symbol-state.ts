// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { z } from 'zod'
import { writeAtomic } from '../lib/cache.ts'
import { LabError } from '../lib/errors.ts'
import { thinMembers } from './archive.ts'
import { symbolHashes } from './symbol-hash.ts'

/** Of each object of a kernel, by its path in the O= directory: its symbols (symbolHashes). */
export type ObjectSymbols = ReadonlyMap<string, ReadonlyMap<string, string>>

/** Changes whenever the same object would give other hashes: what was kept is then made anew. */
export const SYMBOLS_VERSION = 2
const STATE = '.phyr-symbols.json.gz'
const SNAPSHOT = 'symbols.json.gz'
/** What is linked into vmlinux; the second kind only as far as something needs it. */
const ARCHIVES = ['vmlinux.a', 'lib/lib.a', 'arch/x86/lib/lib.a']

const hashes = z.record(z.string(), z.string())
const stateSchema = z.strictObject({
  version: z.literal(SYMBOLS_VERSION),
  objects: z.record(z.string(), z.strictObject({ time: z.number(), bytes: z.number(), symbols: hashes })),
})
type State = z.infer<typeof stateSchema>
const snapshotSchema = z.strictObject({
  version: z.literal(SYMBOLS_VERSION),
  objects: z.record(z.string(), hashes),
})

/**
 * The symbols of every object that is linked into the vmlinux of an O= directory. What was found is kept in a file
 * there, so that after an incremental build only those objects are read whose time or size is another.
 *
 * Objects are what kbuild's lists (vmlinux.a and the libraries) name, not what lies about in the directory: that has
 * objects of options and patches that are no more, host programs, and parts of images (vDSO, real mode, setup) that
 * get into the kernel as data of another object and are seen there.
 *
 * @throws LabError when nothing is built there, or an object is damaged.
 */
export function updateSymbols(objectDir: string): ObjectSymbols {
  if (!existsSync(join(objectDir, ARCHIVES[0]!))) {
    throw new LabError({
      what: 'cannot list the objects of a kernel',
      why: `there is no ${join(objectDir, ARCHIVES[0]!)}`,
      fix: 'build the kernel first',
    })
  }
  const before = readChecked(join(objectDir, STATE), stateSchema)?.objects ?? {}
  const after: State['objects'] = {}
  let isSame = true
  for (const path of objectsOf(objectDir)) {
    const { mtimeMs: time, size: bytes } = statSync(join(objectDir, path))
    const kept = Object.hasOwn(before, path) ? before[path] : undefined
    if (kept?.time === time && kept.bytes === bytes) after[path] = kept
    else {
      isSame = false
      after[path] = { time, bytes, symbols: Object.fromEntries(symbolHashes(join(objectDir, path))) }
    }
  }
  if (!isSame || Object.keys(before).length !== Object.keys(after).length) {
    writeZipped(join(objectDir, STATE), { version: SYMBOLS_VERSION, objects: after } satisfies State)
  }
  return new Map(Object.entries(after).map(([path, { symbols }]) => [path, new Map(Object.entries(symbols))]))
}

/** Puts the symbols beside the kernel that they are of. */
export function writeSymbols(dir: string, symbols: ObjectSymbols): void {
  const objects = Object.fromEntries([...symbols].map(([path, map]) => [path, Object.fromEntries(map)]))
  writeZipped(join(dir, SNAPSHOT), { version: SYMBOLS_VERSION, objects } satisfies z.infer<
    typeof snapshotSchema
  >)
}

/** The symbols that were written with a kernel; undefined when they are not there, damaged, or of another version. */
export function readSymbols(kernel: { readonly dir: string }): ObjectSymbols | undefined {
  const found = readChecked(join(kernel.dir, SNAPSHOT), snapshotSchema)
  if (found === undefined) return undefined
  return new Map(Object.entries(found.objects).map(([path, map]) => [path, new Map(Object.entries(map))]))
}

function objectsOf(objectDir: string): readonly string[] {
  const paths = ARCHIVES.map((archive) => join(objectDir, archive))
    .filter((archive) => existsSync(archive))
    .flatMap((archive) => thinMembers(archive))
    .map((path) => relative(objectDir, path))
    // init/version-timestamp.o is linked apart. This one is made of all others: the list of exported symbols.
    .filter((path) => path.endsWith('.o') && path !== '.vmlinux.export.o')
  return [...new Set(paths)].sort()
}

function readChecked<T>(file: string, schema: z.ZodType<T>): T | undefined {
  let data: unknown
  try {
    data = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))
  } catch {
    return undefined
  }
  const parsed = schema.safeParse(data)
  return parsed.success ? parsed.data : undefined
}

function writeZipped(file: string, data: object): void {
  writeAtomic(file, gzipSync(JSON.stringify(data)))
}
