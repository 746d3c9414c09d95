// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { ownVersion } from '../lib/paths.ts'
import type { RunOutput } from '../result/record.ts'

/** What a reader must know of the machine that phyr ran on; never its name. */
export function hostFacts(): NonNullable<RunOutput['host']> {
  const os = existsSync('/etc/os-release')
    ? /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
    : undefined
  const list = cpus()
  return {
    ...(os === undefined ? {} : { os }),
    kernel: release(),
    arch: process.arch,
    ...(list[0] === undefined ? {} : { cpu: list[0].model }),
    cpus: Math.max(1, list.length),
    memoryBytes: totalmem(),
  }
}

/** Versions of the tools that a result depends on. */
export function toolVersions(
  qemu: string | undefined,
  fio: string | undefined,
): NonNullable<RunOutput['versions']> {
  return {
    phyr: ownVersion(),
    node: process.versions.node,
    ...(qemu === undefined ? {} : { qemu }),
    ...(fio === undefined ? {} : { fio }),
  }
}
