// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../lib/exec.ts'
import { log } from '../lib/log.ts'
import { which } from '../lib/which.ts'
import { asLayout, type Layout, type LeftOut, noLayout } from './layout.ts'
import { structsOf } from './layout-btf.ts'
import { optionsOf } from './layout-command.ts'

/** Whose structures are looked at, with all that they include. In <> from include/, else from the top of the tree. */
export const PROBED: readonly string[] = [
  ...`
    linux/types.h linux/phyr.h linux/mm_types.h linux/mm.h linux/folio_queue.h linux/memremap.h linux/bvec.h
    linux/blk_types.h linux/bio.h linux/bio-integrity.h linux/blk-integrity.h linux/t10-pi.h linux/blkdev.h
    linux/blk-mq.h linux/blk-mq-dma.h linux/uio.h linux/scatterlist.h linux/iosys-map.h linux/dma-mapping.h
    linux/dma-map-ops.h linux/dmaengine.h linux/dma-buf.h linux/dma-buf-mapping.h linux/iova.h linux/iommu.h
    linux/pci-p2pdma.h linux/io_uring_types.h linux/skbuff.h linux/netfs.h linux/sunrpc/xdr.h
    linux/vfio_pci_core.h rdma/ib_verbs.h rdma/ib_umem.h rdma/rw.h scsi/scsi_cmnd.h
  `
    .trim()
    .split(/\s+/)
    .map((header) => `include/${header}`),
  'io_uring/rsrc.h',
  'drivers/nvme/host/nvme.h',
  'drivers/infiniband/sw/rxe/rxe.h',
  'drivers/iommu/iommufd/io_pagetable.h',
]

/** Objects whose command line is taken, the first that this configuration has. */
const MODELS = ['block/.bio.o.cmd', 'init/.main.o.cmd']
const GCC_MS = 120_000

/**
 * How a kernel that was just built lays its structures out. Its own debug information is reduced and does not say:
 * a file that includes the headers is compiled with the options of a real object of it, with full debug
 * information, and pahole reads it. A header that is not there or does not compile is left out; nothing that the
 * tree or pahole do ends the build.
 *
 * @param options.object the O= directory, held by the caller; nothing is written there.
 * @param options.scratch a directory that may be made, and is removed again.
 * @throws LabError when `signal` was aborted or the disk is full.
 */
export async function probeLayout(options: {
  readonly source: string
  readonly object: string
  readonly scratch: string
  readonly bits: 32 | 64
  /** Default: PROBED. */
  readonly headers?: readonly string[]
  readonly signal?: AbortSignal | undefined
}): Promise<Layout> {
  const { source, object, scratch } = options
  if (!canProbe()) return noLayout('pahole is not installed')
  const model = MODELS.find((file) => existsSync(join(object, file)))
  if (model === undefined) return noLayout(`the build left none of ${MODELS.join(', ')}`)
  const command = optionsOf(readFileSync(join(object, model), 'utf8'))
  if ('why' in command) return noLayout(`${model}: ${command.why}`)
  const headers = options.headers ?? PROBED
  mkdirSync(scratch, { recursive: true })
  try {
    const runOptions = {
      cwd: object,
      timeoutMs: GCC_MS,
      ...(options.signal ? { signal: options.signal } : {}),
    }
    const probe: Probe = { source, scratch, options: command.options, runOptions }
    const compiled = await compile(probe, headers)
    if ('why' in compiled) return noLayout(compiled.why)
    for (const { header, why } of compiled.leftOut) log.detail(`layout  ${header} left out: ${why}`)
    const btf = join(scratch, 'probe.btf')
    const args = [`--btf_encode_detached=${btf}`, join(scratch, 'probe.o')]
    const pahole = await run('pahole', args, runOptions)
    if (pahole.code !== 0 || !existsSync(btf)) {
      return noLayout(`pahole: ${lastLine(pahole.stderr) ?? `it ended with ${pahole.code}`}`)
    }
    return asLayout(readBtf(btf, options.bits === 32 ? 4 : 8), compiled.leftOut)
  } catch (error) {
    if (error instanceof BadBtf) return noLayout(error.message)
    throw error
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Whether this machine has what the layouts are read with. */
export function canProbe(): boolean {
  return which('pahole') !== undefined
}

interface Probe {
  readonly source: string
  readonly scratch: string
  readonly options: readonly string[]
  readonly runOptions: { cwd: string; timeoutMs: number; signal?: AbortSignal }
}

/** Compiles all headers in one file. Those that gcc complains about are left out, and the rest is tried again. */
async function compile(
  probe: Probe,
  headers: readonly string[],
): Promise<{ leftOut: LeftOut[] } | { why: string }> {
  const leftOut: LeftOut[] = headers
    .filter((header) => !existsSync(join(probe.source, header)))
    .map((header) => ({ header, kind: 'absent', why: 'this tree has no such file' }))
  let left = headers.filter((header) => !leftOut.some((l) => l.header === header))
  const file = join(probe.scratch, 'probe.c')
  while (left.length > 0) {
    writeFileSync(file, left.map((header) => `${includeLine(header)}\n`).join(''))
    const gcc = await run('gcc', gccArgs(probe, file), probe.runOptions)
    if (gcc.code === 0) return { leftOut }
    const broken = blamedLines(gcc.stderr, file)
    if (broken.size === 0) return { why: `gcc: ${lastLine(gcc.stderr) ?? `it ended with ${gcc.code}`}` }
    for (const [line, why] of broken) {
      const header = left[line - 1]
      if (header !== undefined)
        leftOut.push({ header, kind: 'broken', why: why.replaceAll(`${probe.source}/`, '') })
    }
    const kept = left.filter((_, index) => !broken.has(index + 1))
    if (kept.length === left.length) return { why: 'gcc complains about no header' }
    left = kept
  }
  return { why: 'no header compiles' }
}

function gccArgs(probe: Probe, file: string): readonly string[] {
  const debug = ['-g', '-gdwarf-5', '-fno-eliminate-unused-debug-types']
  const output = ['-c', '-o', join(probe.scratch, 'probe.o'), file]
  return [...probe.options, '-iquote', probe.source, '-w', ...debug, ...output]
}

function includeLine(header: string): string {
  return header.startsWith('include/') ? `#include <${header.slice(8)}>` : `#include "${header}"`
}

/**
 * The lines of the probe whose headers gcc's errors are in, each with its first error. gcc tells the chain of
 * includes only where it differs from the message before.
 */
export function blamedLines(stderr: string, file: string): ReadonlyMap<number, string> {
  const blamed = new Map<number, string>()
  let line: number | undefined
  for (const text of stderr.split('\n')) {
    const at = text.indexOf(`${file}:`)
    const number = at === -1 ? undefined : /^\d+/.exec(text.slice(at + file.length + 1))?.[0]
    if (number !== undefined) line = Number(number)
    const [, message] = / ((?:fatal )?error: .*)$/.exec(text) ?? []
    if (message !== undefined && line !== undefined && !blamed.has(line)) {
      blamed.set(line, number === undefined ? text : message)
    }
  }
  return blamed
}

class BadBtf extends Error {}

function readBtf(file: string, pointerBytes: 4 | 8): ReturnType<typeof structsOf> {
  const btf = readFileSync(file)
  try {
    return structsOf(btf, pointerBytes)
  } catch (error) {
    throw new BadBtf(`pahole's output: ${(error as Error).message}`)
  }
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1) || undefined
}
