// SPDX-License-Identifier: GPL-2.0-only
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          // Unit tests never see the user's cache, and never the machine's display of colours.
          env: { NO_COLOR: '1' },
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          globalSetup: ['test/lab/setup.ts'],
          // One guest or build at a time: the machine has two cores and the timings are deadlines.
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 2_400_000,
          env: { NO_COLOR: '1' },
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
