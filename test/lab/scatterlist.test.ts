// SPDX-License-Identifier: GPL-2.0-only
// lib/scatterlist.c under ASan and UBSan in user space: the kernel's own harness in tools/testing/scatterlist, in
// seconds and without a guest. It is here and not among the unit tests because it needs the tree with the series.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gitOk } from '../../tools/base/repo.ts'
import { run, runOk, type RunResult } from '../../tools/lib/exec.ts'
import { findProject } from '../../tools/lib/project.ts'
import { toolRoot } from '../../tools/lib/paths.ts'
import { getApplied } from '../../tools/run/sources.ts'

const code = 'lib/scatterlist.c'
const harness = 'tools/testing/scatterlist'
/** All of the tree that the harness is made of. */
const sources = ['include/linux/phyr.h', 'include/linux/scatterlist.h', code, 'tools/include', harness]
const timeoutMs = 120_000

let work = ''
let tree = ''
let unbuilt: string[] = []
let built: RunResult

beforeAll(async () => {
  const applied = await getApplied(findProject(toolRoot), {}, new AbortController().signal)
  work = mkdtempSync(join(tmpdir(), 'phyr-scatterlist-'))
  tree = join(work, 'tree')
  const archive = join(work, 'tree.tar')
  await gitOk(applied.base.repo, ['archive', '--prefix=tree/', '-o', archive, applied.commit, ...sources])
  await runOk('tar', ['-xf', archive, '-C', work])
  unbuilt = filesOf(tree)
  built = await run('make', ['-j2', '-C', join(tree, harness)], { timeoutMs })
})

afterAll(() => rmSync(work, { recursive: true, force: true }))

test('it builds without a warning, and make clean leaves nothing', async () => {
  expect(built).toMatchObject({ code: 0, stderr: '' })
  expect(filesOf(tree)).not.toEqual(unbuilt)

  const dir = copyTo('clean')
  await runOk('make', ['-C', join(dir, harness), 'clean'])
  expect(filesOf(dir)).toEqual(unbuilt)
})

test('the known cases and 2 000 random ones hold', async () => {
  const done = await run('make', ['-C', join(tree, harness), 'run_tests'], { timeoutMs })
  expect(done.code, done.stderr).toBe(0)
  expect(done.stderr).toBe('')
  expect(done.stdout).toMatch(/^\.\/main\n/m)
  expect(done.stdout).toMatch(/^\.\/phyr: ok, 2000 rounds from seed 1$/m)
  expect(done.stdout).toMatch(/^\.\/phyr-no-chain: ok, 2000 rounds from seed 1$/m)
})

interface Bug {
  readonly what: string
  readonly from: string
  readonly to: string
  /** What the harness says of it. */
  readonly says: RegExp
}

const bugs: readonly Bug[] = [
  {
    what: 'a range is not cut at max_segment',
    from: 'sg_phyr_take(it, seg, max_segment - phyr_offset(seg));',
    to: 'sg_phyr_take(it, seg, SIZE_MAX);',
    says: /^max_segment of a page and a byte, max_segment 0x1001,/m,
  },
  {
    what: 'a length has 32 bits',
    from: 'it->rest = *it->phyrs++;',
    to: 'it->rest = PHYR(it->phyrs->addr, (u32)it->phyrs->len); it->phyrs++;',
    says: /^longer than 4 GiB,/m,
  },
  {
    what: 'the end of the list is not marked',
    from: 'if (!left)\n\t\tsg_mark_end(s);',
    to: '',
    says: /failed on 'sg_is_last\(sg\) == /,
  },
  {
    what: 'the last entry has grown when an allocation fails',
    from: 'err = sg_append_reserve(',
    to: 'if (s)\n\t\ts->length = prv_len;\n\terr = sg_append_reserve(',
    says: /failed on '!memcmp\(s, &now, /,
  },
]

test.each(bugs)('it notices that $what', async ({ what, from, to, says }) => {
  const dir = copyTo(what)
  const source = readFileSync(join(dir, code), 'utf8')
  expect(source.split(from), `${code} has this once: ${from}`).toHaveLength(2)
  writeFileSync(
    join(dir, code),
    source.replace(from, () => to),
  )
  await runOk('make', ['-C', join(dir, harness), 'phyr'], { timeoutMs })

  const phyr = join(dir, harness, 'phyr')
  const found = await run(phyr, [], { timeoutMs })
  expect(found.code).toBe(1)
  expect(found.stderr).toMatch(says)

  // A random case is one that can be had again.
  const seed = /^Repeat it with: phyr (\d+) 1$/m.exec(found.stderr)?.[1]
  expect(seed === undefined).toBe(!/^random ranges,/m.test(found.stderr))
  if (seed === undefined) return
  const again = await run(phyr, [seed, '1'], { timeoutMs })
  expect(again).toMatchObject({ code: 1, stderr: found.stderr })
})

/** A copy of the built tree, of which make builds again what is changed. */
function copyTo(name: string): string {
  const dir = join(work, name)
  cpSync(tree, dir, { recursive: true, preserveTimestamps: true })
  return dir
}

function filesOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true }).map(String).toSorted()
}
