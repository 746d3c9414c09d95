// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod'

const cost = z.strictObject({
  kernel: z.number().min(0),
  user: z.number().min(0),
  functions: z.record(z.string(), z.number()),
})

/** What one boot of one kernel measured, as the cache keeps it. */
export const measurementSchema = z.strictObject({
  /** Instructions of one operation by the case's name; a string says why there is none. */
  costs: z.record(z.string(), z.union([cost, z.string()])),
  /** Nanoseconds of one operation by the case's name; a string says why there is none. */
  times: z.record(z.string(), z.union([z.number().min(0), z.string()])),
  /** Other numbers that a case reported: "CASE NAME". */
  counts: z.record(z.string(), z.number()),
  /** Bytes of slab at the end. */
  slab: z.number().min(0).optional(),
  fio: z.string().optional(),
  /** Seconds of the host from QEMU's start to its end. */
  seconds: z.number().min(0),
  notes: z.array(z.string()),
})
export type Measurement = z.infer<typeof measurementSchema>
