// SPDX-License-Identifier: GPL-2.0-only
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { canonical } from '../../../tools/lib/hash.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'
import { loadMachine } from '../../../tools/machine/machine.ts'
import { listSuites, loadSuite, suiteInput } from '../../../tools/suite/suite.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-elsewhere-'))
  cpSync(join(toolRoot, 'qemu'), dir, { recursive: true })
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('what a run is kept by does not name the clone, so another clone finds it', () => {
  const names = listSuites()
  expect(names).toContain('fio')
  for (const name of names) {
    const here = suiteInput(loadSuite(name))
    expect(suiteInput(loadSuite(name, join(dir, 'suites'), join(dir, 'fio'))), name).toEqual(here)
    expect(canonical(here)).not.toContain(toolRoot)
  }
  const machine = loadMachine('nvme')
  expect(loadMachine('nvme', join(dir, 'machines'))).toEqual(machine)
  expect(canonical(machine)).not.toContain(toolRoot)
})
