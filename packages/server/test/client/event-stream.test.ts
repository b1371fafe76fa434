import { assert, it } from "@effect/vitest"
import { EventStream } from "@llm-saas/client/plain/EventStream"
import * as fc from "fast-check"
import { EventSource } from "../sse/EventSource.ts"

const piece = fc.constantFrom(
  "\r",
  "\n",
  "\r\n",
  ":",
  " ",
  "data",
  "data: ",
  "id: 7",
  "id",
  "event: error",
  "x",
  "é",
  "🏠",
  ""
)

it("the plain client reads events as a browser does, cut anywhere", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.array(fc.nat(40), { maxLength: 10 }), (pieces, cuts) => {
      const text = pieces.join("")
      const expected = new EventSource().feed(new TextEncoder().encode(text)).events
      const stream = new EventStream()
      let rest = text
      const events = cuts.flatMap((cut) => {
        const part = rest.slice(0, cut)
        rest = rest.slice(cut)
        return stream.push(part)
      })
      events.push(...stream.push(rest))
      assert.deepStrictEqual(
        events,
        expected.map(({ data, event, lastEventId }) => ({ id: lastEventId, event, data }))
      )
    }),
    { numRuns: 2000 }
  )
})
