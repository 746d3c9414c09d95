// SPDX-License-Identifier: GPL-2.0-only
import type { CommandModule } from 'yargs'
import apply from './apply.ts'
import base from './base.ts'
import boot from './boot.ts'
import build from './build.ts'
import doctor from './doctor.ts'
import edit from './edit.ts'
import gc from './gc.ts'
import refresh from './refresh.ts'
import report from './report.ts'
import run from './run.ts'
import test from './test.ts'

/** Every verb, in the order that --help lists them. */
export const verbs: readonly CommandModule[] = [
  run,
  doctor,
  base,
  apply,
  build,
  boot,
  test,
  edit,
  refresh,
  report,
  gc,
]
