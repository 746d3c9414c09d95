// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bootId, withLock } from '../../../tools/lib/lock.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-lock-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('holders come one after another, and the file is gone at the end', async () => {
  const path = join(dir, 'a')
  const order: string[] = []
  const hold = (name: string): Promise<void> =>
    withLock(path, async () => {
      order.push(`${name} in`)
      await new Promise((r) => setTimeout(r, 30))
      order.push(`${name} out`)
    })
  await Promise.all([hold('one'), hold('two')])
  expect(order.map((s) => s.split(' ')[1])).toEqual(['in', 'out', 'in', 'out'])
  expect(readdirSync(dir)).toEqual([])
})

test('the lock of a dead process is taken over', async () => {
  const path = join(dir, 'a')
  writeFileSync(path, `999999999 1 ${bootId()}`)
  await expect(withLock(path, async () => 'mine', 1000)).resolves.toBe('mine')
  expect(readdirSync(dir)).toEqual([])
})

test('a pid that lives but started at another time is not the owner', async () => {
  const path = join(dir, 'a')
  writeFileSync(path, `${process.pid} 1 ${bootId()}`)
  await expect(withLock(path, async () => 'mine', 1000)).resolves.toBe('mine')
})

test('a live owner is waited for, and named when the wait is over', async () => {
  const path = join(dir, 'a')
  await withLock(path, async () => {
    const owner = readFileSync(path, 'utf8')
    await expect(withLock(path, async () => 'never', 300)).rejects.toThrow(owner.split(' ')[0])
    expect(readFileSync(path, 'utf8')).toBe(owner)
  })
})

test('the lock is released when the work throws', async () => {
  const path = join(dir, 'a')
  await expect(withLock(path, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom')
  expect(readdirSync(dir)).toEqual([])
})
