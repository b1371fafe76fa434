import { assert, describe, it } from "@effect/vitest"
import { ServerMessages } from "../src/connections/ServerMessages.ts"

/** A message of the protocol. */
const message = (type: string, body: string) => {
  const bytes = Buffer.from(body, "latin1")
  const head = Buffer.alloc(5)
  head.write(type, 0, "latin1")
  head.writeInt32BE(bytes.length + 4, 1)
  return Buffer.concat([head, bytes])
}

const ready = (status: string) => message("Z", status)
const complete = (tag: string) => message("C", `${tag}\0`)
// Rows may contain bytes that look like messages.
const row = message("D", `\0\0Z\0\0\0\u0005E${"x".repeat(70_000)}`)

/** Reads it in pieces of this many bytes. */
const reading = (bytes: Buffer, size: number) => {
  const messages = new ServerMessages()
  for (let at = 0; at < bytes.length; at += size) messages.read(bytes.subarray(at, at + size))
  return messages
}

describe("what the server says of a session", () => {
  for (const size of [1, 2, 3, 5, 7, 64, 1000, 1_000_000]) {
    it(`is read alike in pieces of ${size} bytes`, () => {
      const begun = Buffer.concat([complete("BEGIN"), ready("T"), row, complete("SELECT 1"), ready("T")])
      assert.deepInclude(reading(begun, size), { status: "T", changed: false, broken: false })
      const failed = Buffer.concat([begun, message("E", "SERROR\0C42703\0\0"), ready("E")])
      assert.strictEqual(reading(failed, size).status, "E")
      const over = Buffer.concat([failed, complete("ROLLBACK"), ready("I"), message("1", ""), message("2", "")])
      assert.deepInclude(reading(over, size), { status: "I", changed: false, broken: false })
    })
  }

  it("counts as changed after every command that is not known to leave nothing", () => {
    for (const tag of [
      "SELECT 1",
      "INSERT 0 1",
      "UPDATE 3",
      "DELETE 0",
      "MERGE 1",
      "BEGIN",
      "COMMIT",
      "ROLLBACK",
      "SHOW"
    ])
      assert.isFalse(reading(complete(tag), 1000).changed, tag)
    for (const tag of [
      "SET",
      "RESET",
      "LISTEN",
      "PREPARE",
      "DECLARE CURSOR",
      "CREATE TABLE",
      "SELECT INTO",
      "DO",
      "CALL",
      "LOAD",
      "NEW"
    ])
      assert.isTrue(reading(complete(tag), 1000).changed, tag)
  })

  it("is not believed where it is not the protocol", () => {
    for (const bytes of [message("Z", "X"), Buffer.from([0x5a, 0, 0, 0, 1])]) assert.isTrue(reading(bytes, 1000).broken)
  })
})
