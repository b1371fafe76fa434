import { Effect } from "effect"
import { createSocket } from "node:dgram"

/** A name server on loopback that knows the TXT records of the test, and no other name. Returns its address with its port. */
export const dnsServer = (records: ReadonlyMap<string, ReadonlyArray<string>>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createSocket>>((resume) => {
        const socket = createSocket("udp4", (message, { address, port }) =>
          socket.send(answer(message, records), port, address)
        )
        socket.bind(0, "127.0.0.1", () => resume(Effect.succeed(socket)))
      }),
      (socket) => Effect.sync(() => socket.close())
    ),
    (socket) => `127.0.0.1:${socket.address().port}`
  )

const HEAD_BYTES = 12
const TXT = 16
const IN = 1

/** A response (RFC 1035 §4.1) to a question for one name. */
const answer = (message: Buffer, records: ReadonlyMap<string, ReadonlyArray<string>>): Buffer => {
  const labels: Array<string> = []
  let at = HEAD_BYTES
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.subarray(at + 1, at + 1 + length).toString("latin1"))
    at += length + 1
  }
  const question = message.subarray(HEAD_BYTES, at + 5)
  const texts = records.get(labels.join(".").toLowerCase())
  const answers = (texts ?? []).map((text) => {
    const data = Buffer.concat([Buffer.of(text.length), Buffer.from(text, "latin1")])
    const record = Buffer.alloc(12)
    record.writeUInt16BE(0xc000 + HEAD_BYTES, 0) // The name of the question.
    record.writeUInt16BE(TXT, 2)
    record.writeUInt16BE(IN, 4)
    record.writeUInt32BE(0, 6) // Not to be remembered.
    record.writeUInt16BE(data.length, 10)
    return Buffer.concat([record, data])
  })
  const head = Buffer.alloc(HEAD_BYTES)
  message.copy(head, 0, 0, 2)
  // A response, recursion available; 3: there is no such name.
  head.writeUInt16BE(0x8180 + (texts === undefined ? 3 : 0), 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(answers.length, 6)
  return Buffer.concat([head, question, ...answers])
}
