// SPDX-License-Identifier: GPL-2.0-only
import type { Address } from './address.ts'

/** One header field. */
export interface Header {
  readonly name: string
  /** As it goes over the wire: encoded (RFC 2047) and folded ("\n " inside), ASCII only. Made by headers.ts. */
  readonly value: string
}

/** One mail of the thread, as it is written to a file. */
export interface Message {
  /** 0 is the cover letter; a series of one patch has no 0. */
  readonly number: number
  /** File name: "0000-cover-letter.patch", "0003-mm-gup-....patch". */
  readonly file: string
  /** Whole subject with its bracket, decoded and in one line. */
  readonly subject: string
  /** With its angle brackets. */
  readonly messageId: string
  /** Goes into the mbox separator: the patch's commit, zeros for the cover. */
  readonly commit: string
  /** The patch file of the series that it carries; none for the cover. */
  readonly patch?: string
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
  /** All of them, in order, with To and Cc. */
  readonly headers: readonly Header[]
  /** UTF-8 text, lines end in \n. */
  readonly body: string
}

/** A series as it would be mailed: the cover letter first, if there is one, then the patches in order. */
export interface Thread {
  readonly version: number
  readonly changeId: string
  /** What stands in the subjects' brackets beside PATCH, version and number: "RFC", "RESEND", "net-next". */
  readonly prefixes: readonly string[]
  readonly sender: Address
  readonly date: Date
  readonly messages: readonly Message[]
}

/** The bytes of a message's file: what git am, git send-email and b4 take. */
export function messageBytes(message: Message): Buffer {
  const headers = message.headers.map(({ name, value }) => `${name}: ${value}\n`).join('')
  // git's own magic date: it tells file(1) and git am that this is a patch and no mailbox of somebody's.
  return Buffer.from(`From ${message.commit} Mon Sep 17 00:00:00 2001\n${headers}\n${message.body}`)
}
