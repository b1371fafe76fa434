import { type ProviderError, says } from "../ProviderError.ts"
import { overTime, ProviderFailure } from "../ProviderFailure.ts"
import { type Asked, spoken } from "../Rejection.ts"
import { withSaid } from "../Said.ts"

/** An account without money: https://platform.claude.com/docs/en/api/errors. */
const MONEY = /credit balance is too low/giu

/** The failure for an `error` event or body: its status is in none of them, its type says it. */
export const spokenFailure = (error: ProviderError, asked: Asked): ProviderFailure => {
  if (error.codes.has("timeout_error")) return overTime
  return adjusted(error.codes.has("overloaded_error") ? overloaded : spoken(error, asked), error, asked)
}

/**
 * The failure for a refusal with what only this provider means by it: 529 is a load that passes, and an account without money is refused
 * with 400, which is not the request's fault.
 */
export const adjusted = (failed: ProviderFailure, error: ProviderError | undefined, asked: Asked): ProviderFailure => {
  if (failed.status === 529 || error?.codes.has("overloaded_error") === true) {
    const { status, waitMs } = failed
    return new ProviderFailure({
      reason: "model_unavailable",
      retryable: true,
      status,
      waitMs,
      code: "overloaded_error"
    })
  }
  if (failed.status === 404 && failed.said === undefined) return withModel(failed, error)
  const isUnpaid = error !== undefined && (error.codes.has("billing_error") || says(error, MONEY, asked.texts))
  if (!isUnpaid && failed.status !== 402) return failed
  return new ProviderFailure({ reason: "model_unauthorized", retryable: false, status: 402, code: "billing_error" })
}

/** `model: claude-x`: the provider has no such model. Other things that are not found are no concern of the client. */
const withModel = (failed: ProviderFailure, error: ProviderError | undefined): ProviderFailure => {
  const [message = ""] = error?.messages ?? []
  if (failed.reason !== "model_rejected" || !message.startsWith("model:")) return failed
  return withSaid(failed, { error: { message, type: "not_found_error", param: "model", code: "model_not_found" } })
}

const overloaded = new ProviderFailure({ reason: "model_unavailable", retryable: true, code: "overloaded_error" })
