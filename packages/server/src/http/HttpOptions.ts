import { Context, Effect, Layer } from "effect"
import { Settings } from "../config/Settings.ts"

/** Options of the HTTP edge. */
export class HttpOptions extends Context.Service<
  HttpOptions,
  {
    readonly host: string
    readonly port: number
    /** Production adds HSTS: browsers obey it only in answers over TLS (RFC 6797 §8.1). */
    readonly production: boolean
    /** The origins whose pages may read our answers, compared literally. */
    readonly allowedOrigins: ReadonlyArray<string>
    /** Whether pages of this machine (localhost, any port) may read them too: in development they are the developer's own. */
    readonly allowLocalOrigins: boolean
    readonly maxBodyBytes: number
    /** The same below `/v1`, where bodies carry images. */
    readonly maxV1BodyBytes: number
    readonly maxHeaderBytes: number
    /** Further connections are closed when they arrive. */
    readonly maxConnections: number
    /** Time to receive the headers, also on a connection that sends nothing. */
    readonly headersTimeoutMs: number
    /** Time to receive a whole request, body included. */
    readonly requestTimeoutMs: number
    /** How long an idle connection is kept: longer than load balancers keep theirs, so that they close first. */
    readonly keepAliveTimeoutMs: number
    /** How often the timeouts for headers and requests are checked. */
    readonly checkingIntervalMs: number
    /** Time for requests in flight to finish on shutdown. */
    readonly drainTimeoutMs: number
  }
>()("@llm-saas/server/http/HttpOptions") {
  static readonly defaults: HttpOptions["Service"] = {
    host: "127.0.0.1",
    port: 8000,
    production: false,
    allowedOrigins: [],
    allowLocalOrigins: false,
    maxBodyBytes: 1_048_576,
    maxV1BodyBytes: 33_554_432,
    maxHeaderBytes: 16_384,
    maxConnections: 10_000,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    keepAliveTimeoutMs: 65_000,
    checkingIntervalMs: 2000,
    drainTimeoutMs: 20_000
  }

  static readonly layer = Layer.effect(
    HttpOptions,
    Effect.map(Settings, (settings) =>
      HttpOptions.of({
        ...HttpOptions.defaults,
        host: settings.HOST,
        port: settings.PORT,
        production: settings.APP_ENV === "production",
        allowedOrigins: settings.ALLOWED_ORIGINS,
        allowLocalOrigins: settings.APP_ENV === "development",
        maxBodyBytes: settings.MAX_BODY_BYTES,
        maxV1BodyBytes: settings.V1_MAX_BODY_MEGABYTES * 1_048_576,
        keepAliveTimeoutMs: settings.KEEP_ALIVE_SECONDS * 1000,
        drainTimeoutMs: settings.SHUTDOWN_SECONDS * 1000
      })
    )
  )
}
