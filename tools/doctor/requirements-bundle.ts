// SPDX-License-Identifier: GPL-2.0-only
import type { Requirement } from './requirements.ts'

/** What bundles of evidence need beside xz, which unpacks them, too. */
export const bundleRequirements: readonly Requirement[] = [
  {
    name: 'zstd',
    probe: { kind: 'program', program: 'zstd', args: ['--version'], pattern: /v(\d+(?:\.\d+)+)/ },
    minimum: undefined,
    purpose: 'verb bundle: pack and read .tar.zst',
    need: 'recommended',
    neededBy: ['bundle'],
    packages: { debian: 'zstd', fedora: 'zstd', arch: 'zstd', opensuse: 'zstd' },
  },
]
