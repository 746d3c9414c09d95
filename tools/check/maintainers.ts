// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { git } from '../base/repo.ts'
import { run } from '../lib/exec.ts'
import { keyOf } from '../lib/hash.ts'
import type { CheckFinding } from './check-record.ts'
import type { Point, TouchedFile } from './point.ts'
import { withFiles } from './scratch-files.ts'
import { scriptEnv, skip, type Said } from './tool.ts'

/** Who gets patches of a file, by get_maintainer.pl. */
export interface Coverage {
  /** Addresses of maintainers, reviewers and lists, without linux-kernel's. */
  readonly people: readonly string[]
  /** Entries of MAINTAINERS that have the file, without THE REST. */
  readonly sections: readonly string[]
}

/**
 * Whether somebody beside linux-kernel gets the patch, and whether each new file has an entry in MAINTAINERS, at the
 * patch or, by a later one of the series, at its end. That a file which is there already has none is not the patch's
 * doing: a note.
 */
export async function maintainers(point: Point): Promise<Said> {
  if (!existsSync(join(point.treeDir, 'scripts/get_maintainer.pl')))
    return skip('maintainers', 'the tree has no scripts/get_maintainer.pl')
  const now = await maintainersFile(point, point.after)
  if (now === undefined) return skip('maintainers', 'the tree has no MAINTAINERS')
  const findings: CheckFinding[] = []
  let people = 0
  for (const file of point.touched) {
    // Everybody's file: its changes go with those of the files that the entry names.
    if (file.path === 'MAINTAINERS') continue
    const found = await coverage(point, now, file.path)
    if (found === undefined) return skip('maintainers', `get_maintainer.pl failed for ${file.path}`)
    people += found.people.length
    if (file.change !== 'deleted') findings.push(...(await judge(point, file, found)))
  }
  if (people === 0) findings.push(says('warning', 'nobody beside linux-kernel gets this patch'))
  return { findings }
}

function says(level: CheckFinding['level'], message: string, file?: string): CheckFinding {
  return { tool: 'maintainers', level, ...(file === undefined ? {} : { file }), message }
}

async function judge(point: Point, file: TouchedFile, found: Coverage): Promise<CheckFinding[]> {
  if (found.sections.length > 0 && found.people.length > 0) return []
  const who = found.sections.join(', ')
  const what =
    found.sections.length === 0
      ? 'no entry of MAINTAINERS has it'
      : `its entry (${who}) names nobody beside linux-kernel`
  if (file.change === 'modified') return [says('note', what, file.path)]
  const later = await maintainersFile(point, point.tip)
  const then = later === undefined ? undefined : await coverage(point, later, file.path)
  return then && then.sections.length > 0 && then.people.length > 0
    ? [says('note', 'a later patch of the series adds its entry to MAINTAINERS', file.path)]
    : [says('warning', `new, and ${what}`, file.path)]
}

/** Asked once for a file and a MAINTAINERS, however many patches touch the file. */
const asked = new Map<string, Promise<Coverage | undefined>>()

function coverage(point: Point, text: string, path: string): Promise<Coverage | undefined> {
  const key = keyOf({ text, path, dir: point.treeDir })
  const known = asked.get(key)
  if (known) return known
  const answer = ask(point, text, path)
  asked.set(key, answer)
  return answer
}

async function ask(point: Point, text: string, path: string): Promise<Coverage | undefined> {
  // As a patch, not with -f: it is asked for files that are gone, or not there yet.
  const stub = `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n`
  return withFiles([{ path: 'stub.patch', text: stub }], async (dir, [file = '']) => {
    const list = join(dir, 'MAINTAINERS')
    writeFileSync(list, text)
    const args = ['--nogit', '--nogit-fallback', '--nokeywords', '--roles', '--norolestats', '--subsystem']
    const mpath = `--maintainer-path=${list}`
    const result = await run('perl', ['scripts/get_maintainer.pl', ...args, mpath, join(dir, file)], {
      cwd: point.treeDir,
      env: scriptEnv(),
      timeoutMs: 120_000,
      ...(point.signal ? { signal: point.signal } : {}),
    })
    return result.code === 0 ? readCoverage(result.stdout) : undefined
  })
}

/** Lines with an address are people and lists, the others names of sections. */
export function readCoverage(output: string): Coverage {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const isPerson = (line: string): boolean => line.includes('@')
  return {
    people: lines.filter((line) => isPerson(line) && !/^linux-kernel@vger\.kernel\.org\b/.test(line)),
    sections: lines.filter((line) => !isPerson(line) && line !== 'THE REST'),
  }
}

async function maintainersFile(point: Point, commit: string): Promise<string | undefined> {
  const shown = await git(point.repo, ['cat-file', 'blob', `${commit}:MAINTAINERS`], { env: point.env })
  return shown.code === 0 ? shown.stdout : undefined
}
