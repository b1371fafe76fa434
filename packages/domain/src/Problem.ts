import { Schema } from "effect"

/**
 * Members every problem of this product carries beyond RFC 9457's: `code`, stable and meant for programs, and the id of the
 * request it answers, which the HTTP edge adds on the way out.
 */
export const members = <const Code extends string>(code: Code) => ({
  code: Schema.tag(code),
  request_id: Schema.optionalKey(Schema.String)
})
