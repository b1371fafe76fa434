import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { COMMON, type Dialect, fallbackDialect } from "../src/Dialect.ts"
import { ProviderFailure } from "../src/ProviderFailure.ts"
import { finishOf } from "../src/FinishReasons.ts"
import { errorIn, isError } from "../src/ProviderError.ts"
import { refusal, spoken } from "../src/Rejection.ts"

const ASKED = { texts: ["What is a room?"], maxTokens: 1024 }
const reasonOf = (status: number, body: unknown, asked = ASKED) => {
  const error = errorIn(typeof body === "string" ? body : JSON.stringify(body), asked.texts)
  return refusal(status, {}, error, asked, 0).reason
}
const message = (text: string, more: Readonly<Record<string, unknown>> = {}) => ({ error: { message: text, ...more } })

describe("a refusal", () => {
  it("of the content is for the user to correct", () => {
    const bodies: ReadonlyArray<readonly [number, unknown]> = [
      [
        400,
        message("The response was filtered due to the prompt triggering", { code: "content_filter", param: "prompt" })
      ],
      [400, message("…", { code: "400", innererror: { code: "ResponsibleAIPolicyViolation" } })],
      [
        400,
        message("…", {
          code: "400",
          provider_specific_fields: { innererror: { code: "ResponsibleAIPolicyViolation" } }
        })
      ],
      [400, message("Your request was rejected", { code: "content_policy_violation" })],
      [
        400,
        message("Invalid prompt: your prompt was flagged as potentially violating our usage policy", {
          code: "invalid_prompt"
        })
      ],
      [400, message("Content Exists Risk", { type: "invalid_request_error", code: "invalid_request_error" })],
      [
        400,
        { code: "DataInspectionFailed", message: "Input data may contain inappropriate content.", request_id: "1" }
      ],
      [400, message("…", { code: "1301" })],
      [
        403,
        message("meta-llama requires moderation", {
          code: 403,
          metadata: { reasons: ["violence"], flagged_input: "…" }
        })
      ],
      [
        400,
        message("litellm.ContentPolicyViolationError: triggering Azure OpenAI's content management policy", {
          code: "400"
        })
      ]
    ]
    for (const [status, body] of bodies)
      assert.strictEqual(reasonOf(status, body), "content_filtered", JSON.stringify(body))
  })

  it("of the length is for the user to correct", () => {
    const vllm = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
    const bodies: ReadonlyArray<readonly [number, unknown]> = [
      [400, message("…", { code: "context_length_exceeded", param: "messages" })],
      [400, { object: "error", message: vllm, type: "BadRequestError", param: null, code: 400 }],
      [
        400,
        message("the request exceeds the available context size", { type: "exceed_context_size_error", n_ctx: 256 })
      ],
      [500, message("Context size has been exceeded.", { code: 500, type: "server_error" })],
      [
        400,
        {
          type: "error",
          error: { type: "invalid_request_error", message: "prompt is too long: 210000 tokens > 200000" }
        }
      ],
      [400, message("input length and `max_tokens` exceed context limit: 199759 + 8192 > 200000")],
      [400, message("Prompt tokens (9) exceeds context size (8)", { type: "context_exceeded" })],
      [413, message("Request too large for model", { type: "tokens", code: "rate_limit_exceeded" })],
      [413, "<html>413 Request Entity Too Large</html>"],
      [
        422,
        {
          error: "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096",
          error_type: "validation"
        }
      ],
      [400, message("Provider returned error", { metadata: { raw: JSON.stringify(message(vllm)) } })],
      [
        400,
        [
          {
            error: {
              code: 400,
              message: "The input token count exceeds the maximum: too many tokens",
              status: "INVALID_ARGUMENT"
            }
          }
        ]
      ]
    ]
    for (const [status, body] of bodies)
      assert.strictEqual(reasonOf(status, body), "context_too_long", JSON.stringify(body))
  })

  it("of a text is for the user to correct, and every other for the operator", () => {
    assert.strictEqual(reasonOf(400, message("bad", { param: "messages[0].content" })), "prompt_rejected")
    assert.strictEqual(
      reasonOf(422, { detail: [{ loc: ["body", "messages", 0, "content"], msg: "bad" }] }),
      "prompt_rejected"
    )
    const operators: ReadonlyArray<readonly [number, unknown]> = [
      [404, message("The model `x` does not exist", { code: "model_not_found", param: "messages" })],
      [404, message("Unknown deployment", { code: "DeploymentNotFound" })],
      [400, message("The model `x` does not exist", { code: "model_not_found" })],
      [400, message("max_tokens is too large: 50000", { param: "max_tokens" })],
      // No question would fit.
      [
        400,
        {
          object: "error",
          message: "'max_tokens' is too large: 1024. This model's maximum context length is 512 tokens"
        }
      ],
      [402, message("Insufficient Balance")],
      [400, ""],
      [422, "not json"]
    ]
    for (const [status, body] of operators)
      assert.strictEqual(reasonOf(status, body), "model_rejected", JSON.stringify(body))
    assert.strictEqual(
      reasonOf(401, message("context length content_filter", { param: "messages" })),
      "model_unauthorized"
    )
  })

  it("in an answer's place means the same as its status", () => {
    const found = [
      message("…", { code: 429 }),
      message("…", { code: "rate_limit_exceeded" }),
      message("…", { type: "authentication_error" }),
      message("…", { type: "invalid_request_error" }),
      message("…", { code: "model_not_found" }),
      message("…", { type: "overloaded_error" }),
      message("…", { code: "400", type: "BadRequestError" }),
      message("…", { code: "content_filter" }),
      { error: "boom" },
      {}
    ].map((body) => spoken(errorIn(JSON.stringify(body), ASKED.texts), ASKED).reason)
    assert.deepStrictEqual(found, [
      "model_rate_limited",
      "model_rate_limited",
      "model_unauthorized",
      "model_rejected",
      "model_rejected",
      "model_error",
      "model_rejected",
      "content_filtered",
      "model_error",
      "model_error"
    ])
  })
})

/** Every word that our rules match. */
const WORDS = [
  "stream_options",
  "include_usage",
  "max_completion_tokens",
  "max_tokens",
  "temperature is not supported",
  "temperature does not support 0.7",
  "'temperature': only 1 is allowed",
  "content_filter",
  "content policy",
  "maximum context length is 1 tokens",
  "context_length_exceeded",
  "prompt is too long",
  '{"error":{"param":"temperature","code":"unsupported_parameter"}}',
  "[{'loc': ('body', 'stream_options'), 'msg': 'extra fields'}]",
  '"loc":["body","temperature"]',
  "tem\u0440erature",
  "tempe\u00adrature",
  "stream\noptions"
]

/** Ways in which servers repeat a question in a refusal. */
const ECHOES: ReadonlyArray<(text: string) => unknown> = [
  (text) => text,
  (text) => `Invalid request: ${text}`,
  (text) => message(text),
  (text) => message(`could not parse "${text}"`, { type: "invalid_request_error", param: null, code: 400 }),
  (text) => message(JSON.stringify({ error: { param: text, message: text } })),
  (text) => ({ object: "error", message: `[{'type': 'x', 'loc': ('body', 'tools'), 'input': '${text}'}]`, code: 400 }),
  (text) => ({ detail: [{ loc: ["body", "tools", 0], msg: "bad", input: { messages: [{ content: text }] } }] }),
  (text) => ({ detail: [{ loc: ["body", "tools"], msg: "bad", input: JSON.parse(JSON.stringify({ param: text })) }] }),
  (text) => ({ detail: `Unprocessable: ${JSON.stringify(text)}` }),
  (text) => message("bad", { metadata: { raw: text } }),
  (text) => message(text.slice(3)),
  (text) => message(text.toUpperCase()),
  (text) => message(text.replaceAll("_", " "))
]

describe("a question that is quoted", () => {
  const texts = fc
    .array(fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: "grapheme", maxLength: 20 })), {
      minLength: 1,
      maxLength: 6
    })
    .map((words) => words.join(" "))

  it("changes neither the request's parameters nor the meaning of the refusal", () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(...ECHOES), fc.constantFrom(400, 422), (text, echo, status) => {
        const body = echo(text)
        const asked = { texts: ["Hello?", text], maxTokens: 1024 }
        const error = errorIn(typeof body === "string" ? body : JSON.stringify(body), asked.texts)
        assert.isUndefined(fallbackDialect(COMMON, error, asked.texts))
        assert.strictEqual(refusal(status, {}, error, asked, 0).reason, "model_rejected")
      })
    )
  })

  it("is a quote also as the whole body, and as an error in JSON", () => {
    const text = JSON.stringify(message("…", { param: "temperature", code: "unsupported_parameter" }))
    for (const body of [text, ` ${text}\n`]) {
      const error = errorIn(body, [`Why this: ${text}?`])
      assert.isUndefined(fallbackDialect(COMMON, error, [text]))
      assert.strictEqual(error.codes.size, 0)
    }
  })

  it("does not hide what a field names", () => {
    const asked = ["What temperature?"]
    const error = errorIn(JSON.stringify(message("temperature …", { param: "temperature" })), asked)
    assert.deepStrictEqual(fallbackDialect(COMMON, error, asked), { ...COMMON, temperature: false })
  })
})

describe("a server that refuses a parameter", () => {
  const cases: ReadonlyArray<readonly [unknown, Partial<Dialect>]> = [
    [
      message(
        "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported."
      ),
      { temperature: false }
    ],
    [
      message("invalid temperature: only 1 is allowed for this model", { type: "invalid_request_error" }),
      { temperature: false }
    ],
    [message("`temperature` is deprecated for this model."), { temperature: false }],
    [message("…", { param: "temperature" }), { temperature: false }],
    [
      { detail: [{ type: "extra_forbidden", loc: ["body", "temperature"], msg: "Extra inputs are not permitted" }] },
      { temperature: false }
    ],
    ["temperature: range: 0..1", { temperature: false }],
    [message("…", { param: "stream_options", code: "unknown_parameter" }), { usage: false }],
    [
      { detail: [{ loc: ["body", "stream_options", "include_usage"], msg: "extra fields not permitted" }] },
      { usage: false }
    ],
    [{ object: "error", message: "[{'loc': ('body', 'stream_options'), 'msg': 'extra fields'}]" }, { usage: false }],
    [
      message("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
      { limit: "max_completion_tokens" }
    ],
    [message("…", { param: "max_tokens", code: "unsupported_parameter" }), { limit: "max_completion_tokens" }]
  ]

  it("gets requests without it", () => {
    for (const [body, change] of cases) {
      const error = errorIn(typeof body === "string" ? body : JSON.stringify(body), ASKED.texts)
      assert.deepStrictEqual(
        fallbackDialect(COMMON, error, ASKED.texts),
        { ...COMMON, ...change },
        JSON.stringify(body)
      )
    }
  })

  it("gets the same request if it refuses another parameter", () => {
    for (const body of [
      message("…", { param: "max_tokens", code: "invalid_value" }),
      message("…", { param: "top_p" }),
      {},
      []
    ])
      assert.isUndefined(fallbackDialect(COMMON, errorIn(JSON.stringify(body), ASKED.texts), ASKED.texts))
  })
})

describe("a body of anything", () => {
  it("is read without an exception", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.string(), fc.integer({ min: 100, max: 599 }), (json, text, status) => {
        for (const body of [json, text, `{"error":${json}}`]) assert.isString(reasonOf(status, body))
        const value: unknown = JSON.parse(json)
        if (typeof value === "object" && value !== null) assert.isBoolean(isError({ ...value }))
      })
    )
  })
})

describe("why a model stopped", () => {
  const table: Readonly<Record<string, ReadonlyArray<string>>> = {
    stop: ["stop", "eos", "eos_token", "end_turn", "stop_sequence", "STOP", "COMPLETE", "FinishReason.STOP", " Stop "],
    length: ["length", "max_tokens", "model_length", "MAX_TOKENS", "FINISH_REASON_MAX_TOKENS"],
    content_filter: [
      "content_filter",
      "SAFETY",
      "sensitive",
      "RECITATION",
      "guardrail_intervened",
      "refusal",
      "ERROR_TOXIC"
    ],
    tool_calls: ["tool_calls", "function_call", "tool_use", "TOOL_CALL"],
    other: ["tired", "pause_turn", "LANGUAGE"],
    "no reason": [
      "",
      " ",
      "null",
      "None",
      "undefined",
      "unknown",
      "FINISH_REASON_UNSPECIFIED",
      "in_progress",
      "incomplete"
    ],
    model_cut: ["abort", "aborted", "cancelled", "USER_CANCEL", "interrupted"],
    model_error: [
      "error",
      "ERROR",
      "network_error",
      "insufficient_system_resource",
      "ERROR_LIMIT",
      "MALFORMED_FUNCTION_CALL"
    ],
    model_timeout: ["timeout", "time_out"]
  }

  it("is read from each provider's own value", () => {
    for (const [meaning, words] of Object.entries(table))
      for (const word of words) {
        const finish = finishOf(word)
        assert.strictEqual(finish instanceof ProviderFailure ? finish.reason : (finish ?? "no reason"), meaning, word)
      }
  })
})
