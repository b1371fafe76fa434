import { Effect, Schema } from "effect"
import { HttpApiError } from "effect/http-api"
import { problem, type ProblemCode, PROBLEMS } from "./Problem.ts"

/**
 * The class of a problem: an error that HTTP answers with its status, and RPC with its tag.
 *
 * ```ts
 * class PromptTooLong extends Problem<PromptTooLong>()("PromptTooLong", "prompt_too_long", { max_characters: Schema.Int }) {}
 * ```
 *
 * `fields` are what this problem says beyond {@link members}.
 */
export const Problem =
  <Self>() =>
  <const Tag extends string, const Code extends ProblemCode, const Fields extends HttpApiError.ProblemExtensionFields>(
    tag: Tag,
    code: Code,
    fields: Fields
  ) =>
    HttpApiError.Problem<Self>()(tag, problem(code), { ...members(code), ...fields })

/**
 * Members every problem carries beyond RFC 9457's: `code`, stable and for programs, and `request_id`, which the HTTP server adds
 * when it sends the answer. `detail` is always present.
 */
const members = <const Code extends ProblemCode>(code: Code) => ({
  code: Schema.tag(code),
  detail: Schema.String.pipe(Schema.withConstructorDefault(Effect.succeed<string>(PROBLEMS[code].detail))),
  request_id: Schema.optionalKey(Schema.String)
})
