import { assert, describe, it } from "@effect/vitest"
import { evolve, type GenerationEvent, type GenerationState, isEnded } from "@llm-saas/domain/Generation"
import { parseTraceparent } from "@llm-saas/domain/TraceContext"
import * as fc from "fast-check"

const EVENT: fc.Arbitrary<GenerationEvent> = fc.oneof(
  fc.nat(10).map((tokens): GenerationEvent => ({ event: "appended", tokens })),
  fc.constantFrom<GenerationEvent>(
    { event: "ended", ending: { status: "completed", finishReason: "stop" } },
    { event: "ended", ending: { status: "failed", failure: "model_cut" } },
    { event: "ended", ending: { status: "cancelled" } },
    { event: "ended", ending: { status: "interrupted", failure: "shutdown" } }
  )
)

const START: GenerationState = { status: "streaming", seq: 0 }

describe("the life of a generation", () => {
  it("ends once: later events change nothing", () => {
    fc.assert(
      fc.property(fc.array(EVENT), (events) => {
        let state: GenerationState = START
        for (const event of events) {
          const next = evolve(state, event)
          assert.isTrue(!isEnded(state.status) || next === state)
          state = next
        }
      })
    )
  })

  it("counts the tokens that arrived while it streamed", () => {
    const events: ReadonlyArray<GenerationEvent> = [
      { event: "appended", tokens: 2 },
      { event: "appended", tokens: 3 },
      { event: "ended", ending: { status: "cancelled" } },
      { event: "appended", tokens: 9 }
    ]
    assert.deepStrictEqual(events.reduce<GenerationState>(evolve, START), {
      status: "cancelled",
      seq: 5
    })
  })
})

describe("a traceparent", () => {
  const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]

  it("is read if it is valid, and ignored otherwise", () => {
    assert.deepStrictEqual(parseTraceparent(`00-${trace}-${span}-01`), { traceId: trace, parentSpanId: span })
    assert.deepStrictEqual(parseTraceparent(`01-${trace}-${span}-01-more`), { traceId: trace, parentSpanId: span })
    for (const odd of [
      undefined,
      "",
      "x",
      `ff-${trace}-${span}-01`,
      `00-${trace}-${span}-01-more`,
      `00-${"0".repeat(32)}-${span}-01`,
      `00-${trace}-${"0".repeat(16)}-01`,
      `00-${trace.toUpperCase()}-${span}-01`
    ])
      assert.strictEqual(parseTraceparent(odd), undefined)
  })
})
