import { Schema } from "effect"

/** An error as OpenAI's API writes it. */
export const OpenAiError = Schema.Struct({
  error: Schema.Struct({
    /** For people. */
    message: Schema.String,
    /** The kind of error, such as `invalid_request_error`. */
    type: Schema.String,
    /** The member of the request that is wrong, as a path with dots. */
    param: Schema.NullOr(Schema.String),
    /** For programs. */
    code: Schema.NullOr(Schema.String)
  })
}).annotate({ identifier: "OpenAiError" })

/** An error as Anthropic's API writes it. */
export const AnthropicError = Schema.Struct({
  type: Schema.Literal("error"),
  error: Schema.Struct({
    /** The kind of error, such as `invalid_request_error`. */
    type: Schema.String,
    /** For people. */
    message: Schema.String
  }),
  request_id: Schema.String
}).annotate({ identifier: "AnthropicError" })
