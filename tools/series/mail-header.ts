// SPDX-License-Identifier: GPL-2.0-only

/** The header fields of a patch mail, unfolded, by lower-case name; the first of a name counts. */
export function headerFields(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  const end = text.indexOf('\n\n')
  const head = (end < 0 ? text : text.slice(0, end)).replace(/\r?\n[ \t]+/g, ' ')
  for (const line of head.split(/\r?\n/)) {
    const field = /^([!-9;-~]+):\s*(.*)$/.exec(line)
    if (!field) continue
    const name = (field[1] ?? '').toLowerCase()
    if (!fields.has(name)) fields.set(name, field[2] ?? '')
  }
  return fields
}

/** Decodes the encoded words of a header (RFC 2047); what cannot be decoded stays as it is. */
export function decodeHeader(raw: string): string {
  // Blanks between two encoded words belong to the folding, not to the text.
  const joined = raw.replace(/(\?=)\s+(?==\?)/g, '$1')
  return joined.replace(
    /=\?([^?\s]+)\?([bq])\?([^?\s]*)\?=/gi,
    (whole, charset: string, kind: string, data: string) => {
      const bytes = kind.toLowerCase() === 'b' ? Buffer.from(data, 'base64') : quotedBytes(data)
      try {
        return new TextDecoder(charset.toLowerCase()).decode(bytes)
      } catch {
        return whole
      }
    },
  )
}

function quotedBytes(data: string): Buffer {
  const text = data
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(text, 'latin1')
}
