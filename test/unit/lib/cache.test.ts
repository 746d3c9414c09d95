// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { artefact, cachedArtefact, diskError } from '../../../tools/lib/cache.ts'
import { LabError } from '../../../tools/lib/errors.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'phyr-cache-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const make = async (dir: string): Promise<{ n: number }> => {
  writeFileSync(join(dir, 'data'), 'whole')
  return { n: 7 }
}

test('the second call does no work and returns the same manifest', async () => {
  const first = await artefact('kernel', { a: 1, b: 'x' }, make, root)
  const second = await artefact(
    'kernel',
    { b: 'x', a: 1 },
    () => Promise.reject(new Error('made again')),
    root,
  )
  expect(first.cached).toBe(false)
  expect(second).toMatchObject({ cached: true, key: first.key, manifest: { n: 7 } })
  expect(readFileSync(join(second.dir, 'data'), 'utf8')).toBe('whole')
})

test('different inputs or stages never share an artefact', async () => {
  const one = await artefact('kernel', { a: 1 }, make, root)
  const two = await artefact('kernel', { a: 2 }, make, root)
  const three = await artefact('guest', { a: 1 }, make, root)
  expect(new Set([one.key, two.key, three.key]).size).toBe(3)
})

test('a failed make leaves nothing, and its error comes through', async () => {
  const fail = async (dir: string): Promise<never> => {
    writeFileSync(join(dir, 'data'), 'half')
    throw new Error('no luck')
  }
  await expect(artefact('kernel', { a: 1 }, fail, root)).rejects.toThrow('no luck')
  expect(readdirSync(join(root, 'kernel'))).toEqual([])
  expect(cachedArtefact('kernel', { a: 1 }, root)).toBeUndefined()
})

test('a damaged manifest is made again, not trusted', async () => {
  const first = await artefact('kernel', { a: 1 }, make, root)
  writeFileSync(join(first.dir, 'manifest.json'), '{"key": "')
  const again = await artefact('kernel', { a: 1 }, make, root)
  expect(again.cached).toBe(false)
})

test('a full disk is a lab error that says where the cache is', async () => {
  const full = Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' })
  const attempt = artefact('kernel', { a: 1 }, () => Promise.reject(full), root)
  await expect(attempt).rejects.toBeInstanceOf(LabError)
  await expect(attempt).rejects.toThrow('the disk is full')
  expect(diskError(new Error('other'))).toBeUndefined()
})

/** A process of its own that makes the artefact: it writes half, says "half", waits, and writes the rest. */
function maker(waitMs: number): ReturnType<typeof spawn> {
  const script = `
    import { appendFileSync, writeFileSync } from 'node:fs'
    import { artefact } from ${JSON.stringify(join(toolRoot, 'tools/lib/cache.ts'))}
    const got = await artefact('kernel', { a: 1 }, async (dir) => {
      appendFileSync(${JSON.stringify(join(root, 'makes'))}, 'm')
      writeFileSync(dir + '/data', 'half')
      console.log('half')
      await new Promise((r) => setTimeout(r, ${waitMs}))
      writeFileSync(dir + '/data', 'whole')
      return { n: 7 }
    }, ${JSON.stringify(root)})
    console.log(got.cached ? 'found' : 'made')`
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: toolRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function outputOf(child: ReturnType<typeof spawn>): Promise<string> {
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(child, 'close')
  return text
}

test('kill -9 in mid-stage: nothing half done is seen, and the next one goes on', async () => {
  const victim = maker(60_000)
  await once(victim.stdout!, 'data')
  victim.kill('SIGKILL')
  await once(victim, 'close')
  expect(cachedArtefact('kernel', { a: 1 }, root)).toBeUndefined()
  const next = await artefact('kernel', { a: 1 }, make, root)
  expect(next.cached).toBe(false)
  expect(readFileSync(join(next.dir, 'data'), 'utf8')).toBe('whole')
  expect(readdirSync(join(root, 'kernel'))).toEqual([next.key])
})

test('two runs at once: one makes it, the other waits and finds it', async () => {
  const one = maker(700)
  const two = maker(700)
  const said = await Promise.all([outputOf(one), outputOf(two)])
  expect(said.map((s) => s.trim().split('\n').at(-1)).toSorted()).toEqual(['found', 'made'])
  expect(readFileSync(join(root, 'makes'), 'utf8')).toBe('m')
  expect(existsSync(join(root, 'locks'))).toBe(true)
  expect(readdirSync(join(root, 'locks'))).toEqual([])
})
