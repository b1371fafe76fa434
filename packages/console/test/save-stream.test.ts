import { LlmSaasError } from "@llm-saas/client"
import { afterEach, assert, describe, it } from "vitest"
import { MOST_IN_MEMORY_BYTES, saveStream } from "../src/ui/saveStream.ts"

const CHUNK = new Uint8Array(1_000_000)

/** An answer of so many chunks, cut after them if it is said so. */
const answer = (chunks: number, cut = false) => {
  let sent = 0
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (sent++ < chunks) return controller.enqueue(CHUNK)
      return cut ? controller.error(new TypeError("network error")) : controller.close()
    },
    cancel: () => {
      cancelled = true
    }
  })
  return { response: new Response(body), cancelled: () => cancelled }
}

/** A browser that writes into the file that a person chose. */
const writing = () => {
  const seen = { bytes: 0, closed: false, aborted: false }
  const createWritable = async () =>
    new WritableStream<Uint8Array>({
      write: (chunk) => {
        seen.bytes += chunk.byteLength
      },
      close: () => {
        seen.closed = true
      },
      abort: () => {
        seen.aborted = true
      }
    })
  Object.assign(globalThis, { window: { showSaveFilePicker: async () => ({ createWritable }) } })
  return seen
}

const collecting = () => Object.assign(globalThis, { window: {} })

const save = (response: Response, signal = new AbortController().signal) => {
  const bytes: Array<number> = []
  const end = saveStream({ name: "x.csv", open: async () => response, onBytes: (each) => bytes.push(each), signal })
  return { bytes, end }
}

const failure = (end: Promise<unknown>) =>
  end.then(
    () => assert.fail("it did not fail"),
    (error: unknown) => error
  )

afterEach(() => Reflect.deleteProperty(globalThis, "window"))

describe("a file that is saved while it comes", () => {
  it("is closed when all of it is there, and counted on the way", async () => {
    const seen = writing()
    const { bytes, end } = save(answer(300).response)
    assert.strictEqual(await end, "saved")
    assert.deepStrictEqual(seen, { bytes: 300_000_000, closed: true, aborted: false })
    assert.strictEqual(bytes.at(-1), 300_000_000)
  })

  it("is dropped, and said to be cut, where the connection ends before it", async () => {
    const seen = writing()
    const error = await failure(save(answer(3, true).response).end)
    assert.strictEqual(error instanceof LlmSaasError && error.code, "connection_failed")
    assert.isFalse(seen.closed)
    assert.isTrue(seen.aborted)
  })

  it("is dropped where the person stops it", async () => {
    const seen = writing()
    const stop = new AbortController()
    const { response } = answer(1e9)
    const end = saveStream({
      name: "x.csv",
      open: async () => response,
      onBytes: (bytes) => (bytes > 5_000_000 ? stop.abort() : undefined),
      signal: stop.signal
    })
    assert.strictEqual(await failure(end), stop.signal.reason)
    assert.deepInclude(seen, { closed: false, aborted: true })
  })

  it("is not asked for where no file was chosen", async () => {
    const refused = new DOMException("The user aborted a request.", "AbortError")
    Object.assign(globalThis, { window: { showSaveFilePicker: () => Promise.reject(refused) } })
    const end = saveStream({
      name: "x.csv",
      open: () => assert.fail("it was asked for"),
      onBytes: () => undefined,
      signal: new AbortController().signal
    })
    assert.strictEqual(await end, "closed")
  })
})

describe("a browser that cannot write files", () => {
  it("stops at what it may keep in memory, and asks for no more", async () => {
    collecting()
    const { cancelled, response } = answer(MOST_IN_MEMORY_BYTES / CHUNK.byteLength + 10)
    const { bytes, end } = save(response)
    assert.strictEqual(await end, "too_large")
    assert.isTrue(cancelled())
    assert.isAtMost(bytes.at(-1) ?? 0, MOST_IN_MEMORY_BYTES)
  })

  it("saves nothing of an answer that was cut", async () => {
    collecting()
    const error = await failure(save(answer(3, true).response).end)
    assert.strictEqual(error instanceof LlmSaasError && error.code, "connection_failed")
  })
})
