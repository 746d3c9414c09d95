// SPDX-License-Identifier: GPL-2.0-only

export interface MailParts {
  readonly from?: string
  readonly subject?: string
  /** More lines of the head. */
  readonly head?: string
  readonly body?: string
  readonly trailers?: string
  readonly diff?: string
}

export const BODY = 'The pins of the second page are lost. Put them back.'
export const DIFF =
  'diff --git a/mm/gup.c b/mm/gup.c\n--- a/mm/gup.c\n+++ b/mm/gup.c\n@@ -1 +1 @@\n-line 1\n+line one\n'

/** A patch mail against which no rule has anything, with parts of it replaced. */
export function mailOf(parts: MailParts = {}): string {
  const {
    from = 'Jörg Ä <j@example.com>',
    subject = '[PATCH] mm/gup: put back the pins of the second page',
    head = '',
    body = BODY,
    trailers = 'Assisted-by: LLM',
    diff = DIFF,
  } = parts
  const text = [body, trailers].filter((part) => part !== '').join('\n\n')
  return (
    'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n' +
    `From: ${from}\nDate: Thu, 1 Jan 2026 00:00:00 +0000\nSubject: ${subject}\n${head}\n` +
    `${text}\n---\n mm/gup.c | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\n${diff}`
  )
}
