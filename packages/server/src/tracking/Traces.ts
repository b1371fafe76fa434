import { Effect, Layer, Redacted } from "effect"
import { KEY_HEADERS } from "@llm-saas/api/Access"
import { Headers, UrlParams } from "effect/http"
import { HttpOutgoingLayer } from "../http/HttpOutgoing.ts"
import { Settings } from "../config/Settings.ts"

/**
 * Sends spans to any OTLP collector: the request's, the answer's with its parts, and those within. Best effort, unlike MLflow's: spans
 * that cannot be sent are dropped. Without an endpoint nothing is traced, and the tracing code is not loaded.
 */
export const TracesLayer = Layer.unwrap(
  Effect.gen(function* () {
    const { APP_ENV, APP_NAME, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS } = yield* Settings
    if (OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return Layer.empty
    const { OtlpSerialization, OtlpTracer } = yield* Effect.promise(() => import("effect/observability"))
    return OtlpTracer.layer({
      url: `${OTEL_EXPORTER_OTLP_ENDPOINT.replace(/(?<!\/)\/+$/u, "")}/v1/traces`,
      ...(OTEL_EXPORTER_OTLP_HEADERS === undefined ? {} : { headers: headersOf(OTEL_EXPORTER_OTLP_HEADERS) }),
      resource: { serviceName: APP_NAME, attributes: { "deployment.environment.name": APP_ENV } },
      exportInterval: "2 seconds"
    }).pipe(
      Layer.provide([OtlpSerialization.layerJson, HttpOutgoingLayer]),
      // A question may be in a URL (GET /messages/stream), and must not be in a trace.
      Layer.merge(Layer.succeed(UrlParams.CurrentRedactedNames, ["content", /token|secret|password|key/iu])),
      Layer.merge(
        Layer.succeed(Headers.CurrentRedactedNames, ["authorization", "cookie", "set-cookie", ...KEY_HEADERS])
      )
    )
  })
)

/**
 * `name=value,name=value`, percent-encoded, OpenTelemetry's format for headers
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/).
 */
const headersOf = (text: Redacted.Redacted): Record<string, string> =>
  Object.fromEntries(
    Redacted.value(text)
      .split(",")
      .map((pair) => {
        const at = pair.indexOf("=")
        return [pair.slice(0, at).trim().toLowerCase(), decodeURIComponent(pair.slice(at + 1).trim())]
      })
  )
