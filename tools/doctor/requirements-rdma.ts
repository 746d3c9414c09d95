// SPDX-License-Identifier: GPL-2.0-only
import type { Probe, Requirement } from './requirements.ts'

/** What the suites of RDMA need, and no other: programs for the guest, and what phyr's own is built from. */
export const rdmaRequirements: readonly Requirement[] = [
  of(
    'rdma',
    { kind: 'program', program: 'rdma', args: ['-V'], pattern: /iproute2-(\d+(?:\.\d+)+)/ },
    'make RDMA devices of network devices in the guest (and ip)',
    { debian: 'iproute2', fedora: 'iproute', arch: 'iproute2', opensuse: 'iproute2' },
    ['rdma', 'pyverbs'],
  ),
  of(
    'rxe and siw for user space',
    { kind: 'file', file: '/etc/libibverbs.d/rxe.driver' },
    'what programs load to use those devices',
    { debian: 'ibverbs-providers', fedora: 'libibverbs', arch: 'rdma-core', opensuse: 'rdma-core' },
    ['rdma', 'pyverbs'],
  ),
  of(
    'ibv_rc_pingpong',
    { kind: 'command', program: 'ibv_rc_pingpong' },
    'messages, with their data checked',
    {
      debian: 'ibverbs-utils',
      fedora: 'libibverbs-utils',
      arch: 'rdma-core',
      opensuse: 'libibverbs-utils',
    },
  ),
  of('rping', { kind: 'command', program: 'rping' }, 'reads and writes, with their data checked', {
    debian: 'rdmacm-utils',
    fedora: 'librdmacm-utils',
    arch: 'rdma-core',
    opensuse: 'librdmacm-utils',
  }),
  of(
    'ib_write_bw',
    { kind: 'program', program: 'ib_write_bw', args: ['--version'], pattern: /Version: (\d+\.\d+)/ },
    'RDMA under load (perftest)',
    { debian: 'perftest', fedora: 'perftest', arch: 'perftest', opensuse: 'perftest' },
  ),
  of(
    'libibverbs.a',
    { kind: 'archive', archive: 'libibverbs.a' },
    'build rdma-mr, which tests memory regions',
    {
      debian: 'libibverbs-dev',
      fedora: 'rdma-core-devel',
      arch: 'rdma-core',
      opensuse: 'rdma-core-devel',
    },
  ),
  of(
    'librdmacm.a',
    { kind: 'archive', archive: 'librdmacm.a' },
    'build rdma-mr, which tests memory regions',
    {
      debian: 'librdmacm-dev',
      fedora: 'rdma-core-devel',
      arch: 'rdma-core',
      opensuse: 'rdma-core-devel',
    },
  ),
  of(
    'tests of rdma-core',
    { kind: 'file', file: '/usr/share/doc/rdma-core/tests/test_mr.py.gz' },
    'rdma-core’s own tests, in Python, with pyverbs',
    {
      debian: 'python3-pyverbs',
      fedora: 'python3-pyverbs',
      arch: 'rdma-core',
      opensuse: 'python3-pyverbs',
    },
    ['pyverbs'],
  ),
]

function of(
  name: string,
  probe: Probe,
  purpose: string,
  packages: Requirement['packages'],
  neededBy: readonly string[] = ['rdma'],
): Requirement {
  return {
    name,
    probe,
    minimum: undefined,
    purpose: `suite ${neededBy[0]}: ${purpose}`,
    need: 'recommended',
    neededBy,
    packages,
  }
}
