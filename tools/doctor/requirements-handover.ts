// SPDX-License-Identifier: GPL-2.0-only
import type { Requirement } from './requirements.ts'

/** What bundles of evidence and sending need, and nothing else does. */
export const handoverRequirements: readonly Requirement[] = [
  {
    name: 'zstd',
    probe: { kind: 'program', program: 'zstd', args: ['--version'], pattern: /v(\d+(?:\.\d+)+)/ },
    minimum: undefined,
    purpose: 'verb bundle: pack and read .tar.zst',
    need: 'recommended',
    neededBy: ['bundle'],
    packages: { debian: 'zstd', fedora: 'zstd', arch: 'zstd', opensuse: 'zstd' },
  },
  {
    name: 'git send-email',
    // The program is not on $PATH: git runs it.
    probe: { kind: 'file', file: '/usr/lib/git-core/git-send-email' },
    minimum: undefined,
    purpose: 'verb mail --send: what sends the mails',
    need: 'recommended',
    neededBy: ['mail --send'],
    packages: { debian: 'git-email', fedora: 'git-email', arch: 'git', opensuse: 'git-email' },
  },
]
