import { monotonicMillis } from "@llm-saas/domain/Time"
import { ByteSize, Clock, Context, Effect, Layer, type Redacted, Schema } from "effect"
import { type Headers, HttpClient, type HttpClientError, HttpClientRequest, HttpIncomingMessage } from "effect/http"
import { judge, MlflowFailed, noAnswer, tooLate } from "./MlflowFailed.ts"

/** MLflow's address and credentials. */
export interface Address {
  /** Without a trailing slash. */
  readonly url: string
  readonly credentials:
    | { readonly kind: "none" }
    | { readonly kind: "basic"; readonly username: string; readonly password: Redacted.Redacted }
    | { readonly kind: "bearer"; readonly token: Redacted.Redacted }
}

/** Longest wait for an answer: MLflow on SQLite was seen to take half a second under load. */
export const TIMEOUT_MS = 15_000

/** Largest answer. MLflow's answers to us have a few hundred bytes, so a larger one is not from MLflow. */
const MAX_ANSWER = ByteSize.fromInputUnsafe(4_000_000)

const Json = Schema.fromJsonString(Schema.Unknown)
const decodeJson = Schema.decodeUnknownEffect(Json)

/** Calls to MLflow's REST API, with a timeout and classified failures. */
export class MlflowHttp extends Context.Service<
  MlflowHttp,
  {
    /** The answer's JSON, decoded by a schema. An answer that does not fit is not from MLflow. */
    readonly call: <A>(
      request: { readonly method: "GET" | "POST" | "PATCH"; readonly path: string; readonly body?: unknown },
      schema: Schema.ConstraintCodec<A, unknown>
    ) => Effect.Effect<A, MlflowFailed>
    /** The answer's text, not decoded. */
    readonly text: (request: {
      readonly method: "GET" | "POST" | "PATCH"
      readonly path: string
      readonly body?: unknown
      readonly headers?: Headers.Input
    }) => Effect.Effect<string, MlflowFailed>
    /** When (ms, monotonic) a call last succeeded. */
    readonly workedAt: () => number
  }
>()("@llm-saas/mlflow/MlflowHttp") {
  static readonly layer = (address: Address) =>
    Layer.effect(
      MlflowHttp,
      Effect.gen(function* () {
        const clock = yield* Clock.Clock
        const client = (yield* HttpClient.HttpClient).pipe(
          HttpClient.mapRequest((request) =>
            request.pipe(HttpClientRequest.prependUrl(address.url), HttpClientRequest.acceptJson, authorized(address))
          )
        )
        let workedAt = Number.NEGATIVE_INFINITY

        const text: MlflowHttp["Service"]["text"] = Effect.fnUntraced(
          function* ({ body, headers, method, path }) {
            const request = HttpClientRequest.make(method)(path).pipe(
              headers === undefined ? (same) => same : HttpClientRequest.setHeaders(headers),
              body === undefined ? (same) => same : HttpClientRequest.bodyJsonUnsafe(body)
            )
            const response = yield* client.execute(request)
            const answer = yield* response.text
            if (response.status >= 200 && response.status < 300) {
              workedAt = monotonicMillis(clock)
              return answer
            }
            return yield* judge({
              status: response.status,
              body: answer,
              retryAfter: response.headers["retry-after"]
            })
          },
          // Tracing the sending of traces would never end.
          Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
          Effect.provideService(HttpIncomingMessage.MaxBodySize, MAX_ANSWER),
          Effect.catchTag("HttpClientError", (error: HttpClientError.HttpClientError) => Effect.fail(noAnswer(error))),
          Effect.timeoutOrElse({ duration: TIMEOUT_MS, orElse: () => Effect.fail(tooLate(TIMEOUT_MS)) })
        )

        return MlflowHttp.of({
          text,
          call: (request, schema) =>
            Effect.flatMap(text(request), (answer) =>
              decodeJson(answer).pipe(
                Effect.flatMap(Schema.decodeUnknownEffect(schema)),
                Effect.mapError(
                  () =>
                    new MlflowFailed({
                      reason: "foreign",
                      detail: `${request.path} answers what no MLflow does`,
                      unsure: true
                    })
                )
              )
            ),
          workedAt: () => workedAt
        })
      })
    )
}

const authorized = ({ credentials }: Address) => {
  switch (credentials.kind) {
    case "none":
      return (request: HttpClientRequest.HttpClientRequest) => request
    case "basic":
      return HttpClientRequest.basicAuth(credentials.username, credentials.password)
    case "bearer":
      return HttpClientRequest.bearerToken(credentials.token)
  }
}
