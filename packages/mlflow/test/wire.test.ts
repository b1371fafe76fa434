import { assert, describe, it } from "@effect/vitest"
import type { TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import type { JsonObject } from "@llm-saas/domain/Json"
import { entryOf, type ModelEvent } from "@llm-saas/domain/ModelEvent"
import { createRun, endRun, logBatch, metricsOf, statusOf } from "@llm-saas/mlflow/Run"
import { assessmentOf, traceOf } from "@llm-saas/mlflow/Trace"
import { RECORD } from "./Record.ts"

// The exact requests to MLflow.

const trace = (record: TrackingRecord, content: "full" | "redacted" | "off" = "full", runId: string | null = "run-1") =>
  traceOf(record, { service: "llm-saas", runId, content })

const spans = (...of: Parameters<typeof trace>) => trace(...of).resourceSpans[0]?.scopeSpans[0]?.spans ?? []

const attributes = (span: ReturnType<typeof spans>[number] | undefined) =>
  Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]))

describe("a run", () => {
  it("is created with its tags", () => {
    assert.deepStrictEqual(createRun(RECORD, "7", "llm-saas"), {
      experiment_id: "7",
      run_name: "messages.stream abcdefabcdef",
      start_time: 1_790_000_000_000,
      tags: [
        { key: "tenant_id", value: RECORD.tenant_id },
        { key: "source", value: "messages.stream" },
        { key: "generation_id", value: RECORD.generation_id },
        { key: "trace_id", value: "tr-0af7651916cd43dd8448eb211c80319c" },
        { key: "mlflow.user", value: RECORD.user_id },
        { key: "mlflow.source.name", value: "llm-saas" }
      ]
    })
  })

  it("gets five params and all measured values", () => {
    const at = { timestamp: 1_790_000_000_510, step: 0 }
    assert.deepStrictEqual(logBatch(RECORD, "run-1", "production"), {
      run_id: "run-1",
      params: [
        { key: "model_name", value: "gpt-4o-mini-2024-07-18" },
        { key: "prompt_length", value: "15" },
        { key: "tenant_id", value: RECORD.tenant_id },
        { key: "user_id", value: RECORD.user_id },
        { key: "environment", value: "production" }
      ],
      metrics: [
        { key: "latency_ms", value: 504.9, ...at },
        { key: "response_length", value: 11, ...at },
        { key: "approx_tokens_in", value: 4, ...at },
        { key: "approx_tokens_out", value: 5, ...at },
        { key: "ttft_ms", value: 105.1, ...at },
        { key: "tokens_in", value: 5, ...at },
        { key: "tokens_out", value: 6, ...at },
        { key: "cost_usd", value: 0.00001234, ...at }
      ]
    })
  })

  it("omits unknown values, and always has the four documented metrics", () => {
    const lost: TrackingRecord = {
      ...RECORD,
      status: "interrupted",
      failure: "process_lost",
      started_at: null,
      first_token_at: null,
      model_ended_at: null,
      tokens_in: null,
      tokens_out: null,
      cost_usd: null,
      approx_tokens_out: null,
      response_length: null
    }
    assert.deepStrictEqual(
      metricsOf(lost).map(({ key, value }) => [key, value]),
      [
        ["latency_ms", 509.9],
        ["response_length", 0],
        ["approx_tokens_in", 4],
        ["approx_tokens_out", 0]
      ]
    )
  })

  it("ends as the answer did", () => {
    assert.deepStrictEqual(endRun(RECORD, "run-1"), {
      run_id: "run-1",
      status: "FINISHED",
      end_time: 1_790_000_000_510
    })
    assert.deepStrictEqual(
      (["completed", "failed", "cancelled", "interrupted"] as const).map((status) => statusOf({ ...RECORD, status })),
      ["FINISHED", "FAILED", "KILLED", "KILLED"]
    )
    assert.deepInclude(createRun({ ...RECORD, status: "failed", failure: "model_cut" }, "7", "x").tags, {
      key: "mlflow.note.content",
      value: "failed: model_cut"
    })
  })
})

describe("a trace", () => {
  it("has the parts of a request as they happened, to the microsecond", () => {
    assert.deepStrictEqual(
      spans(RECORD).map(({ endTimeUnixNano, kind, name, parentSpanId, spanId, startTimeUnixNano, status, traceId }) => [
        name,
        kind,
        traceId,
        spanId,
        parentSpanId,
        startTimeUnixNano,
        endTimeUnixNano,
        status
      ]),
      [
        [
          "messages.stream",
          1,
          RECORD.trace_id,
          "000abcdefabcdef0",
          undefined,
          "1790000000000123000",
          "1790000000510000000",
          { code: 1 }
        ],
        [
          "admission",
          1,
          RECORD.trace_id,
          "000abcdefabcdef1",
          "000abcdefabcdef0",
          "1790000000000123000",
          "1790000000002000000",
          { code: 1 }
        ],
        [
          "persistence (question)",
          1,
          RECORD.trace_id,
          "000abcdefabcdef2",
          "000abcdefabcdef0",
          "1790000000002000000",
          "1790000000005000000",
          { code: 1 }
        ],
        [
          "chat gpt-4o-mini",
          3,
          RECORD.trace_id,
          "000abcdefabcdef3",
          "000abcdefabcdef0",
          "1790000000005000000",
          "1790000000505000000",
          { code: 1 }
        ],
        [
          "persistence (answer)",
          1,
          RECORD.trace_id,
          "000abcdefabcdef4",
          "000abcdefabcdef0",
          "1790000000505000000",
          "1790000000510000000",
          { code: 1 }
        ]
      ]
    )
  })

  it("is described at its root, which has no parent, even if the caller sent one", () => {
    const caller = { caller_trace_id: "4bf92f3577b34da6a3ce929d0e0e4736", caller_span_id: "00f067aa0ba902b7" }
    const [root] = spans({ ...RECORD, ...caller })
    assert.notProperty(root, "parentSpanId")
    assert.deepStrictEqual(attributes(root), {
      "tenant.id": RECORD.tenant_id,
      "user.id": RECORD.user_id,
      "generation.id": RECORD.generation_id,
      "generation.status": "completed",
      "session.id": RECORD.conversation_id,
      "request.id": "req-1",
      "mlflow.spanType": "CHAIN",
      "mlflow.traceTag.mlflow.traceName": "messages.stream",
      "mlflow.traceTag.tenant_id": RECORD.tenant_id,
      "mlflow.traceTag.source": "messages.stream",
      "mlflow.traceTag.generation_id": RECORD.generation_id,
      "mlflow.traceTag.run_id": "run-1",
      "mlflow.traceTag.traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "mlflow.spanInputs": '{"messages":[{"role":"user","content":"What is a room?"}]}',
      "mlflow.spanOutputs":
        '{"choices":[{"index":0,"message":{"role":"assistant","content":"Four walls."},"finish_reason":"stop"}]}'
    })
  })

  it("shows the model's call with tokens, cost and the first token", () => {
    const model = spans(RECORD)[3]
    assert.deepStrictEqual(
      Object.entries(attributes(model)).filter(([key]) => !key.startsWith("mlflow.span")),
      Object.entries({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.finish_reasons": { values: [{ stringValue: "stop" }] },
        "gen_ai.usage.input_tokens": "5",
        "gen_ai.usage.output_tokens": "6",
        "mlflow.chat.tokenUsage": '{"input_tokens":5,"output_tokens":6,"total_tokens":11}',
        "mlflow.llm.cost": '{"total_cost":0.00001234}'
      })
    )
    assert.strictEqual(attributes(model)["mlflow.spanType"], "CHAT_MODEL")
    assert.deepStrictEqual(model?.events, [
      {
        name: "first token",
        timeUnixNano: "1790000000105250000",
        attributes: [{ key: "ttft_ms", value: { doubleValue: 105.1 } }]
      }
    ])
  })

  it("has our estimate if the provider did not count, marked as such", () => {
    const model = attributes(spans({ ...RECORD, tokens_in: null, tokens_out: null, cost_usd: null })[3])
    assert.strictEqual(model["mlflow.chat.tokenUsage"], '{"input_tokens":4,"output_tokens":5,"total_tokens":9}')
    assert.strictEqual(model["llm_saas.tokens"], "estimated")
    assert.notProperty(model, "gen_ai.usage.input_tokens")
    assert.notProperty(model, "mlflow.llm.cost")
  })

  it("that failed says why, and omits the parts that were not reached", () => {
    const failed = spans({ ...RECORD, status: "failed", failure: "model_timeout", finish_reason: null })
    assert.deepStrictEqual(
      failed.map(({ status }) => status),
      [
        { code: 2, message: "model_timeout" },
        { code: 1 },
        { code: 1 },
        { code: 2, message: "model_timeout" },
        { code: 1 }
      ]
    )
    assert.strictEqual(attributes(failed[3])["error.type"], "model_timeout")
    const lost = spans({
      ...RECORD,
      status: "interrupted",
      failure: "process_lost",
      started_at: null,
      model_ended_at: null
    })
    assert.deepStrictEqual(
      lost.map(({ name }) => name),
      ["messages.stream", "admission"]
    )
  })

  it("has no more content than the policy allows", () => {
    const secret: TrackingRecord = {
      ...RECORD,
      content: "I am ada@example.com",
      response: "Your key is sk-abcdefgh1234."
    }
    const text = (policy: "full" | "redacted" | "off") => JSON.stringify(trace(secret, policy))
    assert.include(text("full"), "ada@example.com")
    assert.include(text("redacted"), "I am [email]")
    assert.include(text("redacted"), "Your key is [key].")
    assert.notInclude(text("redacted"), "sk-abc")
    assert.notMatch(text("off"), /spanInputs|spanOutputs|ada|key is/u)
    const deleted = JSON.stringify(trace({ ...RECORD, message_id: null, content: null, response: null }))
    assert.notMatch(deleted, /spanInputs|spanOutputs|Four|room/u)
  })
})

describe("an opinion", () => {
  const opinion = {
    user_id: RECORD.user_id,
    rating: -1,
    comment: "call 0301234567",
    revision: 3,
    at: 1_790_000_001_000
  }

  it("is an assessment of the trace by a person", () => {
    assert.deepStrictEqual(assessmentOf(RECORD, opinion, "full"), {
      assessment: {
        assessment_name: "user_rating",
        trace_id: "tr-0af7651916cd43dd8448eb211c80319c",
        source: { source_type: "HUMAN", source_id: RECORD.user_id },
        create_time: "2026-09-21T14:13:21.000Z",
        last_update_time: "2026-09-21T14:13:21.000Z",
        feedback: { value: -1 },
        rationale: "call 0301234567"
      }
    })
    assert.strictEqual(assessmentOf(RECORD, opinion, "redacted").assessment.rationale, "call [number]")
    assert.notProperty(assessmentOf(RECORD, opinion, "off").assessment, "rationale")
  })
})

describe("an answer that is more than text", () => {
  const logged = (...pieces: ReadonlyArray<ModelEvent>): TrackingRecord => {
    const entries = pieces.map(entryOf)
    return { ...RECORD, response: "", log: entries.join(""), token_lengths: entries.map((entry) => [...entry].length) }
  }
  const called = [
    { id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Paris"}' } },
    { id: "c2", type: "function", function: { name: "time", arguments: "{}" } }
  ]
  const output = (record: TrackingRecord) => JSON.parse(String(attributes(spans(record)[3])["mlflow.spanOutputs"]))

  it("shows calls of tools and thoughts, in canonical form and as each dialect sends them", () => {
    const chat = (delta: JsonObject): ModelEvent => ({
      type: "raw",
      dialect: "chat",
      event: { choices: [{ index: 0, delta }] }
    })
    const anthropic = (event: JsonObject): ModelEvent => ({ type: "raw", dialect: "anthropic", event })
    const item = (call: JsonObject): ModelEvent => ({
      type: "raw",
      dialect: "responses",
      event: { type: "response.output_item.done", item: { type: "function_call", ...call } }
    })
    for (const [record, thoughts] of [
      [
        logged(
          { type: "reasoning", text: "Hm." },
          { type: "tool_call", call: 0, id: "c1", name: "weather", arguments: '{"city":' },
          { type: "tool_call", call: 0, arguments: '"Paris"}' },
          { type: "tool_call", call: 1, id: "c2", name: "time", arguments: "{}" }
        ),
        "Hm."
      ],
      [
        logged(
          chat({ reasoning_content: "Hm." }),
          chat({ tool_calls: [{ index: 0, id: "c1", function: { name: "weather", arguments: '{"city":' } }] }),
          chat({ tool_calls: [{ index: 0, function: { arguments: '"Paris"}' } }] }),
          chat({ tool_calls: [{ index: 1, id: "c2", function: { name: "time", arguments: "{}" } }] })
        ),
        "Hm."
      ],
      [
        logged(
          anthropic({ type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Hm." } }),
          anthropic({
            type: "content_block_start",
            index: 1,
            content_block: { type: "tool_use", id: "c1", name: "weather", input: {} }
          }),
          anthropic({ type: "content_block_delta", index: 1, delta: { partial_json: '{"city":"Paris"}' } }),
          anthropic({ content: [{}, {}, { type: "tool_use", id: "c2", name: "time", input: {} }] }),
          anthropic({ type: "content_block_delta", index: 2, delta: { partial_json: "{}" } })
        ),
        "Hm."
      ],
      [
        logged(
          item({ id: "i1", call_id: "c1", name: "weather", arguments: '{"city":"Paris"}' }),
          item({ id: "i2", call_id: "c2", name: "time", arguments: "{}" })
        ),
        undefined
      ]
    ] as const) {
      const [{ message }] = output(record).choices
      assert.deepStrictEqual(message.tool_calls, called)
      assert.strictEqual(message.content, null)
      assert.strictEqual(message.reasoning_content, thoughts)
    }
  })

  it("shows the request as it was sent, with images by type and size", () => {
    const url = `data:image/png;base64,${"iVBO".repeat(1000)}`
    const request = JSON.stringify({
      messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }]
    })
    const input = String(attributes(spans({ ...RECORD, request })[3])["mlflow.spanInputs"])
    assert.deepStrictEqual(JSON.parse(input), {
      messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "[image/png, 3000 bytes]" } }] }]
    })
    assert.notInclude(JSON.stringify(spans({ ...RECORD, request }, "off")), "image/png")
    const redacted = attributes(spans({ ...RECORD, request }, "redacted")[3])["mlflow.spanInputs"]
    assert.deepStrictEqual(redacted, JSON.stringify({ messages: [{ role: "user", content: "What is a room?" }] }))
  })

  it("has a span below the model's for each call of a provider", () => {
    const call = {
      number: 1,
      provider: "a",
      model: "m",
      key_source: "tenant",
      response_model: null,
      http_status: 500,
      failure: "model_error",
      tokens_in: null,
      tokens_out: null,
      started_at: RECORD.created_at + 10,
      ended_at: RECORD.created_at + 20
    } as const
    const calls = [call, { ...call, number: 2, provider: "b", http_status: 200, failure: null, ended_at: null }]
    const all = spans({ ...RECORD, calls })
    const model = all.find(({ name }) => name.startsWith("chat "))
    const below = all.filter(({ name }) => name.startsWith("call "))
    assert.deepStrictEqual(
      below.map(({ name, parentSpanId, status }) => [name, parentSpanId === model?.spanId, status.code]),
      [
        ["call 1 of a", true, 2],
        ["call 2 of b", true, 1]
      ]
    )
    assert.strictEqual(attributes(below[0])["http.response.status_code"], "500")
    assert.strictEqual(
      new Set(spans({ ...RECORD, calls: Array.from({ length: 40 }, () => call) }).map((span) => span.spanId)).size,
      15
    )
  })
})
