// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findSplats } from '../../../tools/machine/splat.ts'

/** The lines as a kernel prints them with timestamps and callers. */
function stamped(text: string): string[] {
  return lines(text).map((line, i) => `[   12.${String(345600 + i)}][  T123] ${line}`)
}
function lines(text: string): string[] {
  return text.replace(/^\n/, '').replace(/\n$/, '').split('\n')
}

const trace = `Call Trace:
 <TASK>
 dump_stack_lvl+0x62/0x90
 do_one_initcall+0xbe/0x380
 </TASK>`

const reports: readonly (readonly [kind: string, title: string, text: string])[] = [
  [
    'warning',
    'WARNING: block/bio.c:1234 at bio_init+0x10/0x20, CPU#0: fio/73',
    `
------------[ cut here ]------------
WARNING: block/bio.c:1234 at bio_init+0x10/0x20, CPU#0: fio/73
Modules linked in:
CPU: 0 UID: 0 PID: 73 Comm: fio Not tainted 7.3.4 #1 PREEMPTLAZY
RIP: 0010:bio_init+0x10/0x20
${trace}
---[ end trace 0000000000000000 ]---`,
  ],
  [
    'warning',
    'WARNING: CPU: 0 PID: 1 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110',
    `
------------[ cut here ]------------
refcount_t text of its own
WARNING: CPU: 0 PID: 1 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110
${trace}
---[ end trace 0000000000000000 ]---`,
  ],
  [
    'warning',
    'refcount_t: underflow; use-after-free.',
    `
------------[ cut here ]------------
refcount_t: underflow; use-after-free.
WARNING: lib/refcount.c:28 at refcount_warn_saturate+0xbe/0x110, CPU#1: a/2
${trace}
---[ end trace 0000000000000000 ]---`,
  ],
  [
    'dma-api',
    'DMA-API: nvme 0000:00:02.0: device driver frees DMA memory with different size',
    `
------------[ cut here ]------------
DMA-API: nvme 0000:00:02.0: device driver frees DMA memory with different size
WARNING: kernel/dma/debug.c:999 at check_unmap+0x1/0x2, CPU#0: x/1
${trace}
---[ end trace 0000000000000000 ]---`,
  ],
  [
    'bug',
    'UBSAN: array-index-out-of-bounds in lib/phyr.c:12:3',
    `
------------[ cut here ]------------
UBSAN: array-index-out-of-bounds in lib/phyr.c:12:3
index 9 is out of range for type 'int [8]'
${trace}
---[ end trace ]---`,
  ],
  [
    'bug',
    'kernel BUG at mm/gup.c:77!',
    `
------------[ cut here ]------------
kernel BUG at mm/gup.c:77!
Oops: invalid opcode: 0000 [#1] SMP
RIP: 0010:gup+0x1/0x2
${trace}
---[ end trace 0000000000000000 ]---`,
  ],
  [
    'oops',
    'BUG: kernel NULL pointer dereference, address: 0000000000000008',
    `
BUG: kernel NULL pointer dereference, address: 0000000000000008
#PF: supervisor read access in kernel mode
Oops: Oops: 0000 [#1] SMP NOPTI
CPU: 0 UID: 0 PID: 1 Comm: init Not tainted
RIP: 0010:foo+0x1/0x2
${trace}
---[ end trace 0000000000000000 ]---`,
  ],
  [
    'oops',
    'Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP KASAN',
    `
Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP KASAN
KASAN: maybe wild-memory-access in range [0x1-0x2]
${trace}
---[ end trace 0000000000000000 ]---`,
  ],
  [
    'panic',
    'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)',
    `
Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)
CPU: 0 UID: 0 PID: 1 Comm: swapper/0
${trace}
---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0) ]---`,
  ],
  [
    'lockdep',
    'WARNING: possible circular locking dependency detected',
    `
======================================================
WARNING: possible circular locking dependency detected
7.3.4 #1 Not tainted
------------------------------------------------------
a/1 is trying to acquire lock:
ffff888 (&x){+.+.}-{3:3}, at: f+0x1/0x2

stack backtrace:
CPU: 0 UID: 0 PID: 1 Comm: a
${trace}`,
  ],
  [
    'lockdep',
    'WARNING: suspicious RCU usage',
    `
=============================
WARNING: suspicious RCU usage
7.3.4 #1 Not tainted
-----------------------------
lib/x.c:1 suspicious rcu_dereference_check() usage!
stack backtrace:
${trace}`,
  ],
  [
    'lockdep',
    '[ BUG: Invalid wait context ]',
    `
=============================
[ BUG: Invalid wait context ]
7.3.4 #1 Not tainted
-----------------------------
stack backtrace:
${trace}`,
  ],
  [
    'lockdep',
    'INFO: trying to register non-static key.',
    `
INFO: trying to register non-static key.
The code is fine but needs lockdep annotation, or maybe
${trace}`,
  ],
  [
    'hung-task',
    'INFO: task fio:73 blocked for more than 120 seconds.',
    `
INFO: task fio:73 blocked for more than 120 seconds.
      Not tainted 7.3.4 #1
"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.
task:fio state:D stack:0 pid:73
${trace}`,
  ],
  [
    'rcu-stall',
    'rcu: INFO: rcu_preempt self-detected stall on CPU',
    `
rcu: INFO: rcu_preempt self-detected stall on CPU
rcu: \t0-....: (20999 ticks this GP) idle=1/0 softirq=1/1
${trace}`,
  ],
  [
    'rcu-stall',
    'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
    `
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
${trace}`,
  ],
  [
    'soft-lockup',
    'watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [fio:73]',
    `
watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [fio:73]
${trace}`,
  ],
  [
    'bug',
    'BUG: sleeping function called from invalid context at mm/slab.h:1',
    `
BUG: sleeping function called from invalid context at mm/slab.h:1
in_atomic(): 1, irqs_disabled(): 0
${trace}`,
  ],
  [
    'bug',
    'BUG: Bad page state in process fio  pfn:12345',
    `
BUG: Bad page state in process fio  pfn:12345
page: refcount:0 mapcount:0
page dumped because: nonzero mapcount
${trace}`,
  ],
  [
    'bug',
    'BUG kmalloc-32 (Not tainted): Right Redzone overwritten',
    `
=============================================================================
BUG kmalloc-32 (Not tainted): Right Redzone overwritten
-----------------------------------------------------------------------------
0xffff8880-0xffff8881 @offset=1. First byte 0x0 instead of 0xcc
${trace}`,
  ],
  [
    'kmemleak',
    'kmemleak: 2 new suspected memory leaks (see /sys/kernel/debug/kmemleak)',
    `
kmemleak: 2 new suspected memory leaks (see /sys/kernel/debug/kmemleak)`,
  ],
]

const before = lines(`Linux version 7.3.4
DMA-API: preallocated 65536 debug entries
Run /init as init process`)
const after = lines(`nvme nvme0: 2/0/0 default/read/poll queues
phyr: end 00112233445566778899aabbccddeeff status=0`)

describe('a kernel report', () => {
  test.each(reports)('of kind %s is found whole: %s', (kind, title, text) => {
    expect(findSplats([...before, ...lines(text), ...after])).toEqual([{ kind, title, lines: lines(text) }])
  })

  test.each(reports)('of kind %s is found behind timestamps and callers: %s', (kind, title, text) => {
    const found = findSplats([...before, ...stamped(text), ...after])
    expect(found).toEqual([{ kind, title, lines: lines(text) }])
  })

  test('is found one after another, each on its own', () => {
    const log = reports.flatMap(([, , text]) => [...stamped(text), ...after])
    expect(findSplats(log).map(({ kind, title }) => [kind, title])).toEqual(
      reports.map(([kind, title]) => [kind, title]),
    )
  })

  test('is found without any other line between two', () => {
    const kasan = `
==================================================================
BUG: KASAN: use-after-free in f+0x1/0x2
Read of size 1
${trace}
==================================================================`
    const texts = reports.flatMap(([, , text]) => [kasan, text])
    const found = findSplats(texts.flatMap(lines))
    expect(found.map((splat) => splat.lines)).toEqual(texts.map(lines))
  })

  test('is found behind what a program left on the line', () => {
    const found = findSplats(['some output[    1.234567] BUG: Bad page state in process a  pfn:1'])
    expect(found[0]?.title).toBe('BUG: Bad page state in process a  pfn:1')
  })

  test('that the panic it leads to cuts off is there beside the panic', () => {
    const log = lines(`------------[ cut here ]------------
WARNING: a.c:1 at f+0x1/0x2, CPU#0: x/1
Kernel panic - not syncing: kernel: panic_on_warn set ...`)
    expect(findSplats(log).map(({ kind }) => kind)).toEqual(['warning', 'panic'])
  })

  test('of a 32-bit kernel ends where its trace ends', () => {
    const log = lines(`INFO: task a:1 blocked for more than 120 seconds.
Call Trace:
 schedule+0x1/0x2
 kthread+0x1/0x2
EIP: 0xb7f1
EAX: 00000000 EBX: 00000001
systemd[1]: hello`)
    expect(findSplats(log)[0]?.lines).toEqual(log.slice(0, -1))
  })

  test('has no blank lines at its end', () => {
    expect(findSplats(['BUG: Bad page state in process a', 'x', '', ''])[0]?.lines).toHaveLength(2)
  })

  test('never ends: 80 lines of it are enough', () => {
    const [splat] = findSplats([
      '------------[ cut here ]------------',
      ...Array.from({ length: 999 }, () => ' x'),
    ])
    expect(splat?.lines).toHaveLength(80)
  })

  test('in a loop does not fill the memory', () => {
    const log = Array.from({ length: 500 }, () => 'kmemleak: 1 new suspected memory leaks (see x)')
    expect(findSplats(log)).toHaveLength(50)
  })
})

test('a KASAN report of the lab is cut out from rule to rule', () => {
  const log = readFileSync(join(import.meta.dirname, 'logs/kasan.txt'), 'utf8').split('\n')
  const found = findSplats(log)
  expect(found).toHaveLength(1)
  expect(found[0]).toMatchObject({
    kind: 'kasan',
    title: 'BUG: KASAN: slab-out-of-bounds in oob_init+0x6f/0xff0 [oob]',
  })
  expect(found[0]?.lines[0]).toMatch(/^=+$/)
  expect(found[0]?.lines.at(-1)).toMatch(/^=+$/)
  expect(found[0]?.lines.length).toBeGreaterThan(60)
})

test.each([
  'Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible!',
  'WARNING: Unprivileged eBPF is enabled',
  'DMA-API: preallocated 65536 debug entries',
  'DMA-API: debugging enabled by kernel config',
  'kmemleak: Kernel memory leak detector initialized (mem pool available: 15680)',
  'kmemleak: Automatic memory scanning thread started',
  'rcu: Preemptible hierarchical RCU implementation.',
  'rcu: \tRCU calculated value of scheduler-enlistment delay is 25 jiffies.',
  'kasan: KernelAddressSanitizer initialized (generic)',
  'ACPI BIOS Warning (bug): 32/64X length mismatch',
  'clocksource: Watchdog remote CPU 1 read timed out',
  'watchdog: Delayed init of the lockup detector failed: -19',
  'NMI watchdog: Perf NMI watchdog permanently disabled',
  'Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar',
  'fio[73]: segfault at 8 ip 0000000000401000 sp 00007ffc error 4',
  'Kernel command line: console=ttyS0 panic=-1 oops=panic',
  '=============================================================================',
  'debug: BUG tracker initialised',
  'ok 3 WARNING: not a kernel report',
])('a harmless line is no report: %s', (line) => {
  expect(findSplats([line, `[    0.123456] ${line}`])).toEqual([])
})
