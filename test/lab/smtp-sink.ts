// SPDX-License-Identifier: GPL-2.0-only
import { createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'

/** One mail as it came over the wire. */
export interface Received {
  readonly from: string
  readonly to: readonly string[]
  /** Bytes between DATA and the lone dot, with dots un-stuffed and line ends as LF. */
  readonly data: string
}

/** A mail server on 127.0.0.1 that takes everything and passes nothing on (RFC 5321, as far as git send-email goes). */
export class SmtpSink {
  readonly received: Received[] = []
  readonly #server: Server
  readonly #refuseAfter: number

  private constructor(refuseAfter: number) {
    this.#refuseAfter = refuseAfter
    this.#server = createServer((socket) => this.#talk(socket))
  }

  /** @param refuseAfter mails that are taken; those behind are refused. */
  static async start(refuseAfter = Infinity): Promise<SmtpSink> {
    const sink = new SmtpSink(refuseAfter)
    sink.#server.listen(0, '127.0.0.1')
    await once(sink.#server, 'listening')
    return sink
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  async stop(): Promise<void> {
    this.#server.close()
    await once(this.#server, 'close')
  }

  #talk(socket: Socket): void {
    let text = ''
    let mail: { from: string; to: string[] } = { from: '', to: [] }
    let data: string | undefined
    const say = (line: string): void => void socket.write(`${line}\r\n`)
    socket.setEncoding('latin1')
    socket.on('error', () => {})
    say('220 sink')
    socket.on('data', (chunk: string) => {
      text += chunk
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end)
        text = text.slice(end + 2)
        if (data !== undefined) {
          if (line !== '.') {
            data += `${line.startsWith('.') ? line.slice(1) : line}\n`
            continue
          }
          this.received.push({ ...mail, data: Buffer.from(data, 'latin1').toString('utf8') })
          data = undefined
          mail = { from: '', to: [] }
          say('250 taken')
          continue
        }
        const [, verb = '', rest = ''] = /^(\w+)\s*(.*)$/.exec(line) ?? []
        if (/^EHLO$/i.test(verb)) {
          say('250-sink')
          say('250 8BITMIME')
        } else if (/^HELO$/i.test(verb)) say('250 sink')
        else if (/^MAIL$/i.test(verb) && this.received.length >= this.#refuseAfter) say('550 no more')
        else if (/^MAIL$/i.test(verb)) {
          mail = { from: /<(.*?)>/.exec(rest)?.[1] ?? '', to: [] }
          say('250 ok')
        } else if (/^RCPT$/i.test(verb)) {
          mail.to.push(/<(.*?)>/.exec(rest)?.[1] ?? '')
          say('250 ok')
        } else if (/^DATA$/i.test(verb)) {
          data = ''
          say('354 go on')
        } else if (/^QUIT$/i.test(verb)) {
          say('221 bye')
          socket.end()
        } else say('250 ok')
      }
    })
  }
}
