import { Option, Schema } from "effect"

/** MLflow did not do what it was asked. */
export class MlflowFailed extends Schema.TaggedError<MlflowFailed>()("MlflowFailed", {
  reason: Schema.Literals([
    /** Nothing answers there. */
    "unreachable",
    /** It answers that it cannot just now. */
    "busy",
    /** Its database collided with itself; the same again may do. */
    "raced",
    /** It will never take this. */
    "refused",
    /** It exists already. */
    "exists",
    /** What it was to be done with is not there. */
    "gone",
    /** This server cannot do it at all. */
    "unsupported",
    /** Its host check does not know the name we call it by. */
    "host",
    /** It does not let us in. */
    "credentials",
    /** What answers there is not MLflow. */
    "foreign",
    /** Our claim on the record ran out before it could be sent. */
    "late"
  ]),
  detail: Schema.String,
  /** Whether it may have been carried out all the same. */
  unsure: Schema.Boolean,
  /** How long it wants to be left alone, in milliseconds. */
  retryAfter: Schema.optionalKey(Schema.Finite)
}) {
  override get message() {
    return `${this.reason}: ${this.detail}`
  }

  /** It is not about what was sent but about the server: the next record would fare no better. */
  get concernsAll(): boolean {
    switch (this.reason) {
      case "unreachable":
      case "host":
      case "credentials":
      case "foreign":
      case "unsupported":
        return true
      case "busy":
        return this.retryAfter !== undefined
      case "raced":
      case "refused":
      case "exists":
      case "gone":
      case "late":
        return false
    }
  }
}

const Problem = Schema.fromJsonString(
  Schema.Struct({ error_code: Schema.optionalKey(Schema.String), message: Schema.optionalKey(Schema.String) })
)
const decodeProblem = Schema.decodeUnknownOption(Problem)

/** Characters of an answer that are kept for people. MLflow quotes ids and names in it, and nothing else of ours. */
const DETAIL = 300

/** What an answer other than 2xx means. As MLflow 3.14 and 3.17 were seen to answer. */
export const judge = (answer: {
  readonly status: number
  readonly body: string
  readonly retryAfter: string | undefined
}): MlflowFailed => {
  const { body, status } = answer
  const problem = Option.getOrElse(decodeProblem(body), () => ({ error_code: undefined, message: undefined }))
  const code = problem.error_code ?? ""
  const detail = `${status}${code === "" ? "" : ` ${code}`}: ${(problem.message ?? body).slice(0, DETAIL)}`
  const failed = (reason: MlflowFailed["reason"], unsure = false) => new MlflowFailed({ reason, detail, unsure })
  if (status === 403 && body.startsWith("Invalid Host header")) return failed("host")
  if (status === 401 || status === 403 || status === 407) return failed("credentials")
  if (status === 408 || status === 429 || (status >= 500 && status !== 501)) {
    const wait = seconds(answer.retryAfter)
    return new MlflowFailed({
      reason: "busy",
      detail,
      // 429 and 503 say that nothing was done; a gateway's 502 or 504 does not know.
      unsure: status !== 429 && status !== 503,
      ...(wait === undefined ? {} : { retryAfter: wait * 1000 })
    })
  }
  if (status === 501) return failed("unsupported")
  if (code === "RESOURCE_DOES_NOT_EXIST") return failed("gone")
  if (code === "RESOURCE_ALREADY_EXISTS") return failed("exists")
  if (code === "BAD_REQUEST") return failed("raced")
  if (status === 404 || status === 405) return failed("unsupported")
  return status >= 400 ? failed("refused") : failed("foreign")
}

/** `Retry-After` in seconds, at most ten minutes; its form with a date is not worth believing somebody's clock for. */
const seconds = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d{1,6}$/u.test(header.trim()) ? Math.min(600, Number(header)) : undefined

/** Codes of Node's for a connection that never came about: nothing was sent. */
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID"
])

const Coded = Schema.Struct({ code: Schema.String })
const decodeCoded = Schema.decodeUnknownOption(Coded)
const Caused = Schema.Struct({ cause: Schema.Unknown })
const decodeCaused = Schema.decodeUnknownOption(Caused)
const Several = Schema.Struct({ errors: Schema.NonEmptyArray(Schema.Unknown) })
const decodeSeveral = Schema.decodeUnknownOption(Several)

/** Node's code of a failure of the transport, wherever in its causes. */
const codeOf = (error: unknown, depth = 0): string | undefined => {
  const coded = decodeCoded(error)
  if (Option.isSome(coded)) return coded.value.code
  if (depth > 5) return undefined
  // A name with several addresses fails once for each.
  const several = decodeSeveral(error)
  if (Option.isSome(several)) return codeOf(several.value.errors[0], depth + 1)
  const caused = decodeCaused(error)
  return Option.isSome(caused) ? codeOf(caused.value.cause, depth + 1) : undefined
}

/** No answer came. */
export const noAnswer = (cause: unknown): MlflowFailed => {
  const code = codeOf(cause)
  return new MlflowFailed({
    reason: "unreachable",
    detail: code ?? "no answer",
    unsure: code === undefined || !NEVER_SENT.has(code)
  })
}

/** It did not answer in time, and may still be at it. */
export const tooLate = (milliseconds: number) =>
  new MlflowFailed({ reason: "busy", detail: `no answer within ${milliseconds} ms`, unsure: true })
