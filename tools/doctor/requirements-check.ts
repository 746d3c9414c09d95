// SPDX-License-Identifier: GPL-2.0-only
import type { Requirement } from './requirements.ts'

/** What `phyr check` runs beside the tree's own scripts; where one of them is missing it skips a check, and says so. */
export const checkRequirements: readonly Requirement[] = [
  {
    name: 'codespell',
    probe: { kind: 'program', program: 'codespell', args: ['--version'], pattern: /(\d+(?:\.\d+)+)/ },
    minimum: '2.0',
    purpose: 'check: misspelt words',
    need: 'recommended',
    neededBy: ['check'],
    packages: { debian: 'codespell', fedora: 'codespell', arch: 'codespell', opensuse: 'codespell' },
  },
  {
    name: 'spatch',
    probe: { kind: 'program', program: 'spatch', args: ['--version'], pattern: /version (\d+(?:\.\d+)+)/ },
    minimum: '1.0.0',
    purpose: 'check: rules of scripts/coccinelle',
    need: 'recommended',
    neededBy: ['check'],
    packages: { debian: 'coccinelle', fedora: 'coccinelle', arch: 'coccinelle', opensuse: 'coccinelle' },
  },
]
