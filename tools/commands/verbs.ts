// SPDX-License-Identifier: GPL-2.0-only
import type { VerbEntry } from './define.ts'

/** Every verb, in the order that --help lists them. A verb's code is loaded when it is asked for. */
export const verbs: readonly VerbEntry[] = [
  {
    command: 'run',
    describe: 'the whole job: base, apply, build, boot every machine, all suites, report',
    load: async () => (await import('./run.ts')).default,
  },
  {
    command: 'doctor',
    describe: 'what this machine has and lacks; --install gets it; the accelerator, tried with a guest',
    load: async () => (await import('./doctor.ts')).default,
  },
  {
    command: 'base',
    describe: 'get the base: a package, a checkout or an archive becomes a repository, once',
    load: async () => (await import('./base.ts')).default,
  },
  {
    command: 'apply',
    describe: 'apply the series to its base: one commit a patch, the same input the same hashes',
    load: async () => (await import('./apply.ts')).default,
  },
  {
    command: 'build',
    describe: 'build the kernel and the selftests',
    load: async () => (await import('./build.ts')).default,
  },
  {
    command: 'boot [machine]',
    describe: 'boot the kernel: to init and out again, or with --shell to look around',
    load: async () => (await import('./boot.ts')).default,
  },
  {
    command: 'test <suite..>',
    describe: 'run chosen suites (kunit, kselftest, gup, dma, rdma, fio, p2p) on chosen machines',
    load: async () => (await import('./test.ts')).default,
  },
  {
    command: 'prove [patch..]',
    describe: 'prove every patch: it applies, builds without new warnings, boots, passes its suites',
    load: async () => (await import('./prove.ts')).default,
  },
  {
    command: 'edit <dir>',
    describe: 'open the series as git commits in a new work tree of yours',
    load: async () => (await import('./edit.ts')).default,
  },
  {
    command: 'refresh <dir>',
    describe: "write an edit tree's commits back as patches; what did not change keeps its bytes",
    load: async () => (await import('./refresh.ts')).default,
  },
  {
    command: 'check [patch..]',
    describe: 'checkpatch, kernel-doc, spelling, coccinelle, recipients and message of every patch',
    load: async () => (await import('./check.ts')).default,
  },
  {
    command: 'bench [case..]',
    describe: 'compare two points of the series by instructions and by time',
    load: async () => (await import('./bench.ts')).default,
  },
  {
    command: 'mail',
    describe: 'make the mails of the series: cover letter, thread, recipients',
    load: async () => (await import('./mail.ts')).default,
  },
  {
    command: 'report [record]',
    describe: 'write the HTML page of the last run, or of a record file',
    load: async () => (await import('./report.ts')).default,
  },
  {
    command: 'split',
    describe: 'which patches can go in alone, through which tree, and in which groups and order',
    load: async () => (await import('./split.ts')).default,
  },
  {
    command: 'bundle [action] [file]',
    describe: 'pack the evidence of the series with its hashes, or verify such a bundle',
    load: async () => (await import('./bundle.ts')).default,
  },
  {
    command: 'gc',
    describe: 'trim the cache; results and records are kept',
    load: async () => (await import('./gc.ts')).default,
  },
]
