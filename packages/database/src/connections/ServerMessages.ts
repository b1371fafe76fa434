/**
 * The state of a PostgreSQL session, read from the connection beside the driver, which does not expose it: the messages of the protocol
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html) as far as they tell whether a session is idle.
 */
export class ServerMessages {
  /** Of the last ReadyForQuery: `I` idle, `T` in a transaction, `E` in one that failed. */
  status: "I" | "T" | "E" = "I"
  /** When it came, by `performance.now()`. */
  readyAt = 0
  /** Whether a command ran that may outlive its transaction: SET, LISTEN, a temporary table, or any command not known to leave nothing. */
  changed = false
  /** Whether the bytes are not the protocol we know; then the other fields mean nothing. */
  broken = false

  #type = 0
  #length = 0
  // How many of the five bytes of a message's head were read, and how many bytes of its body are left.
  #head = 0
  #left = 0
  #text = ""

  read(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length && !this.broken) {
      if (this.#head < HEAD_BYTES) {
        this.#readHead(chunk[at] ?? 0)
        at++
      } else {
        const end = Math.min(chunk.length, at + this.#left)
        this.#left -= end - at
        if (this.#type === READY_FOR_QUERY || this.#type === COMMAND_COMPLETE)
          for (let place = at; place < end; place++) this.#text += String.fromCharCode(chunk[place] ?? 0)
        at = end
        if (this.#left === 0) this.#end()
      }
    }
  }

  #readHead(byte: number): void {
    if (this.#head === 0) {
      this.#type = byte
      this.#length = 0
    } else this.#length = this.#length * 256 + byte
    this.#head++
    if (this.#head < HEAD_BYTES) return
    // The length includes itself.
    this.#left = this.#length - 4
    if (this.#left < 0) this.broken = true
    else if (this.#left === 0) this.#end()
  }

  #end(): void {
    const text = this.#text
    this.#text = ""
    this.#head = 0
    if (this.#type === COMMAND_COMPLETE) {
      if (!LEAVES_NOTHING.test(text)) this.changed = true
    } else if (this.#type === READY_FOR_QUERY) {
      this.readyAt = performance.now()
      if (text === "I" || text === "T" || text === "E") this.status = text
      else this.broken = true
    }
  }
}

const HEAD_BYTES = 5
const READY_FOR_QUERY = 0x5a // Z
const COMMAND_COMPLETE = 0x43 // C

// A tag is a command, often with a count, and a zero byte. Settings that a SELECT makes by `set_config` are not seen here: no function of
// `sql/` makes one past its transaction (`sql/lint/setting_past_transaction.sql`).
const LEAVES_NOTHING =
  /^(?:SELECT|INSERT|UPDATE|DELETE|MERGE|BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SHOW)[ \d]*\0$/u
