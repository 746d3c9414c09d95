// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest'
import { readMail } from '../../../tools/check/mail.ts'
import { trailerRules } from '../../../tools/check/trailer-rules.ts'
import { BODY, mailOf } from './mails.ts'

function said(trailers: string, options = { stored: true, assistedForm: 'LLM' }, body = BODY): string[] {
  return trailerRules(readMail(mailOf({ trailers, body })), options).map(
    (finding) => `${finding.level} ${finding.message}`,
  )
}

/** A mail on its way out, of which nothing is asked that only stored patches have. */
const mailed = { stored: false, assistedForm: 'LLM' }
const WHO = 'A B <a@b.org>'

test('good trailers', () => {
  expect(said('Assisted-by: LLM')).toEqual([])
  expect(said('Assisted-by: LLM coccinelle sparse')).toEqual([])
  const all =
    `Fixes: 0123456789ab ("mm: x (y)")\nReported-by: ${WHO}\nCloses: https://example.com/1\nSuggested-by: ${WHO}\n` +
    `Co-developed-by: ${WHO}\nSigned-off-by: ${WHO}\nSigned-off-by: C <c@d.org>\nReviewed-by: c@d.org\n` +
    'Cc: stable@vger.kernel.org # 6.1+\nLink: https://example.com/2 # [1]'
  expect(said(all, mailed)).toEqual([])
})

test.each([
  ['', 'error no Assisted-by (Documentation/process/coding-assistants.rst asks for it in the trailers)'],
  ['Assisted-by: A <a@b.org>', 'error Assisted-by is not "LLM [TOOL1] [TOOL2]": "A <a@b.org>"'],
  ['Assisted-by: LLM git', 'warning Assisted-by lists git: basic tools are left out'],
  ['Assisted-by:', 'error Assisted-by without a value'],
])('Assisted-by: %j', (trailers, finding) => {
  expect(said(trailers)).toEqual([finding])
})

test('the form of Assisted-by is that of the tree: other bases ask for another one', () => {
  const other = { stored: true, assistedForm: 'AGENT_NAME:MODEL_VERSION' }
  expect(said('Assisted-by: LLM', other)).toHaveLength(1)
  expect(said('Assisted-by: agent:model-1 sparse', other)).toEqual([])
  expect(said('Assisted-by: anything', { stored: true, assistedForm: '' })).toEqual([])
})

test('a stored patch has no sign-off; a mail has', () => {
  const trailers = `Assisted-by: LLM\nSigned-off-by: ${WHO}`
  expect(said(trailers)).toEqual([
    'error Signed-off-by in a stored patch: only a human gives it, when the series is mailed',
  ])
  expect(said(trailers, mailed)).toEqual([])
})

test.each([
  ['Fixes: 0123456 ("mm: x")', 'error Fixes is not 12 or more'],
  ['Fixes: 0123456789AB ("mm: x")', 'error Fixes is not 12 or more'],
  ['Fixes: 0123456789ab mm: x', 'error Fixes is not 12 or more'],
  ['Fixes: commit 0123456789ab ("mm: x")', 'error Fixes is not 12 or more'],
  ['Change-Id: I0123', 'error Change-Id is of a tool of yours'],
  ['Reviewed-on: https://example.com', 'error Reviewed-on is of a tool of yours'],
  ['git-svn-id: x', 'error git-svn-id is of a tool of yours'],
  ['Link: example', 'error Link is no URL: "example"'],
  ['Reviewed-by: A B', 'error Reviewed-by is no address: "A B"'],
  ['Cc: A B <a@b.org', 'error Cc is no address'],
  ['Blessed-by: A <a@b.org>', 'warning Blessed-by is no trailer that is known'],
  ['reviewed-by: A <a@b.org>', 'warning reviewed-by is written Reviewed-by'],
  [`Reviewed-by: ${WHO}\nReviewed-by: ${WHO}`, 'warning Reviewed-by twice'],
  [`Cc: ${WHO}\nReviewed-by: ${WHO}`, 'warning Reviewed-by goes in front of Cc'],
  [`Reported-by: ${WHO}`, 'warning Reported-by is not followed by Closes'],
  [
    `Co-developed-by: ${WHO}\nSigned-off-by: C <c@d.org>`,
    "error Co-developed-by is not followed by that person's",
  ],
])('%j', (trailers, finding) => {
  const found = said(trailers, mailed)
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(finding)
})

test('trailers that are not at the end', () => {
  expect(said('Assisted-by: LLM', undefined, `${BODY}\n\nReviewed-by: ${WHO}\n\nMore text.`)).toEqual([
    'warning Reviewed-by is not among the trailers at the end',
  ])
  expect(said('Assisted-by: LLM', undefined, `Change-Id: I1\n\n${BODY}`)).toHaveLength(1)
})

test('a last paragraph of text is no trailer, and a trailer may go on', () => {
  expect(readMail(mailOf({ trailers: '', body: 'Note: this\nis text.' })).trailers).toEqual([])
  const mail = readMail(mailOf({ trailers: `Link: https://example.com/\n x\n[a: b]\nCc: ${WHO}` }))
  expect(mail.trailers.map((trailer) => trailer.name)).toEqual(['Link', 'Cc'])
})
