import { Option, Schema } from "effect"

/** A call to MLflow failed. */
export class MlflowFailed extends Schema.TaggedError<MlflowFailed>()("MlflowFailed", {
  reason: Schema.Literals([
    /** No answer from its address. */
    "unreachable",
    /** It is temporarily not available. */
    "busy",
    /** A conflict in its database; a retry may succeed. */
    "raced",
    /** It will never accept this. */
    "refused",
    /** It exists already. */
    "exists",
    /** The object of the call does not exist. */
    "gone",
    /** This server does not have the call. */
    "unsupported",
    /** Its host check refuses the host name we use. */
    "host",
    /** It refuses our credentials. */
    "credentials",
    /** The answering server is not MLflow. */
    "foreign",
    /** Our claim on the record expired before it could be sent. */
    "late"
  ]),
  detail: Schema.String,
  /** Whether the call may have been carried out nevertheless. */
  unsure: Schema.Boolean,
  /** How long it asks to wait, in milliseconds. */
  retryAfter: Schema.optionalKey(Schema.Finite)
}) {
  override get message() {
    return `${this.reason}: ${this.detail}`
  }

  /** Whether the cause is the server, not the record: the next record would fail too. */
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

/** Longest part of an answer that is kept for the log. MLflow quotes only ids and names of ours in it. */
const DETAIL_CHARACTERS = 300

/** The failure for an answer other than 2xx. As observed with MLflow 3.14 and 3.17. */
export const judge = (answer: {
  readonly status: number
  readonly body: string
  readonly retryAfter: string | undefined
}): MlflowFailed => {
  const { body, status } = answer
  const problem = Option.getOrElse(decodeProblem(body), () => ({ error_code: undefined, message: undefined }))
  const code = problem.error_code ?? ""
  const detail = `${status}${code === "" ? "" : ` ${code}`}: ${(problem.message ?? body).slice(0, DETAIL_CHARACTERS)}`
  const failed = (reason: MlflowFailed["reason"], unsure = false) => new MlflowFailed({ reason, detail, unsure })
  if (status === 403 && body.startsWith("Invalid Host header")) return failed("host")
  if (status === 401 || status === 403 || status === 407) return failed("credentials")
  if (status === 408 || status === 429 || (status >= 500 && status !== 501)) {
    const wait = seconds(answer.retryAfter)
    return new MlflowFailed({
      reason: "busy",
      detail,
      // After 429 and 503 nothing was done; after a gateway's 502 or 504 it may have been.
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

/** `Retry-After` in seconds, at most ten minutes. Its form with a date is ignored: it depends on the server's clock. */
const seconds = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d{1,6}$/u.test(header.trim()) ? Math.min(600, Number(header)) : undefined

/** Node's codes for a connection that could not be opened: nothing was sent. */
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

/** Node's code of a failed connection, from the error or its causes. */
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

/** The failure without an answer. */
export const noAnswer = (cause: unknown): MlflowFailed => {
  const code = codeOf(cause)
  return new MlflowFailed({
    reason: "unreachable",
    detail: code ?? "no answer",
    unsure: code === undefined || !NEVER_SENT.has(code)
  })
}

/** It did not answer in time, and may still be working. */
export const tooLate = (milliseconds: number) =>
  new MlflowFailed({ reason: "busy", detail: `no answer within ${milliseconds} ms`, unsure: true })
