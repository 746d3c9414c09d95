// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path'
import { UsageError } from '../lib/errors.ts'
import { toolRoot } from '../lib/paths.ts'

/** phyr's own programs for the guest, by the name a suite lists them with; each is one C file. */
const SOURCES: Readonly<Record<string, string>> = {
  mapio: 'qemu/guest/mapio.c',
  mark: 'qemu/bench/mark.c',
  'dma-bench': 'qemu/bench/dma-bench.c',
  'gup-bench': 'qemu/bench/gup-bench.c',
  'rdma-mr': 'qemu/guest/rdma-mr.c',
  'rdma-reg': 'qemu/bench/rdma-reg.c',
  'rdma-rw': 'qemu/bench/rdma-rw.c',
  'uring-reg': 'qemu/bench/uring-reg.c',
}

/**
 * Static libraries that a tool is linked with beside the C library, in the linker's order and by its names (`ibverbs` is
 * libibverbs.a). rdma-mr: rdma-core's, with its drivers for devices that are software, and what it needs itself.
 */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  'rdma-mr': ['rdmacm', 'ibverbs', 'rxe-rdmav34', 'siw-rdmav34', 'ibverbs', 'nl-route-3', 'nl-3'],
}

/** Names that a suite may list under `tools`. */
export const toolNames: readonly string[] = Object.keys(SOURCES)

/** The static libraries that a guest tool needs beside the C library, as the linker names them. */
export function toolLibraries(name: string): readonly string[] {
  return Object.hasOwn(LIBRARIES, name) ? (LIBRARIES[name] ?? []) : []
}

/**
 * The C file of a guest tool.
 *
 * @throws UsageError for a name that is not one.
 */
export function toolSource(name: string): string {
  const source = Object.hasOwn(SOURCES, name) ? SOURCES[name] : undefined
  if (source !== undefined) return join(toolRoot, source)
  throw new UsageError(`there is no guest tool ${JSON.stringify(name)}`, `known: ${toolNames.join(', ')}`)
}
